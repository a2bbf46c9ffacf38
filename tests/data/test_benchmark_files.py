"""3D Shapes, MPI3D, Cars3D, SmallNORB, Falcor3D, Isaac3D, from small files of the official layouts."""

from __future__ import annotations

import gzip
import hashlib
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from prismae.data import World, files, world
from prismae.data.storage import Dense
from prismae.data.worlds import mpi3d, shapes3d, smallnorb
from prismae.errors import InputError


def bytes_of(made: World) -> np.ndarray:
    assert isinstance(made.data, Dense)
    return made.data.values.numpy()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMAE_DATA", str(tmp_path))
    monkeypatch.setattr(files, "user_cache", lambda: tmp_path / "cache")
    return tmp_path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_shapes3d(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = pytest.importorskip("h5py")
    values = (
        (0, 0.9),
        (0.1, 0.2),
        (0.5, 0.6),
        (0.75, 1.25),
        (0, 1, 2, 3),
        (-30, 0, 30),
    )
    labels = np.array(list(product(*values)), float)
    images = np.zeros((len(labels), 64, 64, 3), np.uint8)
    images[:, 0, 0, 1] = np.arange(len(labels))
    path = folder / "shapes3d" / "3dshapes.h5"
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file["images"], file["labels"] = images, labels
    monkeypatch.setattr(shapes3d, "SHA256", sha256(path))
    made = world("shapes3d")
    assert (len(made), made.shape, made.factor_sizes) == (192, (3, 64, 64), (2, 2, 2, 2, 4, 3))
    np.testing.assert_array_equal(bytes_of(made)[:, 1, 0, 0], np.arange(192))
    assert made.factors is not None
    np.testing.assert_array_equal(
        np.ravel_multi_index(tuple(made.factors.T), made.factor_sizes), np.arange(192)
    )
    assert made.source == "3D Shapes, 192 of 480,000 images"
    assert (folder / "shapes3d" / "images_64x64.npy").is_file()
    with h5py.File(path, "w") as file:
        file["images"] = images
    monkeypatch.setattr(shapes3d, "SHA256", sha256(path))
    with pytest.raises(InputError, match=r"no file of 3D Shapes: expected images .* and labels"):
        world("shapes3d")


SMALL = (3, 2, 2, 3, 3, 4, 4)


def test_mpi3d(folder: Path) -> None:
    n = int(np.prod(SMALL))
    images = np.zeros((n, 64, 64, 3), np.uint8)
    images[:, 1, 2, 0], images[:, 1, 2, 2] = np.arange(n) % 256, np.arange(n) // 256
    path = folder / "mpi3d" / "mpi3d_toy.npz"
    path.parent.mkdir()
    np.savez_compressed(path, images=images)
    made = mpi3d.read(path, "toy", SMALL)
    assert (len(made), made.shape, made.factor_sizes) == (n, (3, 64, 64), SMALL)
    found = bytes_of(made)[:, :, 1, 2].astype(int)
    np.testing.assert_array_equal(found[:, 0] + 256 * found[:, 2], np.arange(n))
    with pytest.raises(InputError, match=r"expected uint8 \(1036800, 64, 64, 3\)"):
        world("mpi3d:toy")
    with pytest.raises(InputError, match=r"mpi3d_real\.npz is not in .*mpi3d: fetch it by hand"):
        world("mpi3d")
    with pytest.raises(InputError, match="has no split 'nice'"):
        world("mpi3d:nice")


def test_the_sizes_of_mpi3d_are_those_of_the_files_of_today() -> None:
    """Old releases of toy and realistic had four colours and shapes."""
    assert [np.prod(mpi3d.SIZES[split]) for split in ("real", "realistic", "toy")] == [1_036_800] * 3
    assert np.prod(mpi3d.SIZES["complex"]) == 460_800


def test_cars3d(folder: Path) -> None:
    home = folder / "cars3d" / "data" / "cars"
    home.mkdir(parents=True)
    names = ("car_b", "car_c", "car_a")
    for i, name in enumerate(names):
        im = np.empty((16, 16, 3, 24, 4), np.uint8)
        for a, e in product(range(24), range(4)):
            im[..., a, e] = 60 * i + 2 * a + e
        savemat(home / f"{name}.mat", {"im": im})
    made = world("cars3d")
    assert (len(made), made.shape, made.factor_sizes) == (4 * 24 * 3, (3, 64, 64), (4, 24, 3))
    assert made.factors is not None
    e, a, i = made.factors.T
    order = np.array([2, 0, 1])  # car_a, car_b, car_c
    np.testing.assert_array_equal(bytes_of(made)[:, 1, 30, 30], 60 * order[i] + 2 * a + e)
    assert made.source == "Cars3D, 3 of 183 types"
    (home / "list.txt").write_text("\n".join(names) + "\n")
    (folder / "cars3d" / "images_64x64.npy").unlink()
    np.testing.assert_array_equal(bytes_of(world("cars3d"))[:, 1, 30, 30], 60 * i + 2 * a + e)
    savemat(home / "car_a.mat", {"im": np.zeros((16, 16, 3, 2, 2), np.uint8)})
    (folder / "cars3d" / "images_64x64.npy").unlink()
    with pytest.raises(InputError, match=r"car_a\.mat holds uint8 \(16, 16, 3, 2, 2\)"):
        world("cars3d")


def matrix(array: np.ndarray) -> bytes:
    """The files' format, with at least three dimensions."""
    magic = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54}[array.dtype.name]
    dims = [*array.shape, *[1] * (3 - array.ndim)]
    return np.array([magic, array.ndim, *dims], "<i4").tobytes() + array.tobytes()


def norb(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    info = {}
    (folder / "smallnorb").mkdir()
    sums: dict[str, dict[str, str]] = {}
    for part, instances in (("train", (4, 6)), ("test", (0, 1))):
        rows = np.array(list(product(range(2), instances, (0, 8), (0, 34), (0, 5))), np.int32)
        dat = np.zeros((len(rows), 2, 96, 96), np.uint8)
        dat[:, 0] = (200 + np.arange(len(rows)))[:, None, None]  # beyond 127: bytes without a sign
        contents = {"dat": dat, "cat": rows[:, 0].copy(), "info": rows[:, 1:].copy()}
        sums[part] = {}
        for what, array in contents.items():
            path = folder / "smallnorb" / f"{smallnorb.STEMS[part]}-{what}.mat.gz"
            path.write_bytes(gzip.compress(matrix(array)))
            sums[part][what] = sha256(path)
        info[part] = rows
    monkeypatch.setattr(smallnorb, "SHA256", sums)
    return info


def test_smallnorb(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = norb(folder, monkeypatch)
    made, train, test = world("smallnorb"), world("smallnorb:train"), world("smallnorb:test")
    assert (len(made), made.shape, made.factor_sizes) == (64, (1, 64, 64), (2, 2, 2, 2))
    assert made.factors is not None
    both = np.concatenate([rows["train"], rows["test"]])
    np.testing.assert_array_equal(
        made.factors, np.column_stack([both[:, 0], both[:, 2], both[:, 3] // 2, both[:, 4]])
    )
    np.testing.assert_array_equal(bytes_of(train)[:, 0, 5, 5], 200 + np.arange(32))
    assert torch.equal(made.data[torch.arange(32, 64)], test.data[torch.arange(32)])
    assert made.source == "SmallNORB, 64 of 48,600 images"
    assert test.name == "smallnorb:test"


def test_a_damaged_matrix_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.mat.gz"
    for content in (
        b"no gzip",
        gzip.compress(b"1234" * 8),
        gzip.compress(matrix(np.zeros((2, 3), np.uint8))[:-1]),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match="corrupted or no matrix of SmallNORB"):
            smallnorb.read_matrix(path)
    path.write_bytes(gzip.compress(matrix(np.arange(5, dtype=np.int32))))
    np.testing.assert_array_equal(smallnorb.read_matrix(path), np.arange(5))


@pytest.mark.parametrize(
    ("name", "place", "labels", "k", "whole"),
    [
        ("falcor3d", "Falcor3D_down128", "train-rec.labels", 7, 233_280),
        ("isaac3d", "Isaac3D_down128", "labels.npy", 9, 737_280),
    ],
)
def test_numbered_images(folder: Path, name: str, place: str, labels: str, k: int, whole: int) -> None:
    home = folder / name / place
    (home / "images").mkdir(parents=True)
    values = np.stack([np.arange(12) // (2 if i else 1) / 10 for i in range(k)], axis=1)
    with (home / labels).open("wb") as file:
        np.save(file, values)
    for i in range(12):
        Image.fromarray(np.full((16, 16, 3), [20 * i, 0, 5], np.uint8)).save(home / "images" / f"{i:06d}.png")
    made = world(name)
    assert (len(made), made.shape, made.factor_sizes) == (12, (3, 64, 64), (12, *[6] * (k - 1)))
    np.testing.assert_array_equal(bytes_of(made)[:, 0, 9, 9], 20 * np.arange(12))
    assert made.source.endswith(f"12 of {whole:,} images")
    (home / "images" / "000011.png").unlink()
    with pytest.raises(InputError, match="holds 11 images and 12 labels"):
        world(name)
    (home / labels).unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        world(name)


def test_the_grids_of_the_official_files_are_whole() -> None:
    assert np.prod((5, 6, 6, 6, 6, 6, 6)) == 233_280
    assert np.prod((3, 8, 5, 4, 4, 4, 6, 4, 4)) == 737_280


@pytest.mark.parametrize("name", ["cars3d", "falcor3d", "isaac3d"])
def test_what_has_to_be_fetched_says_from_where(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"is not in .*: fetch .* by hand"):
        world(name)
