"""Worlds: data, with known factors of variation where there are any."""

from prismae.data._base import World
from prismae.data._world import world, world_descriptions, world_names, world_splits
from prismae.data.files import data_folder
from prismae.data.kinds import Images, Kind, Series, Table, Texts, Volumes
from prismae.data.shifts import COMPOSITIONS, Composition, correlated, held_out
from prismae.data.summary import Summary
from prismae.data.text import Tokens, Vocabulary

__all__ = [
    "COMPOSITIONS",
    "Composition",
    "Images",
    "Kind",
    "Series",
    "Summary",
    "Table",
    "Texts",
    "Tokens",
    "Vocabulary",
    "Volumes",
    "World",
    "correlated",
    "data_folder",
    "held_out",
    "world",
    "world_descriptions",
    "world_names",
    "world_splits",
]
