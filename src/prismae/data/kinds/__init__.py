"""Kinds of data: one file each, found by scanning this folder and other packages' entry points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from prismae._discovery import subclasses
from prismae.data.kinds._base import PART, Kind
from prismae.data.kinds._numbers import Numbers
from prismae.data.kinds.images import Images
from prismae.data.kinds.series import Series
from prismae.data.kinds.table import Table
from prismae.data.kinds.texts import Texts
from prismae.data.kinds.volumes import Volumes
from prismae.data.storage import Storage
from prismae.errors import InputError, unknown_name

__all__ = [
    "PART",
    "Images",
    "Kind",
    "Numbers",
    "Series",
    "Table",
    "Texts",
    "Volumes",
    "all_kinds",
    "kind_of",
    "plain_kind",
]

WIDE = 32  # elements: version 0.1 showed longer vectors whose elements have no names as series


def all_kinds() -> dict[str, type[Kind]]:
    """Every kind of data by its name in job.json: those of this folder, then those of other packages."""
    return subclasses(__name__, cast(Any, Kind), "prismae.kinds", frozen=False)


def kind_of(about: Mapping[str, Any]) -> Kind:
    """The kind of data that a job.json tells of.

    Raises
    ------
    InputError
        For a kind that no installed package has.
    """
    known = all_kinds()
    name = about["kind"] if "kind" in about else _of_version_0_1(about)
    if name not in known:
        raise unknown_name("kind of data", name, known)
    return known[name].from_json(about)


def plain_kind(data: Storage) -> Kind:
    """The kind of observations of which nothing is said, by their shape.

    Images [c, h, w], volumes [c, d, h, w], series [c, length], or vectors, a table.
    """
    for kind in all_kinds().values():
        if found := kind.plain(data):
            return found
    raise InputError(
        f"Observations of shape {data.shape} in {type(data).__name__} may be of several kinds: say which, as in "
        "World(name, data, kind=Texts(vocabulary))."
    )


def _of_version_0_1(about: Mapping[str, Any]) -> str:
    """Runs of version 0.1 say the kind by what they know of the data, and by their shape."""
    for key, name in (("vocabulary", "texts"), ("channels", "series"), ("table", "table")):
        if key in about:
            return name
    rank, size = len(about["shape"]), about["shape"][-1]
    return "images" if rank == 3 else "table" if rank == 1 and size <= WIDE else "series"
