"""Files of every format that are cut off, overwritten or lack bytes: data, or one sentence that names the file."""

from __future__ import annotations

import errno
import os
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
import zarr
from PIL import Image
from scipy import sparse
from scipy.io import savemat

import prismae as pr
from prismae.errors import InputError

RNG = np.random.default_rng(0)
X, CLASSES = RNG.normal(size=(60, 6)), RNG.integers(0, 3, 60)
IMAGES = RNG.integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)
MATRIX = sparse.csr_matrix(X * (X > 0))
TABLE = pd.DataFrame(X, columns=list("abcdef")).assign(word=[f"w{i}" for i in CLASSES])


def hdf5(path: Path, **how: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=X, **how)
        file["factors"] = CLASSES


def zarr_array(path: Path, **how: object) -> None:
    zarr.create_array(path, shape=X.shape, dtype="f8", **{"chunks": (20, 6), **how})[:] = X


def sparse_group(group: h5py.Group | zarr.Group) -> None:
    group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", list(MATRIX.shape)
    for name in ("data", "indices", "indptr"):
        values = getattr(MATRIX, name)
        group.create_array(name, data=values) if isinstance(group, zarr.Group) else group.create_dataset(
            name, data=values
        )


def anndata(path: Path) -> None:
    with h5py.File(path, "w") as file:
        sparse_group(file.create_group("X"))


def frames(path: Path, **how: object) -> None:
    first, *others = (Image.fromarray(image) for image in IMAGES)
    first.save(path, save_all=True, append_images=others, **how)


def folder(suffix: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.mkdir()
        for i, image in enumerate(IMAGES):
            Image.fromarray(image).save(path / f"{i}.{suffix}")

    return write


def sounds(path: Path) -> None:
    path.mkdir()
    for i in range(3):
        with wave.open(str(path / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((1000 * RNG.normal(size=400)).astype("<i2").tobytes())


WRITTEN: dict[str, Callable[[Path], object]] = {
    "x.csv": lambda path: TABLE.to_csv(path, index=False),
    "x.csv.gz": lambda path: TABLE.to_csv(path, index=False),
    "x.csv.xz": lambda path: TABLE.to_csv(path, index=False),
    "x.csv.zip": lambda path: TABLE.to_csv(path, index=False),
    "x.xlsx": lambda path: TABLE.to_excel(path, index=False),
    "x.npy": lambda path: np.save(path, X),
    "x.npz": lambda path: np.savez_compressed(path, x=X, factors=CLASSES),
    "sparse.npz": lambda path: sparse.save_npz(path, MATRIX),
    "x.mat": lambda path: savemat(path, {"x": X, "s": MATRIX}, do_compression=True),
    "x.h5": hdf5,
    "packed.h5": lambda path: hdf5(path, chunks=(20, 6), compression="gzip", shuffle=True, fletcher32=True),
    "lzf.h5": lambda path: hdf5(path, chunks=(20, 6), compression="lzf"),
    "x.h5ad": anndata,
    "x.zarr": zarr_array,
    "second.zarr": lambda path: zarr_array(path, zarr_format=2),
    "plain.zarr": lambda path: zarr_array(path, compressors=None),
    "shards.zarr": lambda path: zarr_array(path, chunks=(10, 6), shards=(20, 6)),
    "sparse.zarr": lambda path: sparse_group(zarr.open_group(path, mode="w").create_group("X")),
    "x.tif": lambda path: tifffile.imwrite(path, IMAGES[..., 0]),
    "packed.tif": lambda path: tifffile.imwrite(path, IMAGES, compression="zlib", photometric="rgb"),
    "x.gif": frames,
    "x.webp": lambda path: frames(path, lossless=True),
    **{suffix: folder(suffix) for suffix in ("png", "jpg", "bmp", "tif")},
    "sounds": sounds,
}


def damaged(good: bytes, rng: np.random.Generator) -> bytes:
    """A file's bytes cut off, with a bit flipped, some overwritten, or some missing."""
    n = len(good)
    at = int(rng.integers(min(n, 600) if rng.random() < 0.3 else n))  # heads are short and matter most
    some = min(n - at, int(rng.integers(1, 17)))
    return [
        good[:at],
        good[:at] + bytes([good[at] ^ 1 << int(rng.integers(8))]) + good[at + 1 :],
        good[:at] + rng.bytes(some) + good[at + some :],
        good[:at] + b"\xff" * some + good[at + some :],
        good[:at] + good[at + some :],
    ][rng.integers(5)]


def tried(path: Path, times: int) -> None:
    """Damages one file of a data set at a time, and reads the whole."""
    rng = np.random.default_rng(1)
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for _ in range(times):
        file = files[rng.integers(len(files))]
        good = file.read_bytes()
        file.write_bytes(damaged(good, rng))
        try:
            data = pr.world(path).data
            data[torch.arange(len(data))]
        except InputError as error:
            said = str(error)
            assert path.stem in said, said
            assert len(said) < 1000, said
        file.write_bytes(good)
    assert len(pr.world(path)) > 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITTEN)
def test_damaged_data_are_one_sentence_or_data(tmp_path: Path, name: str) -> None:
    WRITTEN[name](tmp_path / name)
    tried(tmp_path / name, 8)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITTEN)
def test_data_damaged_in_hundreds_of_ways(tmp_path: Path, name: str) -> None:
    WRITTEN[name](tmp_path / name)
    tried(tmp_path / name, 300)


@pytest.mark.parametrize(
    "name", ["packed.h5", "x.h5ad", "x.zarr", "second.zarr", "shards.zarr", "sparse.zarr"]
)
def test_rows_that_are_damaged_while_they_are_read_name_their_file(tmp_path: Path, name: str) -> None:
    """Heads are whole, so that it shows only when the rows are read."""
    path = tmp_path / name
    WRITTEN[name](path)
    if path.is_dir():
        chunks = [
            each
            for each in path.rglob("*")
            if each.is_file() and "zarr" not in each.name and each.name[0] != "."
        ]
        largest = max(chunks, key=lambda each: each.stat().st_size)
        largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    else:
        with h5py.File(path, "r+") as file:
            array = file["x"] if "x" in file else file["X/data"]
            if array.chunks:
                array.id.write_direct_chunk((0, 0), b"\0" * 100)
            else:
                del file["X/data"]
                file.create_dataset("X/data", data=MATRIX.data, chunks=(10,), compression="gzip")
                file["X/data"].id.write_direct_chunk((0,), b"\0" * 20)
    with pytest.raises(InputError, match=rf"{path.name}.* is damaged"):
        pr.world(path)


@contextmanager
def free_descriptors(count: int) -> Iterator[None]:
    """A process that can open so many files more."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.dup(0)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 64, hard))
    try:
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            for _ in range(count):
                os.close(taken.pop())
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITTEN)
def test_too_many_open_files_are_no_damage(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITTEN[name](path)

    def read() -> None:
        data = pr.world(path).data
        data[torch.arange(len(data))]

    read()  # what is imported needs descriptors, too
    for free in range(3):
        try:
            with free_descriptors(free):
                read()
        except OSError as error:
            assert error.errno == errno.EMFILE  # noqa: PT017
            assert path.stem in str(error.filename)  # noqa: PT017
        else:
            assert free
