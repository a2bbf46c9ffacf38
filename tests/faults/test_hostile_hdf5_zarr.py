"""HDF5 and Zarr that reach for other files or claim to be larger than any memory are refused in one sentence."""

import json
import os
import pickle
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import prismae as pr
from prismae.errors import InputError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of 80 numbers that no data file may show."""
    path = tmp_path / "secret"
    np.arange(80.0).tofile(path)
    return path


def test_hdf5_with_numbers_in_another_file(tmp_path: Path, secret: Path) -> None:
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (20, 4), "f8", external=[(str(secret), 0, 640)])
    with pytest.raises(InputError, match=r"mine.h5: the data of 'x' lie outside of the file"):
        pr.world(path)


def test_hdf5_that_is_put_together_from_other_files(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.arange(80.0).reshape(20, 4)
    path = tmp_path / "mine.h5"
    layout = h5py.VirtualLayout((20, 4), "f8")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "secret", (20, 4))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout)
    with pytest.raises(InputError, match="lie outside of the file"):
        pr.world(path)


def test_links_of_hdf5_to_other_files_are_not_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.arange(80.0).reshape(20, 4)
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")
    for source in (path, f"{path}:x"):
        with pytest.raises(InputError, match=r"no arrays|Unknown array"):
            pr.world(source)


def test_hdf5_that_claims_more_than_any_memory(tmp_path: Path) -> None:
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**9, 10**5), "f8", chunks=(1, 10**5))
    with pytest.raises(InputError, match=r"holds 800000 GB of numbers, and this machine has \d+ GB"):
        pr.world(path)


def test_groups_of_hdf5_that_lie_very_deep_in_each_other_and_links_that_lead_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(1000):
            group = group.create_group("g")
        group["x"] = np.arange(80.0).reshape(20, 4)
        group["again"], group["other"] = group["x"], file
    began = time.process_time()
    assert len(pr.world(path)) == 20
    assert time.process_time() - began < 1.5  # it was 3 s, and four times that of twice as many


def zarr_of(path: Path, **about: object) -> Path:
    """A Zarr folder of one array, of version 2, whose chunk is 4 × 2 numbers."""
    path.mkdir()
    usual = {
        "zarr_format": 2, "shape": [4, 2], "chunks": [4, 2], "dtype": "<f8", "compressor": None, "fill_value": 0,
        "order": "C", "filters": None,
    }  # fmt: skip
    (path / ".zarray").write_text(json.dumps(usual | about))
    (path / "0.0").write_bytes(np.arange(8.0).tobytes())
    return path


def test_zarr_whose_chunks_are_pickled_is_not_read(tmp_path: Path) -> None:
    class Mine:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    path = zarr_of(
        tmp_path / "x.zarr", dtype="|O", filters=[{"id": "pickle", "protocol": 4}], fill_value=None
    )
    (path / "0.0").write_bytes(pickle.dumps([Mine()]))
    with pytest.raises(InputError, match=r"x.zarr is corrupted or no Zarr folder"):
        pr.world(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "about",
    [{"shape": [10**9, 10**6], "chunks": [1, 10**6]}, {"chunks": [10**7, 10**6]}],
    ids=["rows", "a chunk"],
)
def test_zarr_that_claims_more_than_any_memory(tmp_path: Path, about: dict) -> None:
    with pytest.raises(InputError, match=r"x.zarr holds \d+ GB of numbers( in each chunk of .x.)?, and this"):
        pr.world(zarr_of(tmp_path / "x.zarr", **about))


def test_zarr_of_thousands_of_axes(tmp_path: Path) -> None:
    path = zarr_of(tmp_path / "x.zarr", shape=[1] * 5_000, chunks=[1] * 5_000)
    with pytest.raises(InputError, match="has 5,000 axes, more than the 64 that are read"):
        pr.world(path)


@pytest.mark.parametrize(
    "about", [{"shape": [10**15, 0], "chunks": [1, 1]}, {"chunks": [0, 2]}], ids=["rows", "chunks"]
)
def test_zarr_of_rows_or_chunks_without_values(tmp_path: Path, about: dict) -> None:
    with pytest.raises(
        InputError, match=r"none empty|x.zarr is corrupted or no Zarr folder|x.zarr: 'x' is damaged"
    ):
        pr.world(zarr_of(tmp_path / "x.zarr", **about))


@pytest.mark.parametrize(
    "about",
    [{"shape": [10**40, 2], "chunks": [10**40, 2]}, {"fill_value": "x" * 10**6}],
    ids=["a shape", "a text"],
)
def test_zarr_beyond_all_numbers_and_with_a_text_for_a_number(tmp_path: Path, about: dict) -> None:
    with pytest.raises(InputError, match=r"x.zarr (is corrupted or no Zarr folder|holds \d+ GB)") as caught:
        pr.world(zarr_of(tmp_path / "x.zarr", **about))
    assert len(str(caught.value)) < 500


def test_rows_without_values_are_not_looked_at_one_by_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.empty((10**12, 0)))
    with pytest.raises(InputError, match=r"observations of shape \(1000000000000, 0\), .* none empty"):
        pr.world(tmp_path / "x.npy")


def test_a_pipe_in_a_zarr_folder_is_not_waited_for(tmp_path: Path) -> None:
    path = zarr_of(tmp_path / "x.zarr")
    assert len(pr.world(path)) == 4
    (path / "0.0").unlink()
    os.mkfifo(path / "0.0")
    with pytest.raises(InputError, match=r"x.zarr holds 0.0, which is neither a file nor a folder"):
        pr.world(path)


def test_a_category_that_there_is_not_is_one_sentence(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.arange(80.0).reshape(20, 4)
        group = file.create_group("obs/k")
        group.attrs["encoding-type"] = "categorical"
        group["codes"], group["categories"] = np.full(20, 99), [b"a", b"b"]
    with pytest.raises(InputError, match="index 99 is out of bounds"):
        pr.world(tmp_path / "x.h5ad")
