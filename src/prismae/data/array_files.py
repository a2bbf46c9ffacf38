"""Own data in files of arrays (NumPy, HDF5, AnnData, Zarr, MATLAB): arrays by name, one of them the observations."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from scipy.sparse import issparse

from prismae._files import check_room
from prismae.data._base import FactorKind
from prismae.data.chunks import check_hdf5, check_matlab, check_zarr
from prismae.data.labels import Found, Labels, chosen, labels_of
from prismae.data.rows import (
    Hdf5,
    Held,
    Npy,
    Rows,
    Sparse,
    SparseGroup,
    holds_sparse,
    refuse_columns_first,
    whole_or_rows,
)
from prismae.errors import InputError, unknown_name

ARRAYS = (".npy", ".npz", ".h5", ".hdf5", ".h5ad", ".mat", ".zarr")
_OBSERVATIONS = ("X", "x", "images", "data", "observations")
_CHANNELS = "channel_names"
_RATES = ("rate", "fs", "Fs", "FS", "sampling_rate", "sample_rate", "samplerate", "sfreq")  # points a second
_ABOUT = ("factors", "factor_names", "factor_kinds", _CHANNELS, *_RATES)
LONGEST = 200  # letters of what another library says is wrong, which may be all that a file holds
_INDEX = "_index"  # the attribute of a table of AnnData that names the column of its rows' names,
_NAMES = "@names"  # and what stands behind the table's name where this is remembered


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
    reader = {".npy": _npy, ".npz": _npz, ".mat": _matlab, ".zarr": _zarr}.get(suffix, hdf5)
    with reader(path) as arrays:
        obs = _obs(arrays)
        if obs:
            arrays = {**arrays, **obs}
        if (records := _records(path, arrays, part, factors)) is not None:
            return Found(records)
        factors = chosen(factors, arrays, f"array of {path.name}", new=new)
        if part is not None and part not in arrays:
            raise unknown_name(f"array of {path.name}", part, arrays)
        key = part or _observations(path, arrays, factors)
        x = arrays[key]
        x = x if isinstance(x, Rows) else _values(x)
        channels = _texts(arrays[_CHANNELS]) if _CHANNELS in arrays else None
        rate = next((_number(arrays[each]) for each in arrays if each.rpartition("/")[2] in _RATES), None)
        names = _row_names(arrays, len(x) if x.ndim else 0)
        others = [each for each in arrays if each not in (key, *_ABOUT, *factors) and _may_be(arrays[each])]
        notices: tuple[str, ...] = ()
        if pickled := [repr(each) for each in arrays if isinstance(arrays[each], Pickled)]:
            notices += (f"not read, since they hold pickled Python objects: {', '.join(pickled)}",)
        if others and part is None:
            listed = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            notices += (
                f"the array {key!r} is taken of {path.name}, which also holds {listed}: {path.name}:{others[0]}",
            )
        found = Found(x, channel_names=channels, rate=rate, names=names, notices=notices)
        if not factors:
            return replace(found, labels=_own_factors(arrays) if "factors" in arrays else None)
        columns = {k: v for name in factors for k, v in _columns(name, _values(arrays[name]), len(x)).items()}
        return replace(found, labels=labels_of(columns, len(x), path.name, new=new))


@contextmanager
def _npy(path: Path) -> Iterator[Mapping[str, Any]]:
    """The array of a .npy file as ``x``."""
    try:
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
    except InputError:
        raise
    except (OSError, EOFError, ValueError, TokenError) as error:
        raise InputError(_no_numpy(path, error)) from None


@contextmanager
def _npz(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of a .npz file by name, or the sparse matrix that `scipy.sparse.save_npz` wrote as ``x``."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                check_room(path, sum(each.file_size for each in packed.infolist()))
        with np.load(path, allow_pickle=False) as loaded:
            if {"format", "shape"} <= set(loaded.files):
                from scipy.sparse import load_npz

                yield {"x": Sparse(load_npz(path))}
            else:
                yield {key: _of_npz(loaded, key, path) for key in loaded.files}
    except InputError:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        AttributeError,
        RuntimeError,
        TokenError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(_no_numpy(path, error)) from None


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


def _no_numpy(path: Path, error: Exception) -> str:
    if "Object arrays" in str(error):
        return f"{path} holds pickled Python objects, which are never loaded; expected plain numbers."
    reason = str(error).partition("\n")[0]
    return f"{path} is corrupted or no NumPy file ({reason[:LONGEST]}{' …' * (len(reason) > LONGEST)})."


def _needed(package: str, extra: str, path: Path) -> Any:
    """A package that reads a file and is not always installed."""
    try:
        return import_module(package)
    except ImportError:
        raise InputError(
            f"{path} cannot be read without {package}: install it with pip install 'prismae[{extra}]'."
        ) from None


@contextmanager
def _zarr(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of a Zarr folder by their full names, read only when they are asked for."""
    zarr = _needed("zarr", "zarr", path)
    try:
        strange = next((each for each in path.rglob("*") if not (each.is_file() or each.is_dir())), None)
        if strange is not None:  # a pipe or a device, which might never end
            raise InputError(f"{path} holds {strange.name}, which is neither a file nor a folder.")
        opened = zarr.open(str(path), mode="r")
        alone = isinstance(opened, zarr.Array)
        members = {"x": opened} if alone else dict(opened.members(max_depth=None))
        found: dict[str, Any] = {}
        for name, each in sorted(members.items()):
            if isinstance(each, zarr.Array):
                check_zarr(path, name, each)
        for name, each in sorted(members.items()):
            if not isinstance(each, zarr.Array):
                found |= _of_group(path, name, each)
            elif name.rpartition("/")[0] not in found:
                found[name] = Held(each) if each.ndim else each
        yield found
    except InputError:
        raise
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise InputError(f"{path} is corrupted or no Zarr folder ({error}).") from None


@contextmanager
def hdf5(path: Path) -> Iterator[Mapping[str, Any]]:
    """The data sets and sparse matrices of a file by their full names, read only when they are asked for."""
    h5py = _needed("h5py", "hdf5", path)
    found: dict[str, Any] = {}

    def check(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            check_hdf5(path, name, item)

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group):
            found.update(_of_group(path, name, item))
        elif isinstance(item, h5py.Dataset) and name.rpartition("/")[0] not in found:
            texts = h5py.check_string_dtype(item.dtype)
            found[name] = item.asstr() if texts else Hdf5(path, name) if item.ndim else item

    try:
        with h5py.File(path, "r") as file:
            file.visititems(check)
            file.visititems(note)
            yield found
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, OverflowError) as error:
        raise InputError(f"{path} is corrupted or no HDF5 file ({error}).") from None


def _of_group(path: Path, name: str, group: Any) -> dict[str, Any]:
    """What a group of HDF5 or Zarr is by itself: a sparse matrix, or a column or table of AnnData."""
    encoding = str(group.attrs.get("encoding-type", ""))
    if holds_sparse(group):
        return {name: SparseGroup(path, name)}
    if encoding == "categorical":
        return {name: _categorical(group)}
    if encoding.startswith("nullable-"):
        return {name: _nullable(group)}
    if "pandas_type" in group.attrs:
        raise InputError(
            f"{path}: {name!r} is a table as pandas writes it: give pandas.read_hdf({path.name!r}, {name!r}) to "
            "pr.world, or save that as .parquet."
        )
    return {f"{name}{_NAMES}": str(group.attrs[_INDEX])} if _INDEX in group.attrs else {}


@contextmanager
def _matlab(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of numbers of a .mat file by name, as MATLAB shows them, and of structures; cells are left out."""
    try:
        with open(path, "rb") as file:
            start = file.read(520)
        if b"\x89HDF" in (
            start[:4],
            start[512:516],
        ):  # version 7.3, whose dimensions stand the other way round
            with hdf5(path) as arrays:
                named = ((name, each) for name, each in arrays.items() if not name.startswith("#"))
                yield {
                    name: _values(each).T if isinstance(each, Hdf5) else each
                    for name, each in named
                    if getattr(each, "attrs", {}).get("MATLAB_class") != b"char"
                }
            return
        check_matlab(path)
        found = _of_structures(loadmat(path, chars_as_strings=True))
    except InputError:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        NotImplementedError,
        IndexError,
        zlib.error,
        MatReadError,
    ) as error:
        raise InputError(f"{path} is corrupted or no MATLAB file ({error}).") from None
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


def _number(array: Any) -> float | None:
    """The one positive number that an array holds; None for others."""
    values = _values(array)
    good = values.size == 1 and values.dtype.kind in "uif" and float(values.reshape(-1)[0]) > 0
    return float(values.reshape(-1)[0]) if good else None


def _categorical(group: Any) -> NDArray:
    """A column of categories of AnnData, as texts or numbers; one that is missing is "" or NaN."""
    codes, values = np.asarray(group["codes"][()]), _texts_or_numbers(group["categories"])
    texts = values.dtype.kind == "O"
    if (codes < 0).any():
        values = np.append(values if texts else values.astype(np.float64), "" if texts else np.nan)
    return np.asarray(values[codes])


def _nullable(group: Any) -> NDArray:
    """A column of AnnData some of whose values are missing, "" or NaN."""
    values, missing = _texts_or_numbers(group["values"]), np.asarray(group["mask"][()], dtype=bool)
    if values.dtype.kind == "O":
        return np.where(missing, "", values)
    return np.where(missing, np.nan, values.astype(np.float64)) if missing.any() else values


def _texts_or_numbers(array: Any) -> NDArray:
    """An array of HDF5 or Zarr; texts as objects."""
    values = np.asarray((array.asstr() if array.dtype.kind == "O" and hasattr(array, "asstr") else array)[()])
    return values.astype(object) if values.dtype.kind in "OTU" else values


def _obs(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the table ``obs`` of a file of AnnData, by their own names."""
    if f"obs{_NAMES}" not in arrays:
        return {}
    index = f"obs/{arrays[f'obs{_NAMES}']}"
    return {
        name.removeprefix("obs/"): each
        for name, each in arrays.items()
        if name.startswith("obs/") and name.count("/") == 1 and name != index
    }


def _row_names(arrays: Mapping[str, Any], n: int) -> NDArray | None:
    """What a file of AnnData calls its rows."""
    index = f"obs/{arrays.get(f'obs{_NAMES}')}"
    if index not in arrays or (names := np.asarray(_texts(arrays[index]), dtype=str)).shape != (n,):
        return None
    return names


def _may_be(array: Any) -> bool:
    """Whether an array might be the observations."""
    if getattr(array, "ndim", 0) < 2 or array.shape[0] == 1:  # a vector of MATLAB
        return False
    return np.dtype(getattr(array, "dtype", object)).kind in "buif"


def _records(
    path: Path, arrays: Mapping[str, Any], part: str | None, factors: Sequence[str]
) -> NDArray | None:
    """The observations, where they are records of several columns."""
    tables = [name for name, each in arrays.items() if getattr(getattr(each, "dtype", None), "names", None)]
    if not tables or (key := part or _observations(path, arrays, factors)) not in tables:
        return None
    check_room(path, arrays[key].dtype.itemsize * prod(arrays[key].shape))
    return _values(arrays[key])


def _values(array: Any) -> NDArray:
    return array[:] if isinstance(array, Rows) else np.asarray(array[()])


def _texts(array: Any) -> tuple[str, ...]:
    return tuple(str(entry) for entry in np.atleast_1d(_values(array)))


def _observations(path: Path, arrays: Mapping[str, Any], factors: Sequence[str]) -> str:
    """The name of the observations."""
    keys = [key for key in arrays if key not in (*_ABOUT, *factors) and hasattr(arrays[key], "ndim")]
    for key in _OBSERVATIONS:
        if key in keys:
            return key
    tables = [key for key in keys if _may_be(arrays[key])] or keys
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


def _own_factors(arrays: Mapping[str, Any]) -> Labels:
    """The array ``factors`` with its names and kinds, as `from_array` checks them."""
    values = _values(arrays["factors"])
    values = values[:, None] if values.ndim == 1 else values
    k = values.shape[-1]
    kind: FactorKind = "continuous" if values.dtype.kind == "f" else "categorical"
    names, kinds = tuple(f"factor {i + 1}" for i in range(k)), (kind,) * k
    if "factor_names" in arrays:
        names = _texts(arrays["factor_names"])
    if "factor_kinds" in arrays:
        kinds = tuple(cast(FactorKind, kind) for kind in _texts(arrays["factor_kinds"]))
    return Labels(values, names, kinds)
