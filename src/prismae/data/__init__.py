"""Worlds: data, with known factors of variation where there are any."""

from prismae.data._base import Summary, World

__all__ = ["Summary", "World"]
