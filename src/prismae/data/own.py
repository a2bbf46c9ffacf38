"""Own data: which reader a path or an object needs, and the world that it becomes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.array_files import read_arrays
from prismae.data.arrays import from_array
from prismae.data.image_folder import LABELS, read_folder
from prismae.data.images import SUFFIXES
from prismae.data.kinds import Kind, Table, Texts
from prismae.data.labels import Found, labels_of
from prismae.data.table_files import from_table, read_table
from prismae.data.text import SUFFIXES as TEXTS
from prismae.data.text import Vocabulary, read_sentences
from prismae.errors import InputError
from prismae.settings import Layout

ARRAYS, TABLES = (".npy", ".npz", ".h5", ".hdf5"), (".csv", ".parquet")
FORMATS = f"a {', '.join(ARRAYS + TABLES + TEXTS[:-1])} or {TEXTS[-1]} file or of a folder of images"

Factors = (
    NDArray | Tensor | pd.Series | pd.DataFrame | Sequence[str] | None
)  # values, or names of what holds them


def from_path(
    source: str,
    *,
    factors: Factors = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    size: int | None = None,
    series: Layout | None = None,
    channel_names: Sequence[str] | None = None,
    name: str | None = None,
    like: Kind | None = None,
) -> World:
    """A world of own data on disk.

    Parameters
    ----------
    source
        The path of a .npy, .npz, .h5, .hdf5, .csv or .parquet file, of a .txt or .txt.gz file with a sentence in each
        line, or of a folder of images. An array of a .npz or HDF5 file is chosen by its name after a colon:
        ``mine.h5:group/images``.
    factors
        Names of the arrays, columns or labels that are factors (see `read_arrays`, `read_table`, `read_folder`); or
        values [n] or [n, k].
    factor_names, factor_kinds, series, channel_names, name
        See `prismae.data.arrays.from_array`.
    size
        Side that the images of a folder are scaled to.
    like
        For observations that are new to a model: the kind of those that it was trained on, so that they become
        numbers the same way. One observation is enough then, nothing needs to vary, and factors may be missing.

    Raises
    ------
    InputError
        For a path that is missing or of another format, and as the readers and `from_array` do.
    """
    path, part = split_path(source)
    whole = path.resolve()
    given, factor_names, factor_kinds = _given(factors, factor_names, factor_kinds)
    if path.is_file() and path.name.endswith(TEXTS):
        options = {
            "factors": factors,
            "factor_names": factor_names,
            "factor_kinds": factor_kinds,
            "size": size,
            "series": series,
            "channel_names": channel_names,
        }
        return _text(path, name or whole.name.partition(".")[0], options)
    found = _read(path, part, () if given is not None else _named(factors), size, like)
    kind = "folder" if path.is_dir() else "file"
    called = f"own {kind} {whole.name}"
    if channel_names is None and series is not None:
        channel_names = found.channel_names
    return _made(
        found,
        given,
        factor_names=factor_names,
        factor_kinds=factor_kinds,
        series=series,
        channel_names=channel_names,
        name=name or whole.stem,
        source=called,
        new=like is not None,
        like=like,
    )


def from_memory(
    source: NDArray | Tensor | pd.DataFrame,
    *,
    factors: Factors = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    series: Layout | None = None,
    channel_names: Sequence[str] | None = None,
    name: str | None = None,
) -> World:
    """A world of an array or tensor, or of a table, some of whose columns may be named as factors."""
    given, factor_names, factor_kinds = _given(factors, factor_names, factor_kinds)
    names = () if given is not None else _named(factors)
    if isinstance(source, pd.DataFrame):
        found = from_table(source, names, name or "table")
        return _made(
            found,
            given,
            factor_names=factor_names,
            factor_kinds=factor_kinds,
            series=series,
            channel_names=channel_names,
            name=name or "table",
            source="own table",
        )
    if names:
        some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        raise InputError(f"An array has no factors named {some}: expected an array of their values, [n, k].")
    return from_array(
        source,
        factors=given,
        factor_names=factor_names,
        factor_kinds=factor_kinds,
        series=series,
        channel_names=channel_names,
        name=name or "array",
    )


def strange_table(table: Any) -> InputError:
    """The error for a data frame of another library, which would else be read as a bare array without its names."""
    kind = f"{type(table).__module__.partition('.')[0]} {type(table).__name__}"
    return InputError(
        f"A {kind} cannot be used as it is, expected a pandas table: its method to_pandas() makes one."
    )


def is_path(text: str) -> bool:
    """Whether `text` is meant as a path: no world has a dot or a slash in its name."""
    return "." in text or "/" in text or os.sep in text


def split_path(source: str) -> tuple[Path, str | None]:
    """Path and name of an array: ``mine.h5:group/images`` → (mine.h5, group/images); None where none is named."""
    chosen = re.fullmatch(r"(.+\.(?:npz|h5|hdf5)):(.+)", source)
    path = Path(chosen[1] if chosen else source).expanduser()
    return path, chosen[2].strip("/") if chosen else None


def contents(source: str) -> bytes:
    """A digest of all that own data on disk are made of, which tells other data under the same path.

    Files of the same path, size and time of change as before are not read again. A world's name has no contents: b"".
    """
    if not is_path(source):
        return b""
    path, _ = split_path(source)
    if not path.is_dir():
        return _digest(path.resolve(), *_stamp(path)) if path.is_file() else b""
    files = [f for f in sorted(path.rglob("*")) if f.suffix.lower() in SUFFIXES or f == path / LABELS]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.relative_to(path).as_posix().encode() + _digest(file.resolve(), *_stamp(file)))
    return whole.digest()


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _digest(file: Path, size: int, changed: int) -> bytes:
    """Digest of a file's content; `size` and `changed` (its time of change) are for the cache."""
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _read(path: Path, part: str | None, factors: Sequence[str], size: int | None, like: Kind | None) -> Found:
    new = like is not None
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if path.is_dir():
        return read_folder(path, factors, size, new=new)
    if size is not None:
        raise InputError(f"{path} is no folder of images: a size can be given for one only.")
    if path.suffix in ARRAYS:
        return read_arrays(path, part, factors, new=new)
    if path.suffix in TABLES:
        return read_table(path, factors, scheme=like.scheme if isinstance(like, Table) else None, new=new)
    raise InputError(f"{path} cannot be read as a world: expected {FORMATS}.")


def _text(path: Path, name: str, options: dict[str, Any]) -> World:
    """The world of a text file, which has sentences and nothing else."""
    given = [option for option, value in options.items() if value is not None]
    if given:
        raise InputError(f"{path} is a text, which has no {' or '.join(given)}: leave that out.")
    sentences = read_sentences(path)
    vocabulary = Vocabulary.of(sentences)
    return World(name, vocabulary.encode(sentences), source=f"own file {path.name}", kind=Texts(vocabulary))


def _made(
    found: Found,
    given: NDArray | Tensor | None,
    *,
    factor_names: Sequence[str] | None,
    factor_kinds: Sequence[FactorKind] | None,
    **options: Any,
) -> World:
    """The world of what was found, with further `options` of `from_array`.

    Factors that were given as values stand above those that were found.
    """
    factors = given
    if given is None and found.labels is not None:
        factors = found.labels.values
        factor_names, factor_kinds = factor_names or found.labels.names, factor_kinds or found.labels.kinds
    made = from_array(
        found.x,
        factors=factors,
        factor_names=factor_names,
        factor_kinds=factor_kinds,
        copy=False,
        **options,
    )
    return replace(
        made, kind=made.kind if found.table is None else Table(scheme=found.table), names=found.names
    )


def _given(
    factors: Factors, names: Sequence[str] | None, kinds: Sequence[FactorKind] | None
) -> tuple[NDArray | Tensor | None, Sequence[str] | None, Sequence[FactorKind] | None]:
    """Values, names and kinds of factors, where they were given as values; a pandas table tells the last two itself."""
    if isinstance(factors, pd.Series | pd.api.extensions.ExtensionArray):
        column = pd.Series(factors)
        factors = column.to_frame(column.name or "factor 1")
    if isinstance(factors, pd.DataFrame):
        columns = {str(name): factors[name] for name in factors.columns}
        found = labels_of(columns, len(factors), "The table of factors")
        if found is not None:
            return found.values, names or found.names, kinds or found.kinds
    return (factors if isinstance(factors, np.ndarray | Tensor) else None), names, kinds


def _named(factors: Factors) -> tuple[str, ...]:
    """The names of factors, where they were given by name."""
    return () if factors is None else (factors,) if isinstance(factors, str) else tuple(map(str, factors))
