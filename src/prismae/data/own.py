"""Own data: the world that a path or an object becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.arrays import from_array
from prismae.data.formats import OF_POINTS, OF_TABLES, read, refuse_others, table_found
from prismae.data.kinds import Kind, Series, Table, Texts
from prismae.data.labels import Found, Labels, labels_of
from prismae.data.layout import numbers
from prismae.data.others import stands_in
from prismae.data.paths import split_path
from prismae.data.rows import Rows
from prismae.data.separators import looks_like_table
from prismae.data.table_files import without
from prismae.data.text import SUFFIXES as TEXTS
from prismae.data.text import Vocabulary, as_sentences, read_lines
from prismae.data.windows import cut_arrays
from prismae.errors import InputError, fits_in_memory, of_file, readable
from prismae.settings import Reading

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
        of images: see `prismae.data.formats.FORMATS`. An array of a .npz or HDF5 file is chosen by its name after a
        colon: ``mine.h5:group/images``.
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
    with readable(path), of_file(path), fits_in_memory(path):
        whole = path.resolve()
        if path.is_file() and (wrong := stands_in(path)):
            raise InputError(wrong)
        reading, given, factor_names, factor_kinds = _factors(reading, factors, factor_names, factor_kinds)
        text = path.is_file() and path.name.lower().endswith(TEXTS)
        if text and reading.sep is None and not looks_like_table(path):
            options = {"factors": factors, "factor_names": factor_names, "factor_kinds": factor_kinds}
            return _text(path, name or whole.name.partition(".")[0], reading, options, new=like is not None)
        if reading.tokens is not None:
            raise InputError(f"{path} is no text, so tokens cannot be given: leave that out.")
        found = read(path, part, reading, like)
        kind = "folder" if path.is_dir() else "file"
        called = f"own {kind} {whole.name}"
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
    refuse_others(reading, "size", "skip_damaged", "tokens", *others, what=MEMORY[table])
    called = name or ("table" if table else "array")
    if isinstance(source, pd.DataFrame):
        refuse_others(reading, "axes", what="A table has columns")
        found, where = table_found(without(source, reading.missing), reading, called), "own table"
    else:
        if reading.factors:
            some = ", ".join(reading.factors[:5]) + (" …" if len(reading.factors) > 5 else "")
            raise InputError(
                f"An array has no factors named {some}: expected an array of their values, [n, k]."
            )
        x = source if isinstance(source, Rows) else numbers(source, f"World {called!r}", gaps=True)
        found, where = Found(x), "own array"
        if reading.window is not None:
            if isinstance(given, Labels):
                found, given = replace(found, labels=given), None
            elif given is not None:  # of each recording, or of each point of one
                known = np.asarray(given).reshape(len(given), -1)
                names = tuple(factor_names or (f"factor {i + 1}" for i in range(known.shape[1])))
                columns = dict(zip(names, known.T, strict=True))
                found, given = replace(found, labels=labels_of(columns, len(known), called)), None
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
    given: NDArray | Tensor | Labels | None,
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
    given = found.labels if given is None else given
    labels = given if isinstance(given, Labels) else None
    if labels is not None:
        factor_names, factor_kinds = factor_names or labels.names, factor_kinds or labels.kinds
    doubt = found.doubt if series is None else None
    try:
        made = from_array(
            found.x,
            factors=given.values if isinstance(given, Labels) else given,
            factor_names=factor_names,
            factor_kinds=factor_kinds,
            series=series,
            axes=reading.axes,
            channel_names=channel_names,
            copy=copy,
            **options,
        )
    except InputError as error:
        if doubt is None:
            raise
        raise InputError(f"{error} Besides, {doubt}.") from None
    kind, notices = made.kind, (*found.notices, *((doubt,) if doubt is not None else ()), *made.notices)
    if found.table is not None and isinstance(found.x, np.ndarray):
        gaps = np.isnan(found.x).any()
        kind = Table(scheme=found.table, lacking=found.table.lacks(found.x) if gaps else None)
        notices = found.notices
    elif isinstance(kind, Series):
        rates = (found.rate, reading.rate) if options.get("new") else (reading.rate, found.rate)
        rate = next(filter(None, rates), None)  # a reading like that of the fit knows its rate only
        kind = replace(kind, layout=reading.series, rate=rate)
    kind = kind.knowing(reading.given, made.shape)
    called = zip(made.factor_names, labels.value_names, strict=False) if labels is not None else ()
    return replace(
        made,
        kind=kind,
        names=found.names,
        columns=found.columns,
        notices=notices,
        value_names={name: values for name, values in called if values},
    )


def _factors(
    reading: Reading | None, factors: Factors, names: Sequence[str] | None, kinds: Sequence[FactorKind] | None
) -> tuple[Reading, NDArray | Tensor | Labels | None, Sequence[str] | None, Sequence[FactorKind] | None]:
    """The reading, with names of factors where these were given by name; else their values, names and kinds.

    A pandas table tells the last two itself, and what texts are called.
    """
    reading = reading or Reading()
    if factors is None:
        return reading, None, names, kinds
    if isinstance(factors, pd.Series | pd.api.extensions.ExtensionArray):
        column = pd.Series(factors)
        factors = column.to_frame(column.name or "factor 1")
    if isinstance(factors, np.ndarray) and factors.dtype.kind in "OU" and factors.ndim in (1, 2):  # texts
        factors = pd.DataFrame(factors)
        names = names or [f"factor {i + 1}" for i in range(factors.shape[1])]
        if len(names) == factors.shape[1]:
            factors.columns = pd.Index(names)
    if isinstance(factors, pd.DataFrame):
        columns = {str(name): factors[name] for name in factors.columns}
        found = labels_of(columns, len(factors), "The table of factors")
        if found is not None:
            return reading, found, names, kinds
    if isinstance(factors, np.ndarray | Tensor):
        return reading, factors, names, kinds
    named = (factors,) if isinstance(factors, str) else tuple(map(str, factors))
    return replace(reading, factors=named), None, names, kinds
