"""Rows: arrays that are read row by row when they are asked for, because they lie in a file or hold mostly zeros."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from prismae._files import PACKED, check_room, memory
from prismae.errors import InputError, in_a_sentence, of_file

WHOLE = 1_000_000_000  # bytes up to which an array is read as a whole; fixed, so that no result depends on the machine
NEAR = 1 << 16  # bytes between two rows of a file that are rather read along than skipped
STORED = 1 << 22  # values of a sparse matrix in a file that are looked at together
LARGEST_CHUNK = 1 << 26  # bytes of chunks of a file that are read together
BROKEN = (  # what h5py, Zarr and their codecs raise where a file is damaged
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    zlib.error,
)
_OF_ANNDATA = ("shape", "h5sparse_shape", "encoding-type", "h5sparse_format", "_index")
_OF_XARRAY = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_ARRAY_DIMENSIONS")
_ATTRIBUTES = (*_OF_ANNDATA, *_OF_XARRAY, "MATLAB_class", "pandas_type")  # that are read


class Rows(ABC):
    """An array [n, …] of which rows are read when they are asked for: ``rows[10:20]``, ``rows[[3, 5]]``."""

    shape: tuple[int, ...]
    dtype: np.dtype
    at_once: int = 1  # rows that lie together in one chunk of a file

    @abstractmethod
    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        """The rows from each start to each stop."""

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def kept(self) -> int:
        """Bytes that the whole takes in memory: as float32, or as it is for images of bytes."""
        as_it_is = self.ndim > 2 and self.dtype.itemsize == 1
        return prod(self.shape) * (1 if as_it_is else 4)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray) -> NDArray:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                (part,) = self.spans([(start, max(start, stop))])
                return part
            rows = np.arange(start, stop, step)
        rows = np.asarray(rows, dtype=np.int64)
        order = np.argsort(rows, kind="stable")
        wanted = rows[order]
        size = max(1, prod(self.shape[1:]) * self.dtype.itemsize)
        ends = np.flatnonzero(np.diff(wanted) > max(1, NEAR // size)) + 1
        made = np.empty((len(rows), *self.shape[1:]), self.dtype)
        runs = [
            (run, place)
            for run, place in zip(np.split(wanted, ends), np.split(order, ends), strict=True)
            if len(run)
        ]
        parts = self.spans([(int(run[0]), int(run[-1]) + 1) for run, _ in runs])
        for part, (run, place) in zip(parts, runs, strict=True):
            made[place] = part[run - run[0]]
        return made


class Held(Rows):
    """Those of an object that gives rows itself: a mapped array of NumPy, a data set of h5py or Zarr."""

    def __init__(self, array: Any, where: str = "The array") -> None:
        self.where = where  # what messages call it
        self.array, self.shape, self.dtype = array, tuple(array.shape), np.dtype(array.dtype)
        self.at_once = _chunk(getattr(array, "chunks", None), self.shape, self.dtype)

    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        for start, stop in spans:
            with in_a_sentence(f"{self.where} is damaged", *BROKEN):
                part = np.asarray(self.array[start:stop])
            yield part


class Npy(Rows):
    """Those of a .npy file, read and not mapped, so that its size does not count as the process's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            self.shape, self.by_columns, self.dtype = read(file)
            self.start = file.tell()

    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        row = self.shape[1:]
        size = prod(row)
        with self.path.open("rb", buffering=0) as file:
            for start, stop in spans:
                file.seek(self.start + start * size * self.dtype.itemsize)
                part = np.fromfile(file, self.dtype, (stop - start) * size)
                yield part.reshape(stop - start, *row)


class Hdf5(Rows):
    """Those of a data set of an HDF5 file, which is opened for each reading."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        with opened(path, name) as array:
            self.shape, self.dtype, self.attrs = tuple(array.shape), array.dtype, attributes(array)
            self.at_once = _chunk(array.chunks, self.shape, self.dtype)

    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        with opened(self.path, self.name) as array:
            for start, stop in spans:
                yield np.asarray(array[start:stop])


class SparseRows(Rows):
    """Those of a sparse matrix."""

    @abstractmethod
    def stored(self) -> Iterator[csr_array]:
        """All rows, some at a time, as they are kept."""

    def used(self) -> tuple[int, int]:
        """How many rows and columns have a value."""
        rows, columns = 0, np.zeros(self.shape[1], np.bool_)
        for part in self.stored():
            rows += int(np.count_nonzero(np.diff(part.indptr)))
            columns[part.indices] = True
        return rows, int(columns.sum())


class Sparse(SparseRows):
    """Those of a sparse matrix of SciPy: kept as it is, and written out where rows are read."""

    def __init__(self, x: Any) -> None:
        self.x = csr_array(_within(lambda: x))
        self.shape, self.dtype = tuple(self.x.shape), self.x.dtype

    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        return (self.x[start:stop].toarray() for start, stop in spans)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray) -> NDArray:
        return np.asarray(self.x[rows].toarray())

    def stored(self) -> Iterator[csr_array]:
        yield self.x


class SparseGroup(SparseRows):
    """Those of a sparse matrix in a group of HDF5 or Zarr, as AnnData writes it: data, indices and indptr.

    One that is kept by columns (CSC) is read as a whole.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.whole: Sparse | None = None
        with opened(path, name) as group:
            told = attributes(group)
            shape = told.get("shape", told.get("h5sparse_shape"))
            by_columns = _text(told.get("encoding-type", told.get("h5sparse_format", ""))).startswith("csc")
            starts = group["indptr"]
            if shape is None:
                width = int(group["indices"][()].max(initial=-1)) + 1
                shape = (starts.size - 1, width)
            self.shape, self.dtype = tuple(int(each) for each in shape), group["data"].dtype
            if len(self.shape) != 2 or starts.shape != (self.shape[by_columns] + 1,):  # before it is read
                raise InputError(
                    f"{path}: {name!r} is no sparse matrix of shape {self.shape}, as it says it is: indptr has shape "
                    f"{starts.shape}."
                )
            check_room(path, 8 * starts.size, f"numbers in {name}/indptr")
            self.starts: NDArray[np.int64] = np.asarray(starts[()], dtype=np.int64)
            if by_columns:
                from scipy.sparse import csc_array

                parts = (group["data"][()], group["indices"][()], self.starts)
                self.whole = Sparse(csc_array(parts, shape=(self.shape[0], self.shape[1])))

    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        return (part.toarray() for part in self._kept(spans))

    def stored(self) -> Iterator[csr_array]:
        ends = (
            np.searchsorted(self.starts, np.arange(STORED, self.starts[-1] + STORED, STORED), side="right")
            - 1
        )
        stops = np.unique(np.append(ends, len(self)))
        stops = stops[stops > 0]  # a row of more values than that is one part
        return self._kept(list(zip([0, *stops[:-1].tolist()], stops.tolist(), strict=True)))

    def _kept(self, spans: Sequence[tuple[int, int]]) -> Iterator[csr_array]:
        """The rows from each start to each stop, as they are kept."""
        if self.whole is not None:
            yield from (self.whole.x[start:stop] for start, stop in spans)
            return
        with opened(self.path, self.name) as group:
            for start, stop in spans:
                first, last = int(self.starts[start]), int(self.starts[stop])
                values, places = group["data"][first:last], group["indices"][first:last]
                parts = (values, places, self.starts[start : stop + 1] - first)
                yield _within(csr_array, parts, shape=(stop - start, self.shape[1]))


@contextmanager
def opened(path: Path, name: str) -> Iterator[Any]:
    """A data set or group of an HDF5 file, or of a folder of Zarr; what is damaged of it is said in one sentence."""
    with of_file(path), in_a_sentence(f"{path} is damaged, so {name!r} cannot be read", *BROKEN):
        if path.is_dir():
            import zarr

            yield zarr.open_group(str(path), mode="r")[name]
            return
        import h5py

        with h5py.File(path, "r") as file:
            yield file[name]


def attributes(item: Any) -> dict[str, Any]:
    """What a group or an array of HDF5 or Zarr says of itself, as far as it is read here.

    Lists of texts in HDF5 are left out: all of them may refer to one that is long.
    """
    told = item.attrs
    names = [name for name in _ATTRIBUTES if name in told]
    if hasattr(told, "get_id"):  # of h5py
        kinds = {name: told.get_id(name) for name in names}
        names = [name for name, kind in kinds.items() if kind.shape == () or not kind.dtype.hasobject]
    return {name: told[name] for name in names}


def as_rows(x: Any) -> Any:
    """Rows, for a sparse matrix, for data sets of h5py and Zarr and for mapped arrays that are too large to be read as
    a whole; everything else as it is."""
    if isinstance(x, Rows) or not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return x
    if issparse(x):
        return Sparse(x)
    if isinstance(x, np.memmap):
        return x if x.ndim < 2 or Held(x).kept <= WHOLE else Held(x)
    return whole_or_rows(Held(x)) if hasattr(x, "chunks") and x.ndim else x


def _within(kind: Callable[..., Any], *parts: Any, **more: Any) -> Any:
    """A sparse matrix, whose indices lie within it: SciPy follows any, also to where its memory ends."""
    try:
        made = kind(*parts, **more)
        if hasattr(made, "check_format"):
            made.check_format(full_check=True)
    except ValueError as error:
        raise InputError(f"The sparse matrix is damaged ({error}).") from None
    return made


def holds_sparse(group: Any) -> bool:
    """Whether a group of HDF5 or Zarr is a sparse matrix."""
    return {"data", "indices", "indptr"} <= set(group)


def whole_or_rows(rows: Rows) -> NDArray | Rows:
    """The array as a whole, where it is not too large for that."""
    return rows if rows.kept > WHOLE else rows[:]


def whole(array: Any) -> NDArray:
    """All of an array that a file holds, of a scalar its value."""
    return array[:] if isinstance(array, Rows) else np.asarray(array[()])


def texts(array: Any) -> tuple[str, ...]:
    """The same of an array of texts."""
    return tuple(str(entry) for entry in np.atleast_1d(whole(array)))


def refuse_columns_first(path: Path) -> None:
    """Refuse a large file that holds one column after the other, so that reading a row means reading all."""
    raise InputError(
        f"{path} is larger than {WHOLE / 1e9:g} GB and holds one column after the other (Fortran order), so it cannot "
        "be read row by row: write it with numpy.save(path, numpy.ascontiguousarray(x))."
    )


def refuse_empty_space(x: SparseRows, where: str) -> None:
    """Refuse a sparse matrix that would take no end to train on: a step writes out all of its rows' columns."""
    room = memory()
    if x.kept <= room:
        return
    n, d = x.shape
    rows, columns = x.used()
    if 4 * rows * columns * PACKED < x.kept:
        raise InputError(
            f"{where}: the sparse matrix has {n:,} rows and {d:,} columns, of which {rows:,} and {columns:,} have "
            "values: leave out the others, rows, columns = map(numpy.unique, x.nonzero()); x = x[rows][:, columns]."
        )
    if x.kept > PACKED * room:
        raise InputError(
            f"{where}: the sparse matrix of {n:,} rows and {d:,} columns would take {x.kept / 1e12:,.0f} TB if it was "
            f"written out, with {room / 1e9:,.0f} GB of memory here: leave out columns that few rows have, or "
            "take some of the rows."
        )


def _chunk(chunks: Any, shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Rows in a chunk, 1 where these are too many to be read together."""
    rows = chunks[0] if isinstance(chunks, tuple) and chunks and isinstance(chunks[0], int) else 1
    return rows if rows * prod(shape[1:]) * dtype.itemsize <= LARGEST_CHUNK else 1


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
