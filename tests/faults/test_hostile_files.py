"""Files that reach for others, never end, or claim to be larger than any memory are refused in one sentence."""

import os
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from peak import peak
from PIL import Image
from scipy.io import savemat

import prismae as pr
from prismae.data.files import check_names
from prismae.errors import InputError
from prismae.runs.run import Run


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


@pytest.mark.parametrize("kind", ["csc", "coo", "dia"])
def test_a_sparse_matrix_of_more_columns_than_can_be_counted(tmp_path: Path, kind: str) -> None:
    path, parts = tmp_path / "x.npz", {"data": np.ones((1, 3) if kind == "dia" else 3), "offsets": [0]}
    parts |= {name: np.arange(3) for name in ("row", "col", "indices")} | {"indptr": np.array([0, 1, 2, 3])}
    np.savez(path, format=kind.encode(), shape=(10**14, 3), **parts)
    with pytest.raises(InputError, match=r"x.npz holds 800000 GB of rows and columns, and this machine has"):
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


TABLE = pd.DataFrame({"a": np.zeros(20), "b": np.arange(20) % 7})


@pytest.mark.parametrize(
    "name",
    ["x.npy", "x.npz", "x.csv", "x.txt", "x.h5", "x.parquet", "x.png", "x.tif", "x.wav", "x.mat", "x.zarr"],
)
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        pr.world(tmp_path / name)


def test_a_pipe_in_a_run_folder_is_a_missing_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.json")
    with pytest.raises(InputError, match=r"job.json is missing"):
        _ = Run(tmp_path).job


def test_a_structure_of_matlab_that_claims_more_entries_than_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "x.mat"
    savemat(path, {"s": {"f": 1.0}})
    sides = struct.pack("<2i", 1, 1)
    content = path.read_bytes()
    at = content.index(sides, 144)  # behind the head and the class of the first variable
    path.write_bytes(content[:at] + struct.pack("<2i", 30_000, 30_000) + content[at + 8 :])
    before = peak()
    with pytest.raises(InputError, match=r"x.mat is corrupted .*\(900,000,000 entries are claimed"):
        pr.world(path)
    assert peak() - before < 10**8


def in_heads(path: Path, place: int, bits: int) -> None:
    """Set bits in the head of each file in a .zip, and in its entry of the directory."""
    content = bytearray(path.read_bytes())
    for sign, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = content.find(sign)
        while at >= 0:
            content[at + place + shift] |= bits
            at = content.find(sign, at + 1)
    path.write_bytes(content)


def as_encrypted(path: Path) -> None:
    """Say of each file in a .zip that it is encrypted."""
    in_heads(path, 6, 1)


def as_packed_otherwise(path: Path) -> None:
    """Say of each file in a .zip that it is packed in a way that nobody knows."""
    in_heads(path, 8, 97)


def as_empty(path: Path) -> None:
    """A .zip without files."""
    with zipfile.ZipFile(path, "w"):
        pass


@pytest.mark.parametrize("change", [as_encrypted, as_packed_otherwise, as_empty])
@pytest.mark.parametrize("name", ["x.npz", "x.csv.zip", "x.xlsx"])
def test_what_is_packed_and_cannot_be_unpacked_is_one_sentence(tmp_path, name, change):
    path = tmp_path / name
    if name == "x.npz":
        np.savez(path, x=TABLE.to_numpy())
    else:
        (TABLE.to_csv if name == "x.csv.zip" else TABLE.to_excel)(path)
    change(path)
    with pytest.raises(InputError, match=name):
        pr.world(path)


def test_names_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for name in (b"caf\xe9", b"the"):
        inside = os.fsdecode(os.fsencode(folder) + b"/" + name)
        os.makedirs(inside)
        for i in range(2):
            Image.fromarray(np.full((8, 8), 20 * i, np.uint8)).save(f"{inside}/{i}.png")
    with pytest.raises(
        InputError, match=r"photos/caf\\xe9/0.png and 1 more is no UTF-8, expected another name"
    ):
        pr.world(folder)
    other = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.csv")
    TABLE.to_csv(other)
    with pytest.raises(InputError, match=r"\\xe9.csv is no UTF-8"):
        pr.world(other)


def test_a_name_in_utf_8_where_names_are_in_ascii_is_told_with_what_helps() -> None:
    path = Path("t\udcc3\udca4b.csv")  # as Python in an ASCII locale reads it
    with pytest.raises(
        InputError, match=r"täb\.csv cannot be used where file names are in ASCII: set PYTHON"
    ):
        check_names([path])


INDICES = {"beyond": [10**6, 1, 2], "below": [-7, 1, 2], "none": [[0, 1, 2]]}


@pytest.mark.parametrize("how", ["csr", "csc"])
@pytest.mark.parametrize("indices", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("kind", ["npz", "h5ad"])
def test_indices_of_a_sparse_matrix_that_lead_out_of_it_are_not_followed(tmp_path, how, indices, kind):
    starts = np.array([0, 1, 2, 3])
    if kind == "npz":
        np.savez(
            tmp_path / "x.npz",
            format=how.encode(),
            shape=[3, 3],
            data=np.ones(3),
            indices=indices,
            indptr=starts,
        )
    else:
        with h5py.File(tmp_path / "x.h5ad", "w") as file:
            group = file.create_group("X")
            group.attrs["shape"], group.attrs["encoding-type"] = [3, 3], f"{how}_matrix"
            group["data"], group["indices"], group["indptr"] = np.ones(3), indices, starts
    with pytest.raises(InputError, match=r"(sparse matrix|x.h5ad) is damaged|is corrupted"):
        pr.world(tmp_path / f"x.{kind}")


def test_a_sparse_matrix_that_claims_more_rows_than_it_has_is_one_sentence(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        group = file.create_group("X")
        group.attrs["shape"] = [10**9, 10**9]
        group["data"], group["indices"], group["indptr"] = np.ones(3), [1, 2, 3], [0, 3]
    with pytest.raises(InputError, match=r"'X' is no sparse matrix of shape \(1000000000, 1000000000\)"):
        pr.world(tmp_path / "x.h5ad")


@pytest.mark.parametrize("spaces", [60_000, 1])
def test_a_long_head_of_an_array_is_one_short_sentence(tmp_path, spaces):
    head = f"{{'descr': {'[' * 3000}, 'fortran_order': False, 'shape': (2, 2), }}{' ' * spaces}".encode()
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(head)) + head)
    with pytest.raises(InputError, match=r"x.npy is corrupted or no NumPy file") as caught:
        pr.world(tmp_path / "x.npy")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8 bytes")],
)
def test_data_that_do_not_fit_in_memory_are_named(tmp_path, monkeypatch, error):
    def fail(*given, **more):
        raise error

    TABLE.to_csv(tmp_path / "x.csv")
    monkeypatch.setattr(pd, "read_csv", fail)
    with pytest.raises(InputError, match=r"x.csv does not fit in memory"):
        pr.world(tmp_path / "x.csv")
