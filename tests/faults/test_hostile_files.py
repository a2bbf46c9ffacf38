"""Files that reach for others, never end, or claim to be larger than any memory are refused in one sentence."""

import gzip
import json
import os
import pickle
import resource
import struct
import time
import zipfile
from contextlib import nullcontext
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow.feather import write_feather
from pyarrow.parquet import ParquetWriter, write_table
from scipy.io import savemat

import prismae as pr
from prismae.data import image_folder, packed_text, text
from prismae.data.files import check_names
from prismae.data.parquet_files import _check_parquet
from prismae.errors import InputError, fits_in_memory
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


def test_pages_of_a_tiff_that_lie_in_another_file_are_not_followed(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "secret.tif", np.full((8, 8), 77, np.uint8))
    (tmp_path / "mine").mkdir()
    for i in range(3):
        name = f"{i}.tif"
        pages = "".join(
            f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1"><UUID FileName="{file}">urn:uuid:{z}</UUID></TiffData>'
            for z, file in enumerate((name, "../secret.tif"))
        )
        about = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            'UUID="urn:uuid:0"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" '
            f'SizeY="8" SizeZ="2" SizeC="1" SizeT="1">{pages}</Pixels></Image></OME>'
        )
        tifffile.imwrite(
            tmp_path / "mine" / name, np.full((8, 8), i, np.uint8), description=about, metadata=None
        )
    world = pr.world(tmp_path / "mine", axes="hw")
    assert world.shape == (1, 8, 8)


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


@pytest.mark.parametrize(
    ("line", "said"),
    [(b"1," * 2000, "one of 2,001 columns"), (b"a" * 3000, "over 0 MB long")],
    ids=["columns", "long"],
)
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_a_first_line_that_is_no_line_of_a_table(
    tmp_path: Path, monkeypatch, name: str, line: bytes, said: str
) -> None:
    rows = b"\n".join([line] * 4) + b"\n"
    (tmp_path / name).write_bytes(gzip.compress(rows) if name.endswith(".gz") else rows)
    monkeypatch.setattr(packed_text, "PEEK", 1000)
    monkeypatch.setattr(packed_text, "_LINE", 3000 if said.startswith("over") else 10_000)
    monkeypatch.setattr(packed_text, "_COLUMNS", 2000)
    with pytest.raises(
        InputError, match=rf"{name}: its first line is {said}, expected a table of up to 2,000 columns"
    ):
        pr.world(tmp_path / name)


def test_a_long_reason_of_a_library_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught, fits_in_memory(tmp_path / "x.mat"):
        raise MemoryError("Unable to allocate 8 GB for " + "name " * 10_000)
    assert len(str(caught.value)) < 400


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


@pytest.mark.parametrize(
    "name",
    ["x.npy", "x.npz", "x.csv", "x.txt", "x.h5", "x.parquet", "x.png", "x.tif", "x.wav", "x.mat", "x.zarr"],
)
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


def test_frames_of_an_animation_are_counted_before_they_are_unpacked(tmp_path, monkeypatch):
    frames = [Image.new("P", (2000, 2000), i % 2) for i in range(8)]
    for i, frame in enumerate(frames):
        frame.putpixel((0, i), 3)
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert (tmp_path / "x.gif").stat().st_size < 32_000
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**12)  # 17 MB
        with pytest.raises(InputError, match=r"x.gif holds 0 GB of pixels in 8 frames"):
            pr.world(tmp_path / "x.gif")


def test_many_images_that_claim_far_more_than_they_have_are_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "_MOST", 1_000_000)
    for i in range(3):
        Image.new("L", (1000, 1000)).save(tmp_path / f"{i}.png")
    monkeypatch.setattr(image_folder, "read_frames", lambda *given: pytest.fail("an image was decoded"))
    with pytest.raises(InputError, match=r"holds 0.0 GB of pixels in 0.0 MB of files.*500 times"):
        pr.world(tmp_path, size=8)


def test_many_large_photos_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "_MOST", 10_000)
    for i in range(3):
        noise = np.random.default_rng(i).integers(0, 255, (100, 100), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    assert pr.world(tmp_path, size=8).shape == (1, 8, 8)


def test_images_are_not_scaled_to_more_than_is_held(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "0.png")
    with pytest.raises(InputError, match="size should be less than or equal to 4096, got 100000"):
        pr.world(tmp_path, size=100_000)


def test_a_pipe_in_a_run_folder_is_a_missing_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.json")
    with pytest.raises(InputError, match=r"job.json is missing"):
        _ = Run(tmp_path).job


def test_an_image_of_a_format_that_is_not_read_is_not_handed_to_another_program(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "PIL.EpsImagePlugin.Ghostscript", lambda *given, **more: pytest.fail("Ghostscript was run")
    )
    for i in range(3):
        text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
        (tmp_path / f"{i}.png").write_bytes(text)
    with pytest.raises(
        InputError, match=r"3 of 3 images cannot be read.*0.png is a file of EPS, expected one of .png"
    ):
        pr.world(tmp_path)


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


def test_a_pipe_in_a_zarr_folder_is_not_waited_for(tmp_path: Path) -> None:
    path = zarr_of(tmp_path / "x.zarr")
    assert len(pr.world(path)) == 4
    (path / "0.0").unlink()
    os.mkfifo(path / "0.0")
    with pytest.raises(InputError, match=r"x.zarr holds 0.0, which is neither a file nor a folder"):
        pr.world(path)


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
        np.savez(path, x=TABLE[:20].to_numpy())
    else:
        (TABLE[:20].to_csv if name == "x.csv.zip" else TABLE[:20].to_excel)(path)
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
    TABLE[:20].to_csv(other)
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


def test_a_category_that_there_is_not_is_one_sentence(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.arange(80.0).reshape(20, 4)
        group = file.create_group("obs/k")
        group.attrs["encoding-type"] = "categorical"
        group["codes"], group["categories"] = np.full(20, 99), [b"a", b"b"]
    with pytest.raises(InputError, match="index 99 is out of bounds"):
        pr.world(tmp_path / "x.h5ad")


@pytest.mark.parametrize("spaces", [60_000, 1])
def test_a_long_head_of_an_array_is_one_short_sentence(tmp_path, spaces):
    head = f"{{'descr': {'[' * 3000}, 'fortran_order': False, 'shape': (2, 2), }}{' ' * spaces}".encode()
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(head)) + head)
    with pytest.raises(InputError, match=r"x.npy is corrupted or no NumPy file") as caught:
        pr.world(tmp_path / "x.npy")
    assert len(str(caught.value)) < 400


TEXT = "x" * 1_000_000


@pytest.mark.parametrize("kept", ["written out", "as categories"])
@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "x.arrow"])
def test_a_long_text_that_stands_in_every_row_is_counted_before_it_is_written_out(tmp_path, name, kept):
    rows = 10**6
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([TEXT]))
    table = pa.table({"a": texts, "b": np.arange(rows) % 7})
    path = tmp_path / name
    if name == "x.parquet":
        write_table(table, path, store_schema=kept == "as categories")
    elif name == "x.feather":
        write_feather(table, str(path))
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    with pytest.raises(InputError, match=rf"{name} holds \d+ GB of (texts|values), and this machine"):
        pr.world(path)


def of_one_text(path: Path, kind: pa.DataType, value: object, rows: int, parts: int, **how: object) -> None:
    """A table of the same value in all of its rows."""
    table = pa.table({"a": pa.array([value] * rows, kind), "b": np.arange(rows) % 7})
    with ParquetWriter(path, table.schema, compression="zstd", **how) as file:
        for _ in range(parts):
            file.write_table(table)


def test_bytes_of_one_width_are_counted(tmp_path):
    of_one_text(tmp_path / "x.parquet", pa.binary(10**6), b"x" * 10**6, 20, 2, use_dictionary=["a"])
    before = peak()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 5_000)  # 25 MB
        with pytest.raises(InputError, match=r"x.parquet holds 0 GB of values"):
            pr.world(tmp_path / "x.parquet")
    assert peak() - before < 3 * 10**7


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_texts_whose_beginnings_are_not_kept_are_counted(tmp_path, monkeypatch, encoding):
    path = tmp_path / "x.parquet"
    how = {"use_dictionary": False, "column_encoding": {"a": encoding, "b": "PLAIN"}}
    of_one_text(path, pa.string(), "x" * 10_000, 500, 4, **how)
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**11)  # 4 MB
        refused = pytest.raises(InputError, match=r"x.parquet holds 0 GB of texts")
        with refused if encoding == "DELTA_BYTE_ARRAY" else nullcontext():
            _check_parquet(path)
    _check_parquet(path)


def test_values_of_lists_are_counted(tmp_path, monkeypatch):
    lists = pa.ListArray.from_arrays(pa.array(np.arange(11) * 10**5, pa.int32()), pa.array(np.zeros(10**6)))
    write_table(pa.table({"a": lists, "b": np.arange(10.0)}), tmp_path / "x.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**11)  # 4 MB
        with pytest.raises(InputError, match=r"x.parquet holds 0 GB of values"):
            pr.world(tmp_path / "x.parquet")


def test_a_file_of_arrow_is_counted_as_it_unpacks(tmp_path, monkeypatch):
    table = pa.table({"a": np.zeros(10**6), "b": np.arange(10**6) % 2})
    write_feather(table, str(tmp_path / "x.feather"), compression="zstd")
    assert (tmp_path / "x.feather").stat().st_size < 2 * 10**5
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**11)  # 4 MB
        with pytest.raises(InputError, match=r"x.feather holds 0 GB of values"):
            pr.world(tmp_path / "x.feather")


def test_of_several_tables_in_one_zip_none_is_taken(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.csv.zip", "w") as packed:
        for i in range(50):
            packed.writestr(f"{i}.csv", "a,b\n1,2\n3,4\n5,5\n")
    with pytest.raises(
        InputError, match=r"x.csv.zip cannot be read \(50 files are packed in it, expected one: unpack it\)"
    ):
        pr.world(tmp_path / "x.csv.zip")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8 bytes")],
)
def test_data_that_do_not_fit_in_memory_are_named(tmp_path, monkeypatch, error):
    def fail(*given, **more):
        raise error

    TABLE[:20].to_csv(tmp_path / "x.csv")
    monkeypatch.setattr(pd, "read_csv", fail)
    with pytest.raises(InputError, match=r"x.csv does not fit in memory"):
        pr.world(tmp_path / "x.csv")


def peak() -> int:
    """The most bytes of memory that this process has used."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def damaged(path: Path, good: bytes, rng: np.random.Generator) -> None:
    """The file with up to 64 bytes of its middle overwritten."""
    bad, n = bytearray(good), int(rng.integers(1, 65))
    at = int(rng.integers(8, len(good) - 8 - n))
    bad[at : at + n] = rng.bytes(n)
    path.write_bytes(bad)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["lz4", "zstd", "uncompressed"])
@pytest.mark.parametrize("name", ["x.feather", "x.parquet"])
def test_bytes_of_a_binary_table_that_are_overwritten(tmp_path: Path, name: str, kind: str) -> None:
    rng, path = np.random.default_rng(0), tmp_path / name
    texts = rng.choice(["x", "yy", "zzz"], 400)
    table = pa.table(
        {
            "a": rng.normal(size=400),
            "s": texts,
            "c": pa.array(texts).dictionary_encode(),
            "n": np.arange(400) % 7,
        }
    )
    if name == "x.feather":
        write_feather(table, str(path), compression=kind, chunksize=100)
    else:
        write_table(table, path, compression=kind if kind != "uncompressed" else "none", row_group_size=100)
    good, said = path.read_bytes(), []
    before = peak()
    for _ in range(30):
        damaged(path, good, rng)
        try:
            pr.world(path)
        except InputError as error:
            said.append(str(error))
    assert said  # what only changes numbers cannot be told
    assert all("\n" not in each and name in each for each in said), said
    assert peak() - before < 3 * 10**8


@pytest.mark.parametrize(
    ("size", "said"), [(2**33, "is corrupted or no .feather table"), (2**62, "does not fit in memory")]
)
def test_a_length_in_a_feather_file_that_lies(tmp_path: Path, size: int, said: str) -> None:
    path = tmp_path / "x.feather"
    write_feather(pa.table({"a": np.arange(4000.0)}), str(path), compression="zstd")
    good = path.read_bytes()
    assert good.count((32_000).to_bytes(8, "little") + b"\x28\xb5\x2f\xfd") == 1
    path.write_bytes(
        good.replace((32_000).to_bytes(8, "little") + b"\x28", size.to_bytes(8, "little") + b"\x28")
    )
    before = peak()
    with pytest.raises(InputError, match=rf"x.feather {said}"):
        pr.world(path)
    assert peak() - before < 3 * 10**8
