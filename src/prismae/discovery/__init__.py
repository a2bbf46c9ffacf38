"""From data to an answer: what varies in them, found under a time budget, without labels."""

from prismae.discovery.answer import discover
from prismae.discovery.result import Discovery, load_discovery

__all__ = ["Discovery", "discover", "load_discovery"]
