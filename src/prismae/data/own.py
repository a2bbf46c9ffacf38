"""Own data: which reader a path or an object needs, and the world that it becomes."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.array_files import ARRAYS, read_arrays
from prismae.data.arrays import from_array
from prismae.data.files import check_names
from prismae.data.image_folder import is_image, read_images
from prismae.data.kinds import Images, Kind, Series, Table, Texts
from prismae.data.labels import Found, labels_of
from prismae.data.layout import numbers, observations_last
from prismae.data.others import stands_in, way, way_with
from prismae.data.paths import split_path
from prismae.data.points import series_of_table
from prismae.data.recordings import AUDIO, holds_recordings, is_audio, read_audio, read_recordings
from prismae.data.rows import Rows, as_rows
from prismae.data.stacks import read_stack
from prismae.data.table_files import (
    BINARY_TABLES,
    TEXT_TABLES,
    from_table,
    in_types_of_numpy,
    is_table,
    of_records,
    read_file,
    without,
)
from prismae.data.text import SUFFIXES as TEXTS
from prismae.data.text import Vocabulary, as_sentences, read_lines
from prismae.data.text_tables import looks_like_table
from prismae.data.windows import cut_arrays
from prismae.errors import InputError, fits_in_memory, readable
from prismae.settings import Reading

FORMATS = (
    f"a {', '.join(ARRAYS + AUDIO[:1] + TEXT_TABLES + BINARY_TABLES + TEXTS[:-1])} or {TEXTS[-1]} file, "
    "of a folder of images or recordings, or of a file of several images"
)
OF_TABLES = ("drop", "categorical", "numeric", "index", "missing", "sep", "sheet")  # that are for tables only
OF_POINTS = ("series_id", "time")  # that are for tables of which each row is a point in time
OF_SERIES = ("series", "channel_names", "window", "stride", "rate", *OF_POINTS)
MEMORY = {True: "A table in memory is read as it is", False: "An array has no images, columns or text"}

Factors = (
    NDArray | Tensor | pd.Series | pd.DataFrame | Sequence[str] | None
)  # values, or names of what holds them


def from_path(
    source: str,
    *,
    reading: Reading | None = None,
    factors: Factors = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    name: str | None = None,
    like: Kind | None = None,
) -> World:
    """A world of own data on disk.

    Parameters
    ----------
    source
        The path of a table, of a file of arrays, of a .txt or .txt.gz file with a sentence in each line, or of a folder
        of images: see `FORMATS`. An array of a .npz or HDF5 file is chosen by its name after a colon:
        ``mine.h5:group/images``.
    reading
        How it is read, and which arrays, columns or labels are factors (see `read_arrays`, `read_table`,
        `read_images`).
    factors
        Names of factors, in place of the reading's; or values [n] or [n, k] that do not stand in the data.
    factor_names, factor_kinds, name
        See `prismae.data.arrays.from_array`.
    like
        For observations that are new to a model: the kind of those that it was trained on, so that they become
        numbers the same way. One observation is enough then, nothing needs to vary, and factors may be missing.

    Raises
    ------
    InputError
        For a path that is missing or of another format, and as the readers and `from_array` do.
    """
    path, part = split_path(source)
    with readable(path), fits_in_memory(path):
        whole = path.resolve()
        if path.is_file() and (wrong := stands_in(path)):
            raise InputError(wrong)
        reading, given, factor_names, factor_kinds = _factors(reading, factors, factor_names, factor_kinds)
        if path.is_file() and path.name.lower().endswith(TEXTS) and not _is_table(path, reading):
            options = {"factors": factors, "factor_names": factor_names, "factor_kinds": factor_kinds}
            return _text(path, name or whole.name.partition(".")[0], reading, options, new=like is not None)
        if reading.tokens is not None:
            raise InputError(f"{path} is no text, so tokens cannot be given: leave that out.")
        found = _read(path, part, reading, like)
        kind = "folder" if path.is_dir() else "file"
        called = f"own {kind} {whole.name}"
        of_matlab = path.suffix.lower() == ".mat" and reading.series is None and reading.window is None
        last = observations_last(tuple(found.x.shape)) if of_matlab else None
        if last is not None:
            found = replace(found, notices=(*found.notices, last))
        try:
            return _made(
                found,
                given,
                reading,
                factor_names=factor_names,
                factor_kinds=factor_kinds,
                name=name or whole.stem,
                source=called,
                new=like is not None,
                like=like,
            )
        except InputError as error:
            if last is None:
                raise
            raise InputError(f"{error} Besides, {last}.") from None


def from_memory(
    source: NDArray | Tensor | Rows | pd.DataFrame,
    *,
    reading: Reading | None = None,
    factors: Factors = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    name: str | None = None,
) -> World:
    """A world of an array or tensor, or of a table, some of whose columns may be named as factors."""
    reading, given, factor_names, factor_kinds = _factors(reading, factors, factor_names, factor_kinds)
    table = isinstance(source, pd.DataFrame)
    others = ("sep", "sheet") if table else (*OF_TABLES, *OF_POINTS)
    _refuse_others(reading, "size", "skip_damaged", "tokens", *others, what=MEMORY[table])
    called = name or ("table" if table else "array")
    if isinstance(source, pd.DataFrame):
        _refuse_others(reading, "axes", what="A table has columns")
        found, where = _of_table(without(source, reading.missing), reading, called), "own table"
    else:
        if reading.factors:
            some = ", ".join(reading.factors[:5]) + (" …" if len(reading.factors) > 5 else "")
            raise InputError(
                f"An array has no factors named {some}: expected an array of their values, [n, k]."
            )
        x = source if isinstance(source, Rows) else numbers(source, f"World {called!r}", gaps=True)
        found, where = Found(x), "own array"
        if reading.window is not None:
            if given is not None:  # of each recording, or of each point of one
                known = np.asarray(given).reshape(len(given), -1)
                names = tuple(factor_names or (f"factor {i + 1}" for i in range(known.shape[1])))
                found, given = (
                    replace(
                        found, labels=labels_of(dict(zip(names, known.T, strict=True)), len(known), called)
                    ),
                    None,
                )
            found = cut_arrays(found, reading, called)
    return _made(
        found,
        given,
        reading,
        factor_names=factor_names,
        factor_kinds=factor_kinds,
        name=called,
        source=where,
        copy=found.x is source,
    )


def as_pandas(table: Any) -> Any:
    """The table of another library (polars, pyarrow, dask, any with an interchange protocol) as one of pandas.

    Columns of pandas in Arrow's types get those of NumPy. Records of NumPy are a table too, and a column by itself is
    one of one column. What is masked of an array is missing. What is read row by row, sparse matrices and files,
    becomes `Rows`; everything else, pandas' other tables and arrays among it, stays as it is.

    Raises
    ------
    InputError
        For objects of which something else makes data, and says what.
    """
    if isinstance(table, np.ma.MaskedArray):
        table = np.ma.filled(table.astype(np.float64), np.nan) if table.mask.any() else table.data
    if isinstance(table, np.ndarray) and table.dtype.names:
        return of_records(table, "The array")
    if isinstance(table, pd.Series):
        return table.to_frame(str(table.name or "column 1"))
    if isinstance(table, pd.DataFrame):
        return in_types_of_numpy(table)
    table = as_rows(table)
    if isinstance(table, np.ndarray | Tensor | World | str):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        import pyarrow as pa

        with suppress(pa.ArrowException, TypeError, ValueError):  # a column by itself
            return pa.table(table).to_pandas()
    if what := way_with(table):
        raise InputError(f"{type(table).__name__} is no table or array that is read: {what}.")
    return pd.api.interchange.from_dataframe(table) if hasattr(table, "__dataframe__") else table


def _read(path: Path, part: str | None, reading: Reading, like: Kind | None) -> Found:
    new = like is not None
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    check_names([path])
    if not path.is_file() and not path.is_dir():  # a pipe or a device, which might never end
        raise InputError(f"{path} is neither a file nor a folder, expected {FORMATS}.")
    folder = path.is_dir() and path.suffix.lower() not in ARRAYS
    if folder and not any(map(is_image, path.rglob("*"))) and holds_recordings(path):
        _refuse_others(
            reading, "size", "axes", *OF_POINTS[:1], "categorical", what=f"{path} is a folder of recordings"
        )
        return read_recordings(path, reading, new=new)
    if folder or is_image(path):
        what = f"{path} is a {'folder' if path.is_dir() else 'file'} of images"
        _refuse_others(reading, *OF_SERIES, *OF_TABLES, what=what)
        if reading.axes is not None and not folder:
            _refuse_others(reading, "size", "factors", what=f"{path} is an array of axes that are said")
            return Found(read_stack(path))
        if reading.axes is not None:
            _refuse_others(reading, "size", what=f"{path} is a folder of arrays of axes that are said")
        deep = isinstance(like, Images) and not like.pixels
        return read_images(
            path,
            reading.factors,
            reading.size,
            axes=reading.axes,
            skip_damaged=reading.skip_damaged,
            new=new,
            keep_numbers=deep,
        )
    if reading.size is not None:
        raise InputError(f"{path} is no folder of images: a size can be given for one only.")
    _refuse_others(reading, "skip_damaged", what=f"{path} is no folder of images")
    if path.suffix.lower() in ARRAYS:
        found = read_arrays(path, part, reading.factors, new=new)
        if found.x.dtype.names:
            _refuse_others(reading, "axes", "sep", "sheet", what=f"{path} holds records, which are a table")
            table = without(of_records(np.asarray(found.x), path.name), reading.missing)
            scheme = like.scheme if isinstance(like, Table) else None
            return _of_table(table, reading, path.name, scheme=scheme, new=new)
        _refuse_others(reading, *OF_TABLES, *OF_POINTS, what=f"{path} is no table")
        if reading.window is not None or reading.series is not None:
            _refuse_others(reading, "axes", what=f"{path} is to be read as series")
        return found if reading.window is None else cut_arrays(found, reading, path.name, new=new)
    if is_audio(path):
        _refuse_others(reading, *OF_TABLES, *OF_POINTS, what=f"{path} is no table")
        _refuse_others(reading, "axes", what=f"{path} is sound")
        return read_audio(path, reading, new=new)
    if is_table(path) or path.name.lower().endswith(TEXTS):
        _refuse_others(reading, "axes", what=f"{path} is a table")
        scheme = like.scheme if isinstance(like, Table) else None
        table, notices = read_file(path, reading)
        return _of_table(table, reading, path.name, scheme=scheme, new=new, notices=notices)
    what = f"{known}; " if (known := way(path)) else ""
    raise InputError(f"{path} cannot be read as a world: {what}expected {FORMATS}.")


def _of_table(table: pd.DataFrame, reading: Reading, name: str, **options: Any) -> Found:
    """What a table holds: rows, or series of which each is a row or has a row for each point."""
    if reading.series not in (None, "rows"):
        raise InputError(
            f"{name} is a table, which has no channels first or last: series='rows' (--series rows) says that each row "
            "is a series, and a window or series_id (--window, --id) that each row is a point in time."
        )
    points = (reading.window, reading.series_id, reading.time)
    if reading.series is None and points == (None, None, None):
        _refuse_others(
            reading, "channel_names", "rate", what=f"{name} is a table of which no series are asked for"
        )
        return from_table(table, reading, name, **options)
    options.pop("scheme", None)
    return series_of_table(table, reading, name, **options)


def _refuse_others(reading: Reading, *names: str, what: str) -> None:
    """Refuse settings that say nothing of such data."""
    given = [name for name in names if getattr(reading, name) not in (None, (), False)]
    if given:
        raise InputError(f"{what}, so {' and '.join(given)} cannot be given: leave that out.")


def _is_table(path: Path, reading: Reading) -> bool:
    """Whether a text file is a table: its lines are alike, or most of its words numbers, as numpy.savetxt writes it."""
    if reading.sep is not None or looks_like_table(path):
        return True
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else open(path, "rb") as file:
        try:
            words = re.split(rb"[\s,;|]+", file.read(1 << 14).strip())[:-1]
        except (OSError, EOFError):
            return False
    return len(words) > 1 and sum(map(_is_number, words)) > len(words) / 2


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _text(path: Path, name: str, reading: Reading, options: dict[str, Any], *, new: bool) -> World:
    """The world of a text file, which has sentences and nothing else."""
    options |= {
        each.name: getattr(reading, each.name)
        for each in fields(Reading)
        if each.name not in ("holdout", "tokens")
    }
    given = [
        option
        for option, value in options.items()
        if value is not None and value is not False and value != ()
    ]
    if given:
        raise InputError(f"{path} is a text, which has no {' or '.join(given)}: leave that out.")
    characters = reading.tokens == "characters"
    lines, notices = read_lines(path)
    sentences = as_sentences(lines, str(path), characters=characters, skip_empty=True)
    if empty := len(lines) - len(sentences):
        notices.append(f"{empty:,} of {len(lines):,} lines are empty and left out")
    if characters:
        notices = [each for each in notices if "spaces" not in each]
    if len(sentences) < 2 and not new:
        raise InputError(f"{path} has one sentence, expected at least two, each in a line of its own.")
    vocabulary = Vocabulary.of(sentences, characters=characters)
    encoded = vocabulary.encode(sentences)
    return World(
        name, encoded, source=f"own file {path.name}", kind=Texts(vocabulary), notices=tuple(notices)
    )


def _made(
    found: Found,
    given: NDArray | Tensor | None,
    reading: Reading,
    *,
    factor_names: Sequence[str] | None,
    factor_kinds: Sequence[FactorKind] | None,
    copy: bool = False,
    **options: Any,
) -> World:
    """The world of what was found, with further `options` of `from_array`.

    Factors that were given as values stand above those that were found.
    """
    if reading.stride is not None and reading.window is None:
        raise InputError(
            "A stride is from one window to the next: say how many points a window has (--window)."
        )
    series = found.series or reading.series
    if series == "rows":
        if found.x.ndim != 2:
            raise InputError(f"series='rows' is for series [n, length], got the shape {found.x.shape}.")
        series = "channels-first"
    if series is None and reading.rate is not None:
        raise InputError("A rate is for series: say series= or window= (--series, --window) too.")
    channel_names = reading.channel_names or (found.channel_names if series is not None else None) or None
    factors = given
    if given is None and found.labels is not None:
        factors = found.labels.values
        factor_names, factor_kinds = factor_names or found.labels.names, factor_kinds or found.labels.kinds
    made = from_array(
        found.x,
        factors=factors,
        factor_names=factor_names,
        factor_kinds=factor_kinds,
        series=series,
        axes=reading.axes,
        channel_names=channel_names,
        copy=copy,
        **options,
    )
    kind, notices = made.kind, (*found.notices, *made.notices)
    if found.table is not None and isinstance(found.x, np.ndarray):
        gaps = np.isnan(found.x).any()
        kind = Table(scheme=found.table, lacking=found.table.lacks(found.x) if gaps else None)
        notices = found.notices
    elif isinstance(kind, Series):
        kind = replace(kind, layout=reading.series, rate=reading.rate or found.rate)
    kind = kind.knowing(reading.given, made.shape)
    return replace(made, kind=kind, names=found.names, columns=found.columns, notices=notices)


def _factors(
    reading: Reading | None, factors: Factors, names: Sequence[str] | None, kinds: Sequence[FactorKind] | None
) -> tuple[Reading, NDArray | Tensor | None, Sequence[str] | None, Sequence[FactorKind] | None]:
    """The reading, with names of factors where these were given by name; else their values, names and kinds.

    A pandas table tells the last two itself.
    """
    reading = reading or Reading()
    if factors is None:
        return reading, None, names, kinds
    if isinstance(factors, pd.Series | pd.api.extensions.ExtensionArray):
        column = pd.Series(factors)
        factors = column.to_frame(column.name or "factor 1")
    if isinstance(factors, pd.DataFrame):
        columns = {str(name): factors[name] for name in factors.columns}
        found = labels_of(columns, len(factors), "The table of factors")
        if found is not None:
            return reading, found.values, names or found.names, kinds or found.kinds
    if isinstance(factors, np.ndarray | Tensor):
        return reading, factors, names, kinds
    named = (factors,) if isinstance(factors, str) else tuple(map(str, factors))
    return replace(reading, factors=named), None, names, kinds
