"""What arrays in files claim to hold and what their chunks unpack to, before a library makes room for them.

HDF5 and Zarr unpack a chunk as a whole, also one that holds far more than its shape says.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from prismae._files import PACKED, check_room, memory
from prismae.errors import InputError

PART = 1 << 20  # bytes that are unpacked at a time
SHARE = 4  # a chunk that could not unpack to this part of the memory is not looked at
_CHUNKS = 1_000_000  # above which most have to be there: a library goes through all, a million in a minute
_AXES = 64  # the most that NumPy has
DEFLATE = 1032  # times as many bytes as it is given is the most that it unpacks to
_PLACES = 1000  # texts in a record, each of which is counted by itself
_READ = 3  # times the bytes of texts that h5py holds while it reads them
_ENTRY = 16  # bytes in the index of a shard for each of its chunks
_HDF5 = {1: "deflate", 4: "szip", 32000: "lzf"}  # filters that HDF5 and h5py bring along


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Zlib:
    """A stream of zlib, unpacked as it is read."""

    def __init__(self, packed: bytes) -> None:
        self._unpack, self._rest = zlib.decompressobj(), packed

    def read(self, size: int, /) -> bytes:
        made = self._unpack.decompress(self._rest, size)
        self._rest = self._unpack.unconsumed_tail
        return made


_STREAMS: dict[str, Callable[[bytes], _Stream]] = {
    "zlib": Zlib,
    "gzip": lambda packed: gzip.GzipFile(fileobj=BytesIO(packed)),
    "bz2": lambda packed: bz2.BZ2File(BytesIO(packed)),
    "lzma": lambda packed: lzma.LZMAFile(BytesIO(packed)),  # noqa: SIM115  # it holds no file
    "zstd": lambda packed: pa.CompressedInputStream(pa.BufferReader(packed), "zstd"),
}
# times as many bytes as they are given is the most that they unpack to
_MOST = {
    "zlib": DEFLATE,
    "gzip": DEFLATE,
    "bz2": 50_000,
    "lzma": 10_000,
    "zstd": 1 << 15,
    "lz4": 256,
    "blosc": 1 << 15,
}


def check_hdf5(path: Path, name: str, array: Any) -> None:
    """Refuse a data set of HDF5 that lies elsewhere, that claims a size and does not hold it, or of which a chunk
    unpacks to more than its shape says and there is room for."""
    if array.external or array.is_virtual:  # whose numbers stand in other files, whatever these are
        raise InputError(f"{path}: the data of {name!r} lie outside of the file, which is not followed.")
    if array.id.get_storage_size() * PACKED < array.nbytes:
        check_room(path, array.nbytes)
    if array.chunks is not None:
        _check_count(path, name, array.shape, array.chunks, array.id.get_num_chunks)
        _check_hdf5_chunks(path, name, array)
    if array.dtype.hasobject and array.id.get_storage_size():  # texts, to which many places may refer
        check_room(path, _READ * _referred(path, name, array), f"texts in {name!r}, as they are read")


def _check_hdf5_chunks(path: Path, name: str, array: Any) -> None:
    made = array.id.get_create_plist()
    packings = [_HDF5.get(made.get_filter(i)[0]) for i in range(made.get_nfilters())]
    most = _most(path, name, prod(array.chunks) * array.dtype.itemsize, [each for each in packings if each])
    if "deflate" not in packings:  # lzf and szip cannot
        return
    unseen: list[Any] = []
    array.id.chunk_iter(lambda about: unseen.append(about) if about.size * DEFLATE > most else None)
    for about in unseen:
        if not about.filter_mask & 1 << packings.index("deflate"):  # it is packed as all are
            _refuse_above(most, "zlib", array.id.read_direct_chunk(about.chunk_offset)[1], path, name)


def _references(kind: Any, size: int) -> tuple[int, list[tuple[int, int]]]:
    """Bytes that a value of a type of HDF5 has in a file, and where in it references stand, of `size` bytes each; with
    the bytes of one element of what each refers to."""
    import h5py

    if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
        return size, [(0, 1)]
    if isinstance(kind, h5py.h5t.TypeVlenID):
        of_one, within = _references(kind.get_super(), size)
        if within:
            raise ValueError("texts within sequences of their own length each, which are not read")
        return size, [(0, of_one)]
    if isinstance(kind, h5py.h5t.TypeArrayID):
        of_one, within = _references(kind.get_super(), size)
        many = prod(kind.get_array_dims())
        if many * len(within) > _PLACES:
            raise ValueError(f"{many * len(within):,} texts in each record, expected at most {_PLACES:,}")
        return many * of_one, [
            (i * of_one + at, each) for i in range(many if within else 0) for at, each in within
        ]
    if isinstance(kind, h5py.h5t.TypeCompoundID):
        grown, found = 0, []
        for i in range(kind.get_nmembers()):
            member, start = kind.get_member_type(i), kind.get_member_offset(i) + grown
            of_one, within = _references(member, size)
            found += [(start + at, each) for at, each in within]
            grown += of_one - member.get_size()  # in memory an address alone stands for a text
        return kind.get_size() + grown, found
    return kind.get_size(), []


def _referred(path: Path, name: str, array: Any) -> int:
    """Bytes of what the places of a data set refer to, such as texts, each counted wherever it is referred to."""
    import h5py

    of_one = 8 + array.file.id.get_create_plist().get_sizes()[0]  # of the length, the address, and a number
    try:
        size, places = _references(array.id.get_type(), of_one)
    except ValueError as error:
        raise InputError(f"{path}: {name!r} has {error}.") from None
    if not places:  # what else are objects, such as references to data sets
        return 0

    def counted(values: Any) -> int:
        each = np.frombuffer(values, np.uint8).reshape(-1, size)
        return sum(weight * int(each[:, at : at + 4].copy().view("<u4").sum()) for at, weight in places)

    if array.chunks is None:
        if (at := array.id.get_offset()) is None:  # in the head of the data set, and so few
            if array.dtype.names:
                return array.size * len(places) * path.stat().st_size
            return sum(len(array[place]) for place in np.ndindex(array.shape)) * places[0][1]
        with path.open("rb") as file:
            file.seek(at)
            left, total = array.size * size, 0
            while left and (part := file.read(min(left, size << 16))):
                left, total = left - len(part), total + counted(part[: len(part) // size * size])
            return total
    made = array.id.get_create_plist()
    total, into = 0, np.empty(prod(array.chunks), f"V{size}")
    with h5py.File("unpacked", "w", driver="core", backing_store=False) as file:
        space, kind = h5py.h5s.create_simple(into.shape), h5py.h5t.py_create(into.dtype)
        for i in range(array.id.get_num_chunks()):
            mask, packed = array.id.read_direct_chunk(array.id.get_chunk_info(i).chunk_offset)
            like = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            like.set_chunk(into.shape)
            for number in range(made.get_nfilters()):
                if not mask & 1 << number:  # those of which the chunk is
                    like.set_filter(*made.get_filter(number)[:3])
            one = h5py.h5d.create(file.id, None, kind, space, like)  # whose chunk holds bytes, not texts
            one.write_direct_chunk((0,), packed)
            one.read(h5py.h5s.ALL, h5py.h5s.ALL, into)
            total += counted(into)
    return total


def check_zarr(path: Path, name: str, array: Any) -> None:
    """Refuse an array of Zarr that claims a size and does not hold it, or of which a chunk unpacks to more than its
    shape says and there is room for."""
    if len(array.shape) > _AXES:
        raise InputError(
            f"{path}: {name!r} has {len(array.shape):,} axes, more than the {_AXES} that are read."
        )
    if all(array.shape) and not all(array.chunks):
        raise InputError(
            f"{path} is corrupted or no Zarr folder (chunks of {name!r} have the shape {array.chunks})."
        )
    claimed = prod(array.shape) * array.dtype.itemsize  # of any size, which its own count is not
    if claimed > memory() and array.nbytes_stored() * PACKED < claimed:
        check_room(path, claimed)
    if all(array.shape):
        _check_count(path, name, array.shape, array.chunks, lambda: _stored(path / array.path, array.shards))
    packings = [each for each in map(_packing, (*array.filters, *array.compressors)) if each in _MOST]
    if array.shards:
        packings += [_packing(each) for each in array.metadata.codecs[1:]]  # of the whole file
    most = _most(path, name, prod(array.chunks) * array.dtype.itemsize, packings)
    if not packings:
        return
    (packing,) = packings
    for file in _files(path / array.path):
        if file.stat().st_size * _MOST[packing] > most:
            for packed in _inner(file, array, path) if array.shards else [file.read_bytes()]:
                _refuse_above(most, packing, packed, path, name)


def _check_count(
    path: Path, name: str, shape: Sequence[int], chunks: Sequence[int], stored: Callable[[], int]
) -> None:
    """Refuse very many chunks of which few are there."""
    claimed = prod(-(-side // of_chunk) for side, of_chunk in zip(shape, chunks, strict=True))
    if claimed > _CHUNKS and 10 * (there := stored()) < claimed:
        raise InputError(
            f"{path}: {name!r} has {claimed:,} chunks, of which {there:,} are stored: write it in larger ones."
        )


def _files(folder: Path) -> Iterator[Path]:
    """The files of chunks of an array of Zarr."""
    for file in folder.rglob("*"):
        if file.name != "zarr.json" and not file.name.startswith(".z") and file.is_file():
            yield file


def _stored(folder: Path, sharded: Any) -> int:
    """At most how many chunks an array of Zarr has stored."""
    return sum(file.stat().st_size // _ENTRY if sharded else 1 for file in _files(folder))


def _most(path: Path, name: str, claimed: int, packings: list[str]) -> float:
    """Bytes that a chunk may unpack to."""
    check_room(path, claimed, f"numbers in each chunk of {name!r}")
    if len(packings) > 1:
        raise InputError(
            f"{path}: the chunks of {name!r} are packed twice ({', '.join(packings)}), expected once."
        )
    return max(claimed, memory() / SHARE)


def _refuse_above(most: float, packing: str, packed: bytes, path: Path, name: str) -> None:
    counted = _said(packing, packed)
    if counted is None:
        counted, parts = 0, _parts(_STREAMS[packing](packed))
        try:
            while counted <= most and (part := next(parts, b"")):
                counted += len(part)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
            return  # it is damaged, which its reader says
    if counted > most:
        raise InputError(
            f"{path} is corrupted: a chunk of {name!r} unpacks to more than {most / 1e9:.2g} GB, which is not what its "
            "shape says."
        )


def _parts(stream: _Stream) -> Iterator[bytes]:
    while part := stream.read(PART):
        yield part


def _said(packing: str, packed: bytes) -> int | None:
    """Bytes that a chunk says it unpacks to, where its reader unpacks no more than that."""
    if packing == "lz4":  # of numcodecs
        return int.from_bytes(packed[:4], "little")
    if packing == "blosc":
        return int.from_bytes(packed[4:8], "little")
    if packing != "zstd" or len(packed) < 18:
        return None
    flags = packed[4]  # RFC 8878, 3.1.1.1
    alone, dictionary, width = flags >> 5 & 1, (0, 1, 2, 4)[flags & 3], (0, 2, 4, 8)[flags >> 6]
    start = 5 + (not alone) + dictionary
    if width == 0:
        return packed[start] if alone else None
    return int.from_bytes(packed[start : start + width], "little") + 256 * (width == 2)


def _packing(codec: Any) -> str:
    """What a codec is called, in either version of Zarr."""
    about = codec.to_dict()["name"] if hasattr(codec, "to_dict") else codec.codec_id
    return str(about).removeprefix("numcodecs.")


def _inner(file: Path, array: Any, path: Path) -> Iterator[bytes]:
    """The chunks that lie in one file (a shard), by the index in it."""
    n = prod(array.shards) // prod(array.chunks)
    sharding = array.metadata.codecs[0]
    kept, *summed = [each.to_dict() for each in sharding.index_codecs]
    if kept.get("configuration") != {"endian": "little"} or [each["name"] for each in summed] not in (
        [],
        ["crc32c"],
    ):
        raise InputError(
            f"{path}: the index of {array.path!r} is written in an unusual way, expected bytes and crc32c."
        )
    size = _ENTRY * n + 4 * len(summed)
    with file.open("rb") as shard:
        place = sharding.index_location  # up to Zarr 3.3 a member of an enumeration
        if getattr(place, "value", place) == "end":
            shard.seek(-min(size, file.stat().st_size), 2)
        for start, length in (
            np.frombuffer(shard.read(_ENTRY * n)[: _ENTRY * n], "<u8").reshape(-1, 2).tolist()
        ):
            if start + length <= file.stat().st_size:  # of one that there is not, both are the largest number
                shard.seek(start)
                yield shard.read(length)
