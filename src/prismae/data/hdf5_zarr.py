"""Own data in HDF5 and Zarr: arrays by name, sparse matrices, and the columns and tables that AnnData writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prismae._files import MOST_ARRAYS, check_number
from prismae.data.chunks import check_hdf5, check_zarr
from prismae.data.rows import BROKEN, Hdf5, Held, Rows, SparseGroup, attributes, holds_sparse, texts
from prismae.data.unpacked import unpacked
from prismae.errors import InputError, in_a_sentence

_INDEX = "_index"  # the attribute of a table of AnnData that names the column of its rows' names,
_NAMES = "@names"  # and what stands behind the table's name where this is remembered


def _needed(package: str, extra: str, path: Path) -> Any:
    """A package that reads a file and is not always installed."""
    try:
        return import_module(package)
    except ImportError:
        raise InputError(
            f"{path} cannot be read without {package}: install it with pip install 'prismae[{extra}]'."
        ) from None


@contextmanager
def zarr_folder(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of a Zarr folder by their full names, read only when they are asked for."""
    zarr = _needed("zarr", "zarr", path)
    with in_a_sentence(f"{path} is corrupted or no Zarr folder", *BROKEN):
        strange = next((each for each in path.rglob("*") if not (each.is_file() or each.is_dir())), None)
        if strange is not None:  # a pipe or a device, which might never end
            raise InputError(f"{path} holds {strange.name}, which is neither a file nor a folder.")
        opened = zarr.open(str(path), mode="r")
        alone = isinstance(opened, zarr.Array)
        some = [("x", opened)] if alone else list(islice(opened.members(max_depth=None), MOST_ARRAYS + 1))
        check_number(path, len(some))
        members = dict(some)
        found: dict[str, Any] = {}
        for name, each in sorted(members.items()):
            if isinstance(each, zarr.Array):
                check_zarr(path, name, each)
        for name, each in sorted(members.items()):
            if not isinstance(each, zarr.Array):
                found |= _of_group(path, name, each)
            elif name.rpartition("/")[0] not in found:
                found[name] = _rows(path, name, each) if each.ndim else each
        yield found


def _rows(path: Path, name: str, array: Any) -> Rows:
    """Those of an array of Zarr, as its attributes say."""
    return unpacked(Held(array, f"{path}: {name!r}"), attributes(array), _fill(array))


def _fill(array: Any) -> Any:
    """What stands for a missing value of a Zarr array that xarray wrote; in others it is what was not written."""
    of_xarray = "_ARRAY_DIMENSIONS" in array.attrs
    return array.fill_value if of_xarray else None


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
            numbers = unpacked(Hdf5(path, name), attributes(item)) if item.ndim and not texts else item
            found[name] = item.asstr() if texts else numbers

    with (
        in_a_sentence(f"{path} is corrupted or no HDF5 file", *BROKEN),
        h5py.File(path, "r") as file,
    ):
        for visit in (check, note):  # all, before anything is read
            for name, item in _items(path, file):
                visit(name, item)
        yield found


def _items(path: Path, file: Any) -> Iterator[tuple[str, Any]]:
    """What a file of HDF5 holds, by full names, each once, without what links lead to.

    As h5py's `visititems`, which follows every name from the start of the file and so takes the square of the time.
    """
    import h5py

    def within(above: str, group: Any) -> list[tuple[str, Any, str]]:
        links = group.id.links
        names = [each for each in group if links.get_info(each.encode()).type == h5py.h5l.TYPE_HARD]
        return [(above, group, name) for name in reversed(names)]

    seen = {h5py.h5o.get_info(file.id).addr}
    coming = within("", file)
    while coming:
        above, group, name = coming.pop()
        item = group[name]
        if (address := h5py.h5o.get_info(item.id).addr) in seen:
            continue
        seen.add(address)
        check_number(path, len(seen))
        yield above + name, item
        if isinstance(item, h5py.Group):
            coming += within(f"{above}{name}/", item)


def _of_group(path: Path, name: str, group: Any) -> dict[str, Any]:
    """What a group of HDF5 or Zarr is by itself: a sparse matrix, or a column or table of AnnData."""
    told = attributes(group)
    encoding = str(told.get("encoding-type", ""))
    if holds_sparse(group):
        return {name: SparseGroup(path, name)}
    if encoding == "categorical":
        return {name: _categorical(group)}
    if encoding.startswith("nullable-"):
        return {name: _nullable(group)}
    if "pandas_type" in told:
        raise InputError(
            f"{path}: {name!r} is a table as pandas writes it: give pandas.read_hdf({path.name!r}, {name!r}) to "
            "pr.world, or save that as .parquet."
        )
    return {f"{name}{_NAMES}": str(told[_INDEX])} if _INDEX in told else {}


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


def obs(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the table ``obs`` of a file of AnnData, by their own names."""
    if f"obs{_NAMES}" not in arrays:
        return {}
    index = f"obs/{arrays[f'obs{_NAMES}']}"
    return {
        name.removeprefix("obs/"): each
        for name, each in arrays.items()
        if name.startswith("obs/") and name.count("/") == 1 and name != index
    }


def row_names(arrays: Mapping[str, Any], n: int) -> NDArray | None:
    """What a file of AnnData calls its rows."""
    index = f"obs/{arrays.get(f'obs{_NAMES}')}"
    if index not in arrays or (names := np.asarray(texts(arrays[index]), dtype=str)).shape != (n,):
        return None
    return names
