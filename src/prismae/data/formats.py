"""Own data on disk: which reader a file or folder needs, and which settings say something of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prismae.data.array_files import ARRAYS, read_arrays
from prismae.data.files import check_names
from prismae.data.image_folder import is_image, read_images
from prismae.data.interchange import of_records
from prismae.data.kinds import Images, Kind, Table
from prismae.data.labels import Found
from prismae.data.others import way
from prismae.data.parquet_files import holds_parts
from prismae.data.points import series_of_table
from prismae.data.recordings import AUDIO, holds_recordings, is_audio, read_audio, read_recordings
from prismae.data.stacks import read_stack
from prismae.data.table_files import BINARY_TABLES, TEXT_TABLES, from_table, is_table, read_file, without
from prismae.data.text import SUFFIXES as TEXTS
from prismae.data.windows import cut_arrays
from prismae.errors import InputError
from prismae.settings import Reading

FORMATS = (
    f"a {', '.join(ARRAYS + AUDIO[:1] + TEXT_TABLES + BINARY_TABLES + TEXTS[:-1])} or {TEXTS[-1]} file, "
    "of a folder of images or recordings, or of a file of several images"
)
OF_TABLES = ("drop", "categorical", "numeric", "index", "missing", "sep", "sheet")  # that are for tables only
OF_POINTS = ("series_id", "time")  # that are for tables of which each row is a point in time
OF_SERIES = ("series", "channel_names", "window", "stride", "rate", *OF_POINTS)


def read(path: Path, part: str | None, reading: Reading, like: Kind | None) -> Found:
    """What a file or folder holds, by the reader that it needs; see `prismae.data.own.from_path`.

    Raises
    ------
    InputError
        For a path that is missing or of another format, settings that say nothing of such data, and as the readers do.
    """
    new = like is not None
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    check_names([path])
    if not path.is_file() and not path.is_dir():  # a pipe or a device, which might never end
        raise InputError(f"{path} is neither a file nor a folder, expected {FORMATS}.")
    folder = path.is_dir() and path.suffix.lower() not in ARRAYS
    if holds_parts(path):
        refuse_others(reading, "size", "skip_damaged", "axes", what=f"{path} is a table")
        return _table(path, reading, like)
    if folder and not any(map(is_image, path.rglob("*"))) and holds_recordings(path):
        refuse_others(
            reading, "size", *OF_POINTS[:1], "categorical", what=f"{path} is a folder of recordings"
        )
        return read_recordings(path, reading, new=new)
    if folder or is_image(path):
        return _images(path, reading, like)
    if reading.size is not None:
        raise InputError(f"{path} is no folder of images: a size can be given for one only.")
    refuse_others(reading, "skip_damaged", what=f"{path} is no folder of images")
    if path.suffix.lower() in ARRAYS:
        return _arrays(path, part, reading, like)
    if is_audio(path):
        refuse_others(reading, *OF_TABLES, *OF_POINTS, what=f"{path} is no table")
        refuse_others(reading, "axes", what=f"{path} is sound")
        return read_audio(path, reading, new=new)
    if is_table(path) or path.name.lower().endswith(TEXTS):
        refuse_others(reading, "axes", what=f"{path} is a table")
        return _table(path, reading, like)
    what = f"{known}; " if (known := way(path)) else ""
    raise InputError(f"{path} cannot be read as a world: {what}expected {FORMATS}.")


def _images(path: Path, reading: Reading, like: Kind | None) -> Found:
    folder = path.is_dir()
    what = f"{path} is a {'folder' if folder else 'file'} of images"
    refuse_others(reading, *OF_SERIES, *OF_TABLES, what=what)
    if reading.axes is not None and not folder:
        refuse_others(reading, "size", "factors", what=f"{path} is an array of axes that are said")
        return Found(read_stack(path))
    if reading.axes is not None:
        refuse_others(reading, "size", what=f"{path} is a folder of arrays of axes that are said")
    deep = isinstance(like, Images) and not like.pixels
    return read_images(
        path,
        reading.factors,
        reading.size,
        axes=reading.axes,
        skip_damaged=reading.skip_damaged,
        new=like is not None,
        keep_numbers=deep,
    )


def _arrays(path: Path, part: str | None, reading: Reading, like: Kind | None) -> Found:
    new = like is not None
    found = read_arrays(path, part, reading.factors, new=new)
    if found.x.dtype.names:
        refuse_others(reading, "axes", "sep", "sheet", what=f"{path} holds records, which are a table")
        table = without(of_records(np.asarray(found.x), path.name), reading.missing)
        scheme = like.scheme if isinstance(like, Table) else None
        return table_found(table, reading, path.name, scheme=scheme, new=new)
    refuse_others(reading, *OF_TABLES, *OF_POINTS, what=f"{path} is no table")
    if reading.window is not None or reading.series is not None:
        refuse_others(reading, "axes", what=f"{path} is to be read as series")
    return found if reading.window is None else cut_arrays(found, reading, path.name, new=new)


def _table(path: Path, reading: Reading, like: Kind | None) -> Found:
    scheme = like.scheme if isinstance(like, Table) else None
    table, notices = read_file(path, reading)
    return table_found(table, reading, path.name, scheme=scheme, new=like is not None, notices=notices)


def table_found(table: pd.DataFrame, reading: Reading, name: str, **options: Any) -> Found:
    """What a table holds: rows, or series of which each is a row or has a row for each point."""
    if reading.series not in (None, "rows"):
        raise InputError(
            f"{name} is a table, which has no channels first or last: series='rows' (--series rows) says that each row "
            "is a series, and a window or series_id (--window, --id) that each row is a point in time."
        )
    points = (reading.window, reading.series_id, reading.time)
    if reading.series is None and points == (None, None, None):
        refuse_others(
            reading, "channel_names", "rate", what=f"{name} is a table of which no series are asked for"
        )
        return from_table(table, reading, name, **options)
    options.pop("scheme", None)
    return series_of_table(table, reading, name, **options)


def refuse_others(reading: Reading, *names: str, what: str) -> None:
    """Refuse settings that say nothing of such data."""
    given = [name for name in names if getattr(reading, name) not in (None, (), False)]
    if given:
        raise InputError(f"{what}, so {' and '.join(given)} cannot be given: leave that out.")
