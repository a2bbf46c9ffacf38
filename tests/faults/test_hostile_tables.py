"""Tables that unpack to more than there is memory, or lie about what they hold, are refused in one sentence."""

import gzip
import os
import zipfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from peak import peak
from pyarrow.feather import write_feather
from pyarrow.parquet import ParquetWriter, write_table
from scipy.io import savemat

import prismae as pr
from prismae.data import packed_text, text
from prismae.data.parquet_files import _check_parquet
from prismae.errors import InputError, fits_in_memory


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
