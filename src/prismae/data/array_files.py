"""Own data in files of arrays (NumPy, HDF5, AnnData, Zarr, MATLAB): which array is the observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from prismae._files import check_room
from prismae.data._base import FactorKind
from prismae.data.hdf5_zarr import hdf5, obs, row_names, zarr_folder
from prismae.data.labels import Found, Labels, chosen, labels_of
from prismae.data.matlab_files import matlab, observations_last
from prismae.data.numpy_files import Pickled, npy, npz
from prismae.data.rows import Rows, texts, whole
from prismae.data.unpacked import Unpacked
from prismae.errors import InputError, unknown_name

ARRAYS = (".npy", ".npz", ".h5", ".hdf5", ".h5ad", ".mat", ".zarr")
_OBSERVATIONS = ("X", "x", "images", "data", "observations")
_CHANNELS = "channel_names"
_RATES = ("rate", "fs", "Fs", "FS", "sampling_rate", "sample_rate", "samplerate", "sfreq")  # points a second
_ABOUT = ("factors", "factor_names", "factor_kinds", _CHANNELS, *_RATES)


def read_arrays(path: Path, part: str | None, factors: Sequence[str], *, new: bool = False) -> Found:
    """Observations and factors of a file of arrays. Nothing is ever unpickled.

    Parameters
    ----------
    part
        Name of the array of observations (in HDF5 and Zarr with its groups: ``group/data``). Without it they are the
        array ``X``, ``x``, ``images``, ``data`` or ``observations``, or the only one of at least two dimensions. A
        group of HDF5 that holds ``data``, ``indices`` and ``indptr``, and such a .npz file, is a sparse matrix.
    factors
        Names of arrays [n] or [n, k] that are factors. Without them the arrays ``factors``, ``factor_names`` and
        ``factor_kinds`` are taken, where there are any. An array ``channel_names`` names the channels of series, a
        number ``rate`` or ``fs`` says how many points a second they have. In a file of AnnData factors are columns of
        ``obs``, whose index names the rows. Records of several columns are a table, whose factors are columns: they
        come as they are, for the reader of tables.
    new
        Whether they are for a model that was trained before: factors may be missing then, and need not vary.

    Raises
    ------
    InputError
        For a file that is damaged or pickled, observations that are not clear, unknown names, and factors that
        do not fit.
    """
    suffix = path.suffix.lower()
    reader = {".npy": npy, ".npz": npz, ".mat": matlab, ".zarr": zarr_folder}.get(suffix, hdf5)
    with reader(path) as arrays:
        arrays = {**arrays, **obs(arrays)}
        if (records := _records(path, arrays, part, factors)) is not None:
            return Found(records)
        factors = chosen(factors, arrays, f"array of {path.name}", new=new)
        if part is not None and part not in arrays:
            raise unknown_name(f"array of {path.name}", part, arrays)
        key = part or _observations(path, arrays, factors, new=new)
        x = arrays[key]
        x = x if isinstance(x, Rows) else whole(x)
        channels = texts(arrays[_CHANNELS]) if _CHANNELS in arrays else None
        rate = next((_number(arrays[each]) for each in arrays if each.rpartition("/")[2] in _RATES), None)
        names = row_names(arrays, len(x) if x.ndim else 0)
        others = [each for each in arrays if each not in (key, *_ABOUT, *factors) and _may_be(arrays[each])]
        notices: tuple[str, ...] = (x.said,) if isinstance(x, Unpacked) else ()
        if pickled := [repr(each) for each in arrays if isinstance(arrays[each], Pickled)]:
            notices += (f"not read, since they hold pickled Python objects: {', '.join(pickled)}",)
        if others and part is None:
            listed = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            notices += (
                f"the array {key!r} is taken of {path.name}, which also holds {listed}: {path.name}:{others[0]}",
            )
        known, n = {*_ABOUT, *factors}, len(x) if x.ndim else 0
        if unused := [name for name in arrays if name not in known and _of_rows(name, arrays[name], n)]:
            listed = ", ".join(unused[:5]) + (" …" if len(unused) > 5 else "")
            one = "it" if len(unused) == 1 else "one"
            takes = f"factors=[{unused[0]!r}] (--factors {unused[0]}) takes {one} as a factor"
            notices += (f"a value for each observation is not used: {listed}; {takes}",)
        doubt = observations_last(tuple(x.shape)) if suffix == ".mat" else None
        found = Found(x, channel_names=channels, rate=rate, doubt=doubt, names=names, notices=notices)
        if not factors:
            own = "factors" in arrays
            return replace(found, labels=_own_factors(arrays, len(x), path.name, new=new) if own else None)
        columns = {k: v for name in factors for k, v in _columns(name, whole(arrays[name]), len(x)).items()}
        return replace(found, labels=labels_of(columns, len(x), path.name, new=new))


def _number(array: Any) -> float | None:
    """The one positive number that an array holds; None for others."""
    values = whole(array)
    good = values.size == 1 and values.dtype.kind in "uif" and float(values.reshape(-1)[0]) > 0
    return float(values.reshape(-1)[0]) if good else None


def _may_be(array: Any) -> bool:
    """Whether an array might be the observations."""
    if getattr(array, "ndim", 0) < 2 or array.shape[0] == 1:  # a vector of MATLAB
        return False
    return np.dtype(getattr(array, "dtype", object)).kind in "buif"


def _of_rows(name: str, array: Any, n: int) -> bool:
    """Whether an array outside of groups has a value for each of n observations, as labels have."""
    shape = tuple(getattr(array, "shape", ()))
    sizes = [size for size in shape if size != 1]  # MATLAB has columns and rows of one
    return (
        "/" not in name and 1 <= len(shape) <= 2 and n > 1 and sizes == [n] and not isinstance(array, Pickled)
    )


def _records(
    path: Path, arrays: Mapping[str, Any], part: str | None, factors: Sequence[str]
) -> NDArray | None:
    """The observations, where they are records of several columns."""
    tables = [name for name, each in arrays.items() if getattr(getattr(each, "dtype", None), "names", None)]
    if not tables or (key := part or _observations(path, arrays, factors)) not in tables:
        return None
    check_room(path, arrays[key].dtype.itemsize * prod(arrays[key].shape))
    return whole(arrays[key])


def _observations(path: Path, arrays: Mapping[str, Any], factors: Sequence[str], *, new: bool = False) -> str:
    """The name of the observations, which may be one where they are `new`."""
    keys = [key for key in arrays if key not in (*_ABOUT, *factors) and hasattr(arrays[key], "ndim")]
    for key in _OBSERVATIONS:
        if key in keys:
            return key
    single = [key for key in keys if new and arrays[key].ndim > 1]
    tables = [key for key in keys if _may_be(arrays[key])] or single or keys
    if len(tables) == 1:
        return tables[0]
    if not tables and (pickled := [each for each in arrays.values() if isinstance(each, Pickled)]):
        raise InputError(pickled[0].why)
    keys = tables
    listed = ", ".join(f"{key!r} {tuple(arrays[key].shape)}" for key in keys[:10])
    raise InputError(
        f"{path} holds {listed or 'no arrays'}: expected the observations as one of "
        f"{', '.join(map(repr, _OBSERVATIONS))}, or as the only array"
        + (f"; choose one as in {path.name}:{keys[0]}." if keys else ".")
    )


def _columns(name: str, values: NDArray, n: int) -> dict[str, NDArray]:
    """The factors that an array [n] or [n, k] holds, by name; MATLAB's vectors may be [1, n]."""
    if values.shape == (1, n):
        values = values[0]
    if values.ndim == 2 and values.shape[1] > 1:
        return {f"{name} {i + 1}": column for i, column in enumerate(values.T)}
    if values.ndim not in (1, 2):
        raise InputError(f"The factors {name!r} have shape {values.shape}, expected [n] or [n, k].")
    return {name: values.reshape(-1)}


def _own_factors(arrays: Mapping[str, Any], n: int, where: str, *, new: bool) -> Labels | None:
    """The array ``factors`` with its names and kinds, as `from_array` checks them; one of texts as named columns."""
    values = whole(arrays["factors"])
    values = values[:, None] if values.ndim == 1 else values
    k = values.shape[-1]
    kind: FactorKind = "continuous" if values.dtype.kind == "f" else "categorical"
    names, kinds = tuple(f"factor {i + 1}" for i in range(k)), (kind,) * k
    if "factor_names" in arrays:
        names = texts(arrays["factor_names"])
    if "factor_kinds" in arrays:
        kinds = tuple(cast(FactorKind, kind) for kind in texts(arrays["factor_kinds"]))
    if values.dtype.kind in "OSTU" and values.ndim == 2 and len(names) == len(set(names)) == k:
        return labels_of(dict(zip(names, values.T, strict=True)), n, where, new=new)
    return Labels(values, names, kinds)
