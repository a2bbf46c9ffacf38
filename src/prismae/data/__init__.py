"""Worlds: data, with known factors of variation where there are any."""

from prismae.data._base import Summary, World
from prismae.data._world import world, world_descriptions, world_names, world_splits
from prismae.data.files import data_folder
from prismae.data.text import Tokens, Vocabulary

__all__ = [
    "Summary",
    "Tokens",
    "Vocabulary",
    "World",
    "data_folder",
    "world",
    "world_descriptions",
    "world_names",
    "world_splits",
]
