"""Worlds: data, with known factors of variation where there are any."""

from prismae.data._base import Summary, World
from prismae.data._world import world, world_descriptions, world_names, world_splits
from prismae.data.files import data_folder

__all__ = ["Summary", "World", "data_folder", "world", "world_descriptions", "world_names", "world_splits"]
