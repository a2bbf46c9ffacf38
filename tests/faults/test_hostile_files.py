"""Files that reach for others, never end, or claim to be larger than any memory are refused in one sentence."""

import gzip
import os
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

import prismae as pr
from prismae.data import text
from prismae.errors import InputError
from prismae.runs.run import Run


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


def test_npz_that_unpacks_to_more_than_any_memory(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("x.npy", b"\x93NUMPY")
    content = path.read_bytes()
    place = content.rindex(b"PK\x01\x02")  # the directory's entry; 24 bytes on stands the size when unpacked
    path.write_bytes(content[: place + 24] + struct.pack("<I", 2**32 - 2) + content[place + 28 :])
    with zipfile.ZipFile(path) as packed:
        assert packed.infolist()[0].file_size == 2**32 - 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**15)  # 1 GB
        with pytest.raises(InputError, match="holds 4 GB of numbers, and this machine has 1 GB of memory"):
            pr.world(path)


def test_npy_that_claims_terabytes(tmp_path: Path) -> None:
    head = np.lib.format.header_data_from_array_1_0(np.zeros((1, 1)))
    path = tmp_path / "mine.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head | {"shape": (10**9, 10**6)})
    with pytest.raises(InputError, match=r"mine.npy (does not fit in memory|is corrupted)"):
        pr.world(path)


def test_npy_whose_head_is_no_python_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 64) + b"{'descr': (((" + b" " * 50 + b"\n")
    with pytest.raises(InputError, match=r"mine.npy is corrupted"):
        pr.world(path)


def test_a_text_that_unpacks_to_more_than_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_MOST_BYTES", 1_000_000)
    path = tmp_path / "mine.txt.gz"
    path.write_bytes(gzip.compress(b"a word and another\n" * 100_000))
    assert path.stat().st_size < 20_000
    with pytest.raises(InputError, match="holds over 1 MB of text"):
        pr.world(path)


TABLE = pd.DataFrame({"a": np.zeros(100_000), "b": np.arange(100_000) % 7})


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("x.csv.gz", TABLE.to_csv, "unpacks to over 0.00021 GB of text"),
        ("x.csv.bz2", TABLE.to_csv, "unpacks to over 0.00021 GB of text"),
        ("x.tsv.xz", lambda path: TABLE.to_csv(path, sep="\t"), "unpacks to over 0.00021 GB of text"),
        ("x.csv.zip", TABLE.to_csv, "unpacks to over 0.00021 GB of text"),
        ("x.parquet", TABLE.to_parquet, "holds 0 GB of values, and this machine has 0 GB"),
        ("x.xlsx", TABLE[:3_000].to_excel, "holds 0 GB of cells, and this machine has 0 GB"),
        (
            "x.mat",
            lambda path: savemat(path, {"x": TABLE.to_numpy()}, do_compression=True),
            "holds 0 GB of numbers",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("x.") else "",
)
def test_a_table_that_unpacks_to_more_than_there_is_memory(tmp_path, monkeypatch, name, write, said):
    path = tmp_path / name
    write(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**10)  # 1 MB
        with pytest.raises(InputError, match=said):
            pr.world(path)
    if name.startswith(("x.csv.gz", "x.mat")):
        assert len(pr.world(path)) == len(TABLE)


@pytest.mark.parametrize(
    "name", ["x.csv.gz", "x.csv.bz2", "x.csv.xz", "x.csv.zip", "x.xlsx", "x.parquet", "x.mat"]
)
def test_what_is_not_packed_as_its_name_says_is_one_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"a,b\n1,2\n3,4\n" * 50)
    with pytest.raises(InputError, match=name):
        pr.world(tmp_path / name)


@pytest.mark.parametrize("name", ["mine.npy", "mine.csv", "mine.txt", "mine.h5", "mine.parquet"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        pr.world(tmp_path / name)


def test_a_pipe_among_images_is_no_image(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / f"{i}.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "labels.csv")
    assert len(pr.world(tmp_path)) == 3


def test_images_are_not_scaled_to_more_than_is_held(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "0.png")
    with pytest.raises(InputError, match="size should be less than or equal to 4096, got 100000"):
        pr.world(tmp_path, size=100_000)


def test_a_pipe_in_a_run_folder_is_a_missing_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.json")
    with pytest.raises(InputError, match=r"job.json is missing"):
        _ = Run(tmp_path).job
