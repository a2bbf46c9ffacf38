"""Own data in files of MATLAB: variables by name, as MATLAB shows them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from scipy.sparse import issparse

from prismae.data.hdf5_zarr import hdf5
from prismae.data.matlab_claims import check_matlab
from prismae.data.rows import Hdf5, Sparse, whole
from prismae.errors import in_a_sentence


@contextmanager
def matlab(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of numbers of a .mat file by name, as MATLAB shows them, and of structures; cells are left out."""
    broken = (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        NotImplementedError,
        IndexError,
        zlib.error,
        MatReadError,
    )
    with in_a_sentence(f"{path} is corrupted or no MATLAB file", *broken):
        with open(path, "rb") as file:
            start = file.read(520)
        if b"\x89HDF" in (
            start[:4],
            start[512:516],
        ):  # version 7.3, whose dimensions stand the other way round
            with hdf5(path) as arrays:
                named = ((name, each) for name, each in arrays.items() if not name.startswith("#"))
                yield {
                    name: whole(each).T if isinstance(each, Hdf5) else each
                    for name, each in named
                    if getattr(each, "attrs", {}).get("MATLAB_class") != b"char"
                }
            return
        check_matlab(path)
        found = _of_structures(loadmat(path, chars_as_strings=True))
    yield {
        name: Sparse(each) if issparse(each) else each
        for name, each in found.items()
        if not name.startswith("__")
        and (issparse(each) or (isinstance(each, np.ndarray) and each.dtype.kind in "buifU"))
    }


def _of_structures(found: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Variables of MATLAB by name, the fields of a structure as ``name/field``."""
    flat: dict[str, Any] = {}
    for name, each in found.items():
        if isinstance(each, np.ndarray) and each.dtype.names and each.size == 1:
            fields = {field: each.reshape(-1)[0][field] for field in each.dtype.names}
            flat |= _of_structures(fields, f"{above}{name}/")
        else:
            flat[above + name] = each
    return flat


def observations_last(shape: tuple[int, ...]) -> str | None:
    """What a user should know of an array of MATLAB [h, w, n] or [h, w, c, n], whose observations may come last."""
    sides = shape[:-1]
    alike = len(shape) == 4 or 2 * min(sides) >= max(sides)
    if len(shape) not in (3, 4) or not alike or shape[-1] < 2 * max(sides):
        return None
    order = " ".join(map(str, (len(shape), *range(1, len(shape)))))
    return (
        f"the first axis of {'x'.join(map(str, shape))} is taken for {shape[0]} observations; where the last one "
        f"counts them ({shape[-1]:,}), save permute(x, [{order}]) in its place, or give numpy.moveaxis(x, -1, 0)"
    )
