"""Own data in files of NumPy, .npy and .npz: arrays by name. Nothing is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from prismae._files import check_number, check_room
from prismae.data.rows import Held, Npy, Sparse, refuse_columns_first, whole_or_rows
from prismae.errors import InputError, in_a_sentence

BROKEN = (
    OSError,
    EOFError,
    ValueError,
    AttributeError,
    RuntimeError,
    TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def npy(path: Path) -> Iterator[Mapping[str, Any]]:
    """The array of a .npy file as ``x``."""
    with in_a_sentence(f"{path} is corrupted or no NumPy file", *BROKEN):
        made = Npy(path)
        if made.dtype.hasobject:
            raise InputError(
                f"{path} holds pickled Python objects, which are never loaded; expected plain numbers."
            )
        if path.stat().st_size < made.start + made.dtype.itemsize * int(np.prod(made.shape, dtype=np.int64)):
            raise InputError(
                f"{path} is corrupted or no NumPy file (it is shorter than its first line says)."
            )
        if not made.shape or (made.by_columns and len(made.shape) > 1):
            if made.shape and not isinstance(
                whole_or_rows(Held(np.broadcast_to(np.zeros((), made.dtype), made.shape))), np.ndarray
            ):
                refuse_columns_first(path)
            yield {"x": np.load(path, allow_pickle=False)}
        else:
            yield {"x": made}


@contextmanager
def npz(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of a .npz file by name, or the sparse matrix that `scipy.sparse.save_npz` wrote as ``x``."""
    with in_a_sentence(f"{path} is corrupted or no NumPy file", *BROKEN):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                check_number(path, len(packed.infolist()))
                check_room(path, sum(each.file_size for each in packed.infolist()))
        with np.load(path, allow_pickle=False) as loaded:
            if {"format", "shape"} <= set(loaded.files):
                from scipy.sparse import load_npz

                check_room(
                    path, 8 * sum(map(int, loaded["shape"])), "rows and columns"
                )  # SciPy counts in each
                yield {"x": Sparse(load_npz(path))}
            else:
                yield {key: _of_npz(loaded, key, path) for key in loaded.files}


def _of_npz(loaded: Any, key: str, path: Path) -> Any:
    """An array of a .npz file, or what stands for one of Python objects, which is refused where it is asked for."""
    try:
        return loaded[key]
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        return Pickled(
            f"{path}: {key!r} holds pickled Python objects, which are never loaded; expected plain numbers."
        )


@dataclass(frozen=True)
class Pickled:
    """An array that is not loaded, and why."""

    why: str

    def __getitem__(self, _: Any) -> Any:
        raise InputError(self.why)
