"""Chunks of arrays that unpack to more than they say, and files of more frames than anybody reads: one sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from scipy.io import savemat
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

import prismae as pr
from prismae.data import chunks, frames, matlab_claims
from prismae.data.chunks import _referred
from prismae.data.frames import count_frames
from prismae.errors import InputError

MEMORY = 40_000_000  # bytes that this machine is said to have
LIE = bytes(30_000_000)  # what stands in a chunk of 4,000 bytes: more than a quarter of them
SAID = r"is corrupted: a chunk of '{}' unpacks to more than 0.01 GB, which is not what its shape says"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "memory", lambda: MEMORY)
    monkeypatch.setattr(matlab_claims, "memory", lambda: MEMORY)
    monkeypatch.setattr("prismae._files.memory", lambda: MEMORY)


def hdf5(path: Path, **how: object) -> Path:
    """A file of an array [100, 10] that is kept in one chunk."""
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "x", data=np.random.default_rng(0).normal(size=(100, 10)), chunks=(100, 10), **how
        )
    return path


@pytest.mark.parametrize("how", [{}, {"shuffle": True, "fletcher32": True}], ids=["packed", "and shuffled"])
def test_a_chunk_of_hdf5(tmp_path: Path, how: dict) -> None:
    path = hdf5(tmp_path / "x.h5", compression="gzip", **how)
    assert len(pr.world(path)) == 100
    with h5py.File(path, "r+") as file:
        file["x"].id.write_direct_chunk((0, 0), zlib.compress(LIE))
    with pytest.raises(InputError, match=SAID.format("x")):
        pr.world(path)


def test_a_chunk_of_a_sparse_matrix_in_hdf5_and_one_that_lies_elsewhere(tmp_path: Path) -> None:
    path, other = tmp_path / "x.h5ad", tmp_path / "other"
    np.arange(100.0).tofile(other)
    for lying in (True, False):
        with h5py.File(path, "w") as file:
            group = file.create_group("X")
            group.attrs["shape"] = (4, 100)
            group["indptr"], group["indices"] = np.array([0, 25, 50, 75, 100]), np.arange(100)
            if lying:
                data = group.create_dataset("data", (100,), "f8", chunks=(100,), compression="gzip")
                data.id.write_direct_chunk((0,), zlib.compress(LIE))
            else:
                group.create_dataset("data", (100,), "f8", external=[(str(other), 0, 800)])
        said = SAID.format("X/data") if lying else "the data of 'X/data' lie outside of the file"
        with pytest.raises(InputError, match=said):
            pr.world(path)


def test_a_chunk_of_hdf5_that_is_packed_twice(tmp_path: Path) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((100, 10))
    made.set_deflate(9)
    made.set_deflate(9)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((100, 10)), made)
    with pytest.raises(
        InputError, match=r"the chunks of 'x' are packed twice \(deflate, deflate\), expected once"
    ):
        pr.world(tmp_path / "x.h5")


@pytest.mark.parametrize("sharded", [False, True], ids=["", "sharded"])
@pytest.mark.parametrize("codec", [GzipCodec(), ZstdCodec(), BloscCodec()], ids=["gzip", "zstd", "blosc"])
def test_a_chunk_of_zarr(tmp_path: Path, codec: object, sharded: bool) -> None:
    good, large = (tmp_path / name for name in ("x.zarr", "large.zarr"))
    about = {
        "chunks": (50, 10),
        "shards": (100, 10) if sharded else None,
        "dtype": "f8",
        "compressors": codec,
    }
    zarr.create_array(good, shape=(100, 10), **about)[:] = np.random.default_rng(0).normal(size=(100, 10))
    assert len(pr.world(good)) == 100
    big = {**about, "chunks": (50, 75_000), "shards": (100, 75_000) if sharded else None}
    zarr.create_array(large, shape=(100, 75_000), **big)[:] = 1.0  # chunks of 30 MB
    for file in (large / "c").rglob("*"):
        if file.is_file():
            (good / file.relative_to(large)).write_bytes(file.read_bytes())
    with pytest.raises(InputError, match=SAID.format("x")):
        pr.world(good)


@pytest.mark.parametrize(
    "how", [{}, {"chunks": (1000,)}, {"chunks": (1000,), "compression": "gzip"}], ids=str
)
def test_a_text_of_hdf5_to_which_many_places_refer(tmp_path: Path, how: dict) -> None:
    path, n = tmp_path / "x.h5", 5000
    with h5py.File(path, "w") as file:
        file["x"] = np.random.default_rng(0).normal(size=(n, 3))
        names = file.create_dataset(
            "factors", data=["y" * 10_000, *["a"] * (n - 1)], dtype=h5py.string_dtype(), **how
        )
        at = names.id.get_offset() if not how else None
        for start in range(0, n, 1000) if how else ():
            mask, first = names.id.read_direct_chunk((0,))
            first = zlib.decompress(first) if "compression" in how else first
            chunk = first[:16] * 1000
            names.id.write_direct_chunk(
                (start,), zlib.compress(chunk) if "compression" in how else chunk, mask
            )
    if at:
        content = path.read_bytes()
        path.write_bytes(content[:at] + content[at : at + 16] * n + content[at + 16 * n :])
    with h5py.File(path) as file:
        assert [len(each) for each in file["factors"][[0, 999, 1000, n - 1]]] == [10_000] * 4
    with pytest.raises(
        InputError, match="holds 0 GB of texts in 'factors', as they are read, and this machine"
    ):
        pr.world(path)


TEXT = h5py.string_dtype()
RECORDS: dict[str, list] = {
    "a text": [("a", "f4"), ("t", TEXT), ("b", "i2")],
    "texts": [("a", "f4"), ("t", TEXT, (2, 3))],
    "a record within": [("a", TEXT), ("r", [("b", "i1"), ("t", TEXT)])],
    "numbers": [("a", "f4"), ("t", h5py.vlen_dtype(np.float64))],
}


@pytest.mark.parametrize("packed", [{}, {"chunks": (100,), "compression": "gzip", "shuffle": True}], ids=str)
@pytest.mark.parametrize("kind", RECORDS)
def test_texts_in_records_of_hdf5_are_counted_wherever_they_are_referred_to(
    tmp_path: Path, kind: str, packed: dict
) -> None:
    path, dtype = tmp_path / "x.h5", np.dtype(RECORDS[kind])

    def value(kind: np.dtype) -> object:
        if kind.names:
            return tuple(value(kind[name]) for name in kind.names)
        if kind.subdtype:
            return np.full(kind.shape, "four", object)
        if kind.hasobject:
            return "four" if h5py.check_string_dtype(kind) else np.zeros(3)
        return 1

    with h5py.File(path, "w") as file:
        made = file.create_dataset("x", (250,), dtype, **packed)
        for i in range(250):
            made[i] = value(dtype)
    with h5py.File(path) as file:
        counted = _referred(path, "x", file["x"])
    assert counted == 250 * {"a text": 4, "texts": 6 * 4, "a record within": 2 * 4, "numbers": 3 * 8}[kind]


def test_references_to_data_sets_are_no_texts(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.random.default_rng(0).normal(size=(30, 3))
        file["#refs#"] = np.array([file["x"].ref] * 5, h5py.ref_dtype)
        assert _referred(tmp_path / "x.h5", "#refs#", file["#refs#"]) == 0
    assert len(pr.world(tmp_path / "x.h5:x")) == 30


def test_a_text_to_which_many_records_refer(tmp_path: Path) -> None:
    path, n = tmp_path / "x.h5", 5000
    dtype = np.dtype([("a", "f4"), ("t", TEXT)])
    with h5py.File(path, "w") as file:
        made = file.create_dataset("x", (n,), dtype)
        made[:] = np.array([(i, "y" * 10_000 if i == 0 else "b") for i in range(n)], dtype)
        at = made.id.get_offset()
    content = bytearray(path.read_bytes())
    size = 4 + 16
    for i in range(n):
        content[at + i * size + 4 : at + (i + 1) * size] = content[at + 4 : at + size]
    path.write_bytes(content)
    with h5py.File(path) as file:
        assert len(file["x"][n - 1]["t"]) == 10_000
    with pytest.raises(InputError, match="holds 0 GB of texts in 'x', as they are read, and this machine"):
        pr.world(path)


def test_an_attribute_of_hdf5_whose_texts_are_one_that_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["x"] = np.random.default_rng(0).normal(size=(100, 3))
        file["x"].attrs.create("scale_factor", ["2"] * 4_000, dtype=TEXT)
        file["x"].attrs.create("add_offset", 5.0)
    read: list[str] = []
    get = h5py.AttributeManager.__getitem__
    monkeypatch.setattr(
        h5py.AttributeManager, "__getitem__", lambda me, name: read.append(name) or get(me, name)
    )
    assert len(pr.world(path)) == 100
    assert "add_offset" in read
    assert "scale_factor" not in read


@pytest.mark.parametrize("how", ["HDF5", "Zarr", "shards"])
def test_many_chunks_that_are_not_there(tmp_path: Path, how: str) -> None:
    path, n = tmp_path / ("x.h5" if how == "HDF5" else "x.zarr"), 2_000_000
    if how == "HDF5":
        with h5py.File(path, "w") as file:
            file.create_dataset("x", (n, 2), "f4", chunks=(1, 2))
    else:
        shards = (n // 2, 2) if how == "shards" else None
        zarr.create_array(path, shape=(n, 2), dtype="f4", chunks=(1, 2), shards=shards)
    with pytest.raises(
        InputError, match=r"'x' has 2,000,000 chunks, of which 0 are stored: write it in larger"
    ):
        pr.world(path)


@pytest.mark.parametrize(
    ("shape", "said"),
    [((4, 100), r"indptr has shape \(8000001,\)"), ((8_000_000, 100), "holds 0 GB of numbers in X/indptr")],
    ids=["of indptr", "of both"],
)
def test_shapes_of_a_sparse_matrix_in_zarr_that_lie(
    tmp_path: Path, shape: tuple, said: str, monkeypatch
) -> None:
    group = zarr.open_group(tmp_path / "x.zarr", mode="w").create_group("X")
    group.attrs.update({"encoding-type": "csr_matrix", "shape": shape})
    group.create_array("data", data=np.ones(100))
    group.create_array("indices", data=np.arange(100))
    # as int32 it has room, and as the int64 that it becomes it has none
    group.create_array("indptr", shape=(8_000_001,), dtype="i4", chunks=(1000,))
    monkeypatch.setattr(np, "asarray", lambda *_, **__: pytest.fail("it is read"))
    with pytest.raises(InputError, match=said):
        pr.world(tmp_path / "x.zarr")


def test_a_chunk_of_the_second_version_of_zarr(tmp_path: Path) -> None:
    path = tmp_path / "x.zarr"
    made = zarr.create_array(path, shape=(100, 10), chunks=(100, 10), dtype="f8", zarr_format=2)
    made[:] = np.random.default_rng(0).normal(size=(100, 10))
    assert len(pr.world(path)) == 100
    (path / "0.0").write_bytes(ZSTD_OF_UNKNOWN_SIZE)
    with pytest.raises(InputError, match=SAID.format("x")):
        pr.world(path)


# a frame of zstd that does not say its size (RFC 8878): 300 blocks of 128 kB, each one byte that is repeated
_BLOCK = (128 << 10) << 3 | 1 << 1
ZSTD_OF_UNKNOWN_SIZE = b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(
    (_BLOCK | (i == 299)).to_bytes(3, "little") + b"\0" for i in range(300)
)


def test_a_variable_of_matlab(tmp_path: Path) -> None:
    path = tmp_path / "x.mat"
    savemat(path, {"x": np.random.default_rng(0).normal(size=(100, 10))}, do_compression=True)
    assert len(pr.world(path)) == 100
    content = path.read_bytes()
    (length,) = struct.unpack("<I", content[132:136])
    element = zlib.decompress(content[136 : 136 + length])
    packed = zlib.compress(element + bytes(2 * MEMORY))
    path.write_bytes(content[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(InputError, match=r"x.mat holds 0 GB of numbers, and this machine has 0 GB of memory"):
        pr.world(path)


def test_what_could_not_unpack_to_much_is_not_unpacked_twice(tmp_path: Path, monkeypatch) -> None:
    path = hdf5(tmp_path / "x.h5", compression="gzip")
    monkeypatch.setattr(chunks, "memory", lambda: 10**9)
    monkeypatch.setattr(chunks, "_refuse_above", None)
    assert len(pr.world(path)) == 100


def moving(path: Path, n: int, **how: object) -> Path:
    """A file of n frames, each another."""
    rng = np.random.default_rng(0)
    made = [Image.fromarray(rng.integers(0, 256, (9, 8), np.uint8)) for _ in range(n)]
    made[0].save(path, save_all=True, append_images=made[1:], **how)
    return path


@pytest.mark.parametrize("name", ["x.gif", "x.tif", "x.png", "x.webp"])
def test_frames_are_counted_before_they_are_looked_at(tmp_path: Path, monkeypatch, name: str) -> None:
    path = moving(tmp_path / name, 7)
    assert len(pr.world(path)) == 7
    monkeypatch.setattr(frames, "MOST_FRAMES", 6)
    monkeypatch.setattr(Image.Image, "seek", None)
    with pytest.raises(
        InputError, match=r"has more than 6 frames.* save it as one array \[n, h, w\] \(.npy\)"
    ):
        pr.world(path)


@pytest.mark.parametrize("how", [{"byteorder": ">"}, {"bigtiff": True}, {"compression": "zlib"}], ids=str)
def test_pages_of_every_tiff_are_counted_as_pillow_does(tmp_path: Path, monkeypatch, how: dict) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.zeros((5, 9, 8), "u2"), photometric="minisblack", **how)
    with Image.open(path) as image:
        assert count_frames(path, image) == 5
        monkeypatch.setattr(frames, "MOST_FRAMES", 4)
        with pytest.raises(InputError, match="more than 4 frames"):
            count_frames(path, image)
