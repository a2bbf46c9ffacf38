"""Writes docs/data_support.md: every form of data, made and given to `prismae.world`, and what became of it.

python tools/data_support.py docs/data_support.md
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tifffile
import zarr
from PIL import Image
from scipy.io import savemat, wavfile
from scipy.sparse import csr_array, save_npz

import prismae as pr
from prismae.errors import InputError

N = 24
HEAD = """# What is read

Each form of data below was made and given to `pr.world` by `tools/data_support.py`, which writes this page; a test
compares it with what is read today. `.xlsx` needs `pip install 'prismae[excel]'`, HDF5 `prismae[hdf5]`, Zarr
`prismae[zarr]`, TIFF with `axes` `prismae[tiff]`. [Data](data.md) says what each reading means.
"""


def table() -> pd.DataFrame:
    """A table of numbers and categories."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "length": rng.normal(30, 5, N).round(2),
            "rings": rng.integers(3, 30, N),
            "sex": rng.choice(["F", "M"], N),
        }
    )


def files() -> Iterator[tuple[str, str, bytes, dict[str, Any]]]:
    """Name of a form, of its file, its content, and options."""
    plain = table()
    named = plain.set_axis([f"fish {i}" for i in range(N)])
    csv = plain.to_csv(index=False).encode()
    yield "commas", "x.csv", csv, {}
    yield "capitals in the suffix", "X.CSV", csv, {}
    yield "tabs", "x.tsv", plain.to_csv(index=False, sep="\t").encode(), {}
    yield (
        "semicolons and decimal commas",
        "x.csv",
        plain.to_csv(index=False, sep=";", decimal=",").encode(),
        {},
    )
    yield "spaces", "x.csv", plain.to_csv(index=False, sep=" ").encode(), {}
    yield "another separator, with `sep`", "x.csv", plain.to_csv(index=False, sep="^").encode(), {"sep": "^"}
    yield "packed", "x.csv.gz", gzip.compress(csv), {}
    yield "Latin-1", "x.csv", plain.replace("F", "ü").to_csv(index=False).encode("latin-1"), {}
    yield "UTF-16", "x.csv", plain.to_csv(index=False).encode("utf-16"), {}
    yield "UTF-16 without a mark, UTF-32", "x.csv", plain.to_csv(index=False).encode("utf-16-le"), {}
    windows = plain.replace("F", "“f”").to_csv(index=False).encode("cp1252")
    yield "Windows-1252", "x.csv", windows, {}
    yield "a line `sep=;` for Excel", "x.csv", b"sep=;\n" + plain.to_csv(index=False, sep=";").encode(), {}
    yield "comments above the names", "x.csv", b"# made by hand\n" + csv, {}
    yield "titles above the names", "x.csv", b"Fish of the year\n\n" + csv, {}
    yield "names of groups above the names", "x.csv", b"body,,fish\n" + csv, {}
    yield "units below the names", "x.csv", csv.replace(b"\n", b"\nmm,n,\n", 1), {}
    logged = b"TOA5,CR1000,12\n" + csv.replace(b"\n", b"\nmm,n,\nAvg,Smp,\n", 1)
    yield "a logger's settings above the names, units and ways below them", "x.csv", logged, {}
    of_groups = csv.replace(b"length,rings,sex", b"fish,fish,kind\nlength,rings,sex")
    yield "names of groups, one above each column", "x.csv", of_groups, {}
    grouped = csv.replace(b"length,rings,sex", b"body,,fish\nmean,most,mean")
    yield "names in two lines, neither of which tells the columns apart", "x.csv", grouped, {}
    scope = csv.replace(b"\n", b",,\n").replace(b"sex,,\n", b"sex,Start,Increment\nmm,n,,-6e-4,1e-6\n")
    yield "settings of an instrument in columns of their own", "x.csv", scope, {}
    answer = b"length | rings | sex\n-------+-------+----\n" + csv.partition(b"\n")[2].replace(b",", b" | ")
    yield "the answer of a database", "x.txt", answer + b"(24 rows)\n", {}
    yield "files that were put together, each with its names", "x.csv", csv + csv, {}
    yield "several tables in a file", "x.csv", csv + b"\nsecond\n\n" + csv, {}
    yield "single quotes", "x.csv", plain.to_csv(index=False, quoting=1, quotechar="'").encode(), {}
    whole = b"".join(b'"' + line + b'"\n' for line in csv.split())
    yield "lines that stand in quotes as a whole", "x.csv", whole, {}
    fixed = plain.replace("F", "").to_string(index=False, col_space=9)
    yield "columns of fixed width, with gaps", "x.csv", fixed.encode(), {}
    yield "a spreadsheet that is called .csv", "x.csv", b"PK\3\4xl/workbook.xml", {}
    answered = csv.replace(b"\n", b"\nHow long?,How many (1-30)?,Which sex?\n{Q1},{Q2},{Q3}\n", 1)
    yield "questions of a survey below the names", "x.csv", answered, {}
    years = plain.set_axis(["1990", "1991", "country"], axis=1).to_csv(index=False).encode()
    official = b"Fish of the world,,\n,,\n" + years + b"\nSource: somebody,,\nof 2024,,\n"
    yield "titles above, years as names, sources below", "x.csv", official.replace(b"\n", b",\n"), {}
    behind = b"\n".join(line + b"," * (i > 0) for i, line in enumerate(csv.split()))
    yield "a separator behind each row", "x.csv", behind, {}
    yield "a separator behind each line", "x.csv", csv.replace(b"\n", b",\n"), {}
    yield "spaces around the values", "x.csv", csv.replace(b",", b" , "), {}
    notes = plain.assign(note=[f'said "{i}",\nthen {i}' for i in range(N)])
    yield "lines and separators within quotes", "x.csv", notes.to_csv(index=False).encode(), {}
    cut = b"\n".join(line.rpartition(b",")[0] if i == 3 else line for i, line in enumerate(csv.split()))
    yield "a shorter row", "x.csv", cut, {}
    yield "a longer row", "x.csv", csv + b"1,2,F,4\n", {}
    totals = f"total,{plain['rings'].sum()},\n".encode()
    yield "a row of totals", "x.csv", csv + totals, {}
    yield "a row that is called a total and is none", "x.csv", named.to_csv().encode() + b"total,1,99,F\n", {}
    yield "row numbers, as pandas writes them", "x.csv", plain.to_csv().encode(), {}
    yield "row names, as R writes them", "x.csv", named.to_csv().encode(), {}
    yield "R's `write.table`", "x.txt", named.to_csv(sep=" ", quoting=2, index_label=False).encode(), {}
    yield "Unicode text of a spreadsheet", "x.txt", plain.to_csv(sep="\t", index=False).encode("utf-16"), {}
    yield "an id that counts the rows", "x.csv", plain.assign(id=range(N)).to_csv(index=False).encode(), {}
    gaps = plain.mask(plain == 20).assign(sex=["", "F", "M"] * 8)
    yield "missing values", "x.csv", gaps.to_csv(index=False).encode(), {}
    marked = plain.replace("F", "NA").to_csv(index=False).encode()
    yield "NA among texts", "x.csv", marked, {}
    yield "NA as a category, with `missing`", "x.csv", marked, {"missing": ""}
    gone = plain.assign(rings=plain["rings"].where(plain.index > 2, -999))
    yield "−999 for missing", "x.csv", gone.to_csv(index=False).encode(), {}
    yield "−999 for missing, with `missing`", "x.csv", gone.to_csv(index=False).encode(), {"missing": "-999"}
    yield "a constant column", "x.csv", plain.assign(unit="cm").to_csv(index=False).encode(), {}
    money = plain.assign(price=[f"${i},{i:02}0.5" for i in range(1, N + 1)])
    yield "thousands and a currency", "x.csv", money.to_csv(index=False).encode(), {}
    dressed = plain.assign(
        accounts=[f"(${i}.50)" if i % 5 == 0 else f"${i}.50" for i in range(N)],
        spaces=[f"{i + 1} {i:03}" for i in range(N)],
        width=[f"{i / 2} mm" for i in range(N)],
        price=[f"1.{i:03},50 €" for i in range(N)],
        at=[f"{i}:30" for i in range(N)],
        minus=[f"−{i}.5" for i in range(N)],
        share=[f"{i} %" for i in range(N)],
        part=[f"{i},5 %" for i in range(N)],
    )
    yield "accounts, units, times of day, percentages", "x.csv", dressed.to_csv(index=False).encode(), {}
    for_people = plain.assign(
        size=[f"{i}.5{'KM'[i % 2]}" for i in range(N)], day=[20240131 - i for i in range(N)]
    )
    yield "numbers and dates in other dress", "x.csv", for_people.to_csv(index=False).encode(), {}
    points_and_commas = plain.assign(width=[f"{i},5" if i % 2 else f"{i}.5" for i in range(N)])
    yield "decimal points and decimal commas", "x.csv", points_and_commas.to_csv(index=False).encode(), {}
    answers = plain.assign(smokes=["yes", "no"] * 12, up=["TRUE", "FALSE"] * 12)
    yield "yes and no, TRUE and FALSE", "x.csv", answers.to_csv(index=False).encode(), {}
    zoned = plain.assign(day=[f"2020-{1 + i % 12:02}-{1 + i:02}T08:00:00+02:00" for i in range(N)])
    spelled = plain.assign(ripe=["Yes", "no", "yes"] * 8)
    yield "categories that differ in capitals", "x.csv", spelled.to_csv(index=False).encode(), {}
    said = plain.assign(note=[f"the fish was caught at pier {i}" for i in range(N)])
    yield "sentences among numbers", "x.csv", said.to_csv(index=False).encode(), {}
    yield "times with a zone", "x.csv", zoned.to_csv(index=False).encode(), {}
    yield "a column without values", "x.csv", plain.assign(empty="").to_csv(index=False).encode(), {}
    yield "two columns", "x.csv", plain[["length", "sex"]].to_csv(index=False).encode(), {}
    yield "more columns than rows", "x.csv", plain[["length"]].T.to_csv(index=False).encode(), {}
    dates = plain.assign(day=[f"{1 + i % 28}/{1 + i % 12}/2020" for i in range(N)])
    yield "dates", "x.csv", dates.to_csv(index=False).encode(), {}
    yield (
        "names of rows in two columns",
        "x.csv",
        plain.assign(who=[f"w{i}" for i in range(N)], tag=[f"t{i}" for i in range(N)])
        .to_csv(index=False)
        .encode(),
        {},
    )
    yield "no names of columns", "x.csv", plain.to_csv(index=False, header=False).encode(), {}
    yield (
        "the same name twice",
        "x.csv",
        plain.set_axis(["a", "b", "a"], axis=1).to_csv(index=False).encode(),
        {},
    )
    few = plain.assign(dose=["<1", *range(1, N)], mark=["?x", *range(1, N)])
    mixed, options = few.to_csv(index=False).encode(), {"numeric": "dose", "drop": "mark"}
    yield "numbers but for a few texts", "x.csv", mixed, {}
    yield "the same, with `numeric` and `drop`", "x.csv", mixed, options
    yield "codes, with `categorical`", "x.csv", plain.to_csv(index=False).encode(), {"categorical": "rings"}
    yield "an infinite value", "x.csv", plain.assign(rings=np.inf).to_csv(index=False).encode(), {}
    yield "one row", "x.csv", plain[:1].to_csv(index=False).encode(), {}
    yield "names only", "x.csv", plain[:0].to_csv(index=False).encode(), {}
    yield "nothing", "x.csv", b"", {}
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    yield "a pointer of Git LFS", "x.csv", pointer, {}
    yield "a web page", "x.csv", b"<!DOCTYPE html><html></html>", {}
    yield "lines above the names", "x.csv", b"made by hand\n" + csv, {}
    yield "numbers in text, as NumPy writes them", "x.txt", b"1.5 2.5\n3.5 4.0\n5.0 7.5\n2.0 1.0\n", {}
    yield "sentences", "x.txt", b"a cat sat\na dog ran\nthe cat ran\n", {}
    yield "sentences with empty lines", "x.txt", b"a cat sat\n\na dog ran\n\n", {}
    yield "sentences in Latin-1", "x.txt", "un café\nune forêt\n".encode("latin-1"), {}
    yield "sentences in Chinese", "x.txt", "我爱你\n你爱我吗\n".encode(), {}
    yield "sentences in Thai", "x.txt", "ฉันรักคุณ\nคุณรักฉัน\n".encode(), {}
    yield "lines of characters, with `tokens`", "x.txt", b"CC(=O)O\nC1=CC=CC=C1\n", {"tokens": "characters"}
    points = plain[["length", "rings"]].assign(time=np.arange(N) / 50)
    yield (
        "a row for each point in time",
        "x.csv",
        points.to_csv(index=False).encode(),
        {"window": 6, "stride": 3},
    )
    several = points.assign(who=[f"p{i // 8}" for i in range(N)]).to_csv(index=False).encode()
    yield "the same of several series", "x.csv", several, {"series_id": "who", "time": "time"}
    yield "a series in each row", "x.csv", points.to_csv(index=False).encode(), {"series": "rows"}
    sound = io.BytesIO()
    wavfile.write(sound, 8000, np.arange(400, dtype=np.int16) % 37)
    yield "sound", "x.wav", sound.getvalue(), {}
    yield "sound, with `window`", "x.wav", sound.getvalue(), {"window": 100}
    matlab = io.BytesIO()
    savemat(matlab, {"val": np.arange(800.0).reshape(4, 200) % 37, "Fs": 250})  # type: ignore[arg-type]
    yield "MATLAB, with `window`", "x.mat", matlab.getvalue(), {"window": 50}
    structure = io.BytesIO()
    fields = {"x": np.arange(60.0).reshape(20, 3) % 7, "fs": 100}
    savemat(structure, {"s": fields})  # type: ignore[arg-type]
    yield "a structure of MATLAB", "x.mat", structure.getvalue(), {}
    for form, write in excel():
        book = io.BytesIO()
        write(book, plain)
        yield form, "x.xlsx", book.getvalue(), {}
    for form, content in arrow():
        yield form, "x.parquet", content, {}
    yield "JSON", "x.json", b"[]", {}
    yield "of Stata", "x.dta", b"", {}
    yield "MP3", "x.mp3", b"", {}
    yield "netCDF", "x.nc", b"CDF", {}
    yield "NIfTI", "x.nii.gz", b"", {}
    yield "an unknown suffix", "x.dat", csv, {}
    yield "an archive", "x.zip", b"PK", {}


def excel() -> Iterator[tuple[str, Callable[[io.BytesIO, pd.DataFrame], Any]]]:
    """Name of a form of spreadsheets, and how it is written."""

    def sheets(book: io.BytesIO, table: pd.DataFrame) -> None:
        with pd.ExcelWriter(book) as whole:
            pd.DataFrame({"read me": ["hello"]}).to_excel(whole, sheet_name="about", index=False)
            table.to_excel(whole, sheet_name="fish", index=False)

    def above(book: io.BytesIO, table: pd.DataFrame) -> None:
        cells = [["body", None, "fish"], list(table), *table.to_numpy().tolist()]
        pd.DataFrame(cells).to_excel(book, index=False, header=False, startrow=2, startcol=1)

    def merged(book: io.BytesIO, table: pd.DataFrame) -> None:
        table.set_index([pd.Index([f"tank {i // 8}" for i in range(N)], name="tank"), table.index]).to_excel(
            book
        )

    def texts(book: io.BytesIO, table: pd.DataFrame) -> None:
        table.astype({"length": object}).replace({"length": {table["length"][3]: "?x"}}).to_excel(
            book, index=False
        )

    def formulas(book: io.BytesIO, table: pd.DataFrame) -> None:
        table.astype({"length": object}).assign(length=[f"=2*{i}" for i in range(N)]).to_excel(
            book, index=False
        )

    yield "Excel", lambda book, table: table.to_excel(book, index=False)
    yield "Excel, several sheets, the first without a table", sheets
    yield "Excel, merged names of groups, empty rows and an empty column above", above
    yield "Excel, labels of groups in merged cells", merged
    yield "Excel, a text among numbers", texts

    def two(book: io.BytesIO, table: pd.DataFrame) -> None:
        levels = pd.MultiIndex.from_tuples([("body", "mean"), ("body", "most"), ("fish", "mean")])
        table.set_axis(levels, axis=1).to_excel(book)

    def hidden(book: io.BytesIO, table: pd.DataFrame) -> None:
        with pd.ExcelWriter(book) as whole:
            pd.DataFrame({"choices": range(9)}).to_excel(whole, sheet_name="lists", index=False)
            table.to_excel(whole, sheet_name="fish", index=False)
            whole.book["lists"].sheet_state = "hidden"
            whole.book["fish"].row_dimensions[3].hidden = True

    def errors(book: io.BytesIO, table: pd.DataFrame) -> None:
        table.astype({"length": object}).replace({"length": {table["length"][3]: "#DIV/0!"}}).to_excel(
            book, index=False
        )

    def codes(book: io.BytesIO, table: pd.DataFrame) -> None:
        table.assign(zip=[f"0{i % 3}" for i in range(N)]).to_excel(book, index=False)

    def headless(book: io.BytesIO, table: pd.DataFrame) -> None:
        table.to_excel(book, index=False, header=False)

    yield "Excel, formulas that nobody computed", formulas
    yield "Excel, names in two rows, as pandas writes them", two
    yield "Excel, hidden sheets and rows", hidden
    yield "Excel, errors of formulas", errors
    yield "Excel, texts of digits", codes
    yield "Excel, no names of columns", headless


def arrow() -> Iterator[tuple[str, bytes]]:
    """Name of a form of Parquet, and the file."""
    plain = pa.Table.from_pandas(table())
    cents = pa.array(range(N), pa.int64()).cast(pa.decimal128(21, 2))
    rich = {"price": cents, "lasted": pa.array([i % 9 for i in range(N)], pa.duration("s"))}
    nested = {"each": [[1.0, 2.0]] * N, "both": [{"a": 1}] * N}
    for form, columns in (
        ("Parquet, dictionaries, decimals and durations", rich | {"kind": plain["sex"].dictionary_encode()}),
        ("Parquet, nested columns", nested),
    ):
        made = pa.BufferOutputStream()
        whole = plain
        for name, values in columns.items():
            whole = whole.append_column(
                name, values if isinstance(values, pa.ChunkedArray) else pa.array(values)
            )
        pq.write_table(whole, made)
        yield form, made.getvalue().to_pybytes()


def objects() -> Iterator[tuple[str, Callable[[], Any], dict[str, Any]]]:
    """Name of a form, how it is made, and options."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 5))
    gaps = np.where(rng.random(x.shape) < 0.1, np.nan, x)
    series = rng.normal(size=(N, 3, 40))
    yield "a table of pandas with an index", lambda: table().set_axis([f"r{i}" for i in range(N)]), {}
    levels = table().assign(tank=[f"t{i % 3}" for i in range(N)], day=[i % 5 for i in range(N)])
    yield "an index of two levels", lambda: levels.set_index(["tank", "day"]), {}
    yield "the same, one as numbers", lambda: levels.set_index(["tank", "day"]), {"numeric": "day"}
    yield "types of Arrow in pandas", lambda: table().convert_dtypes(dtype_backend="pyarrow"), {}
    yield "a table of pyarrow", lambda: pa.Table.from_pandas(table()), {}
    yield "columns that are called by numbers", lambda: pd.DataFrame(x), {}
    yield "vectors [n, d]", lambda: x, {}
    yield "vectors with missing values", lambda: gaps, {}
    yield "vectors with a constant column", lambda: x * [1, 1, 0, 1, 1], {}
    yield "vectors of columns of other sizes", lambda: x * [1, 1, 1e4, 1, 1], {}
    yield "vectors with infinity", lambda: np.where(np.isnan(gaps), np.inf, x), {}
    yield "bytes [n, d]", lambda: rng.integers(0, 200, (N, 5), np.uint8), {}
    yield "grey images [n, h, w]", lambda: rng.integers(0, 256, (N, 8, 8), np.uint8), {}
    yield "colour images [n, h, w, 3]", lambda: rng.integers(0, 256, (N, 8, 8, 3), np.uint8), {}
    yield "images of two channels", lambda: rng.random((N, 2, 8, 8)), {}
    yield "images of two channels, last", lambda: rng.random((N, 8, 8, 2)), {}
    yield "images of twelve channels", lambda: rng.random((N, 12, 32, 32)), {}
    yield "the same, with `axes`", lambda: rng.random((N, 12, 32, 32)), {"axes": "chw"}
    yield "volumes [n, d, h, w]", lambda: rng.random((N, 8, 10, 9)), {}
    yield "volumes [n, 1, d, h, w]", lambda: rng.random((N, 1, 8, 8, 8)), {}
    yield "volumes of two channels", lambda: rng.random((N, 2, 8, 8, 8)), {}
    yield "the same, with `axes`", lambda: rng.random((N, 2, 8, 8, 8)), {"axes": "cdhw"}
    yield "series [n, c, length]", lambda: series, {}
    yield "the same, with `series`", lambda: series, {"series": "channels-first"}
    yield "series with gaps", lambda: np.where(series > 2, np.nan, series), {"series": "channels-first"}
    yield "a channel that is constant", lambda: series * [[1], [0], [1]], {"series": "channels-first"}
    yield "a sparse matrix of SciPy", lambda: csr_array(x * (x > 1)), {}
    yield "complex numbers", lambda: x + 1j, {}
    yield "texts", lambda: x.astype(str), {}
    yield "records", lambda: pd.DataFrame(x[:, :2], columns=["a", "b"]).to_records(index=False), {}
    yield (
        "images of channels of other ranges",
        lambda: rng.random((N, 4, 8, 8)) * [[[1]], [[1]], [[1e3]], [[1]]],
        {},
    )
    yield "one long recording [n]", lambda: series.ravel(), {}
    yield "the same, with `window`", lambda: series.ravel(), {"window": 60, "rate": 100.0}
    yield "a recording of several channels", lambda: series[:, :, 0], {"window": 6}
    yield "series of one channel", lambda: series[:, 0], {"series": "rows"}


def arrays() -> Iterator[tuple[str, str, Callable[[Path], Any], dict[str, Any]]]:
    """Name of a form, of its file, how it is written, and options."""
    x = np.random.default_rng(0).poisson(1.0, (N, 5)).astype(np.float32)

    def hdf5(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["images"], file["masks"] = np.repeat(x, 5, 1).reshape(N, 5, 5), x

    def anndata(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for part, values in (
                ("data", csr_array(x).data),
                ("indices", csr_array(x).indices),
                ("indptr", csr_array(x).indptr),
            ):
                file[f"X/{part}"] = values
            file["X"].attrs.update({"encoding-type": "csr_matrix", "shape": x.shape})
            file["obsm/X_pca"], file["obs/_index"] = x[:, :2], [f"cell {i}" for i in range(N)]
            file["obs"].attrs.update({"encoding-type": "dataframe", "_index": "_index"})

    def stored(path: Path) -> None:
        zarr.create_array(str(path), data=x)

    yield "an array", "x.npy", lambda path: np.save(path, x), {}
    gaps = np.where(np.random.default_rng(1).random(x.shape) < 0.1, -999.0, x)
    yield "−999 for missing", "x.npy", lambda path: np.save(path, gaps), {}
    dark = np.random.default_rng(2).integers(0, 17, (N, 8, 8), np.uint8)
    yield "images of bytes from 0 to 16", "x.npy", lambda path: np.save(path, dark), {}
    records = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "s": ["F", "M"] * 12}).to_records(
        index=False, column_dtypes={"s": "S1"}
    )
    yield "records of several columns", "x.npy", lambda path: np.save(path, records), {}
    yield "several arrays", "x.npz", lambda path: np.savez(path, left=x, right=x), {}
    yield "a sparse matrix of SciPy", "x.npz", lambda path: save_npz(path, csr_array(x)), {}
    yield "HDF5 with several arrays", "x.h5", hdf5, {}
    yield "AnnData with sparse counts", "x.h5ad", anndata, {}
    yield "Zarr", "x.zarr", stored, {}
    yield (
        "MATLAB",
        "x.mat",
        lambda path: savemat(path, {"signals": x, "label": np.arange(N)}),
        {"factors": "label"},
    )
    yield (
        "numbers beside pickled objects",
        "x.npz",
        lambda path: np.savez(path, X=x, names=np.array(["a", None] * 12, dtype=object)),
        {},
    )

    def single(path: Path) -> None:
        path.mkdir()
        for i in range(4):
            np.save(path / f"{i}.npy", x[i : i + 5])

    yield "a folder of arrays that are square, or of bytes", "x", single, {}
    yield "pickled objects", "x.npy", lambda path: np.save(path, np.array([{}, {}]), allow_pickle=True), {}


def images() -> Iterator[tuple[str, str, Callable[[Path, int], Any], dict[str, Any]]]:
    """Name of a form, of the first file, how each of two files is written, and options."""
    grey = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    four = np.stack([grey] * 4, 2)

    def plain(image: Image.Image) -> Callable[[Path, int], None]:
        return lambda path, k: image.transpose(
            Image.Transpose.ROTATE_90 if k else Image.Transpose.ROTATE_180
        ).save(path)

    def pages(path: Path, k: int) -> None:
        shown = [Image.fromarray(grey + np.uint8(i + k)) for i in range(3)]
        shown[0].save(path, save_all=True, append_images=shown[1:])

    def damaged(path: Path, k: int) -> None:
        Image.fromarray(grey + np.uint8(k)).save(path)
        Image.fromarray(grey).save(path.with_stem(f"more{k}"))
        path.with_stem("cut").write_bytes(path.read_bytes()[:20])

    def sizes(path: Path, k: int) -> None:
        Image.fromarray(grey).resize((8 + k, 9)).save(path)

    def noted(path: Path, k: int) -> None:
        Image.fromarray(grey + np.uint8(k)).save(path)
        path.with_suffix(".txt").write_text("not an image")

    def in_classes(path: Path, k: int) -> None:
        path.parent.joinpath("cat" if k else "dog").mkdir()
        Image.fromarray(grey + np.uint8(k)).save(path.parent / ("cat" if k else "dog") / path.name)

    def channels(path: Path, k: int) -> None:
        five = np.stack([grey + np.uint8(k)] * 5, 2)
        tifffile.imwrite(path, five, photometric="minisblack", planarconfig="contig")

    def stack(path: Path, k: int) -> None:
        tifffile.imwrite(path, np.stack([grey + np.uint8(k)] * 9))

    def heic(path: Path, k: int) -> None:
        path.write_bytes(b"heic")

    yield "PNG, grey", "0.png", plain(Image.fromarray(grey)), {}
    yield "JPEG, colour", "0.jpg", plain(Image.fromarray(np.stack([grey] * 3, 2))), {}
    yield "GIF, BMP, PGM, WebP, AVIF, JPEG 2000", "0.bmp", plain(Image.fromarray(grey)), {}
    yield "PNG, palette", "0.png", plain(Image.fromarray(grey).convert("P")), {}
    yield "PNG, 16 bits", "0.png", plain(Image.fromarray(grey.astype(np.uint16) * 200)), {}
    yield "PNG, transparent", "0.png", plain(Image.fromarray(four, "RGBA")), {}
    yield "JPEG, CMYK", "0.jpg", plain(Image.fromarray(four, "CMYK")), {}
    yield "TIFF", "0.tif", plain(Image.fromarray(grey)), {}
    yield "TIFF, decimal numbers", "0.tif", plain(Image.fromarray(grey.astype(np.float32) / 7)), {}
    yield "TIFF, several pages", "0.tif", pages, {}
    yield "GIF, animated", "0.gif", pages, {}
    yield "TIFF, CIE L*a*b*", "0.tif", lambda path, k: Image.new("LAB", (8, 8), (90 * k, 0, 0)).save(path), {}
    yield "TIFF, five channels a pixel", "0.tif", channels, {}
    yield "the same, with `axes`", "0.tif", channels, {"axes": "hwc"}
    yield "TIFF, pages that are depth or channels, with `axes`", "0.tif", stack, {"axes": "dhw"}
    yield "TGA", "0.tga", plain(Image.fromarray(grey)), {}
    yield "images of several sizes", "0.png", sizes, {}
    yield "the same, with `size`", "0.png", sizes, {"size": 8}
    yield "damaged images among others", "0.png", damaged, {}
    yield "the same, with `skip_damaged`", "0.png", damaged, {"skip_damaged": True}
    yield "other files in the folder", "0.png", noted, {}
    yield "a folder for each class", "0.png", in_classes, {}
    yield "HEIC", "0.heic", heic, {}


def outcome(source: Any, options: dict[str, Any], folder: Path | None = None) -> tuple[str, str]:
    """ "read" or "refused", and in which words."""
    try:
        world = pr.world(source, **options)
    except InputError as error:
        said = str(error).replace(f"{folder}/", "").replace(str(folder), "folder")
        return "refused", said
    shape = "x".join(map(str, world.shape))
    notes = [f"{len(world)} observations of shape {shape}{world.kind.noted()}", *world.notices]
    if world.names is not None and isinstance(source, str | Path | pd.DataFrame):
        notes.insert(1, f"rows called {world.called[0]}, {world.called[1]} …")
    return "read", "; ".join(notes)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as temporary:
        rows: list[tuple[str, ...]] = []
        for i, (form, name, content, options) in enumerate(files()):
            folder = Path(temporary, str(i))
            folder.mkdir()
            (folder / name).write_bytes(content)
            rows.append((form, f"`{name}`", *outcome(folder / name, options, folder)))
        parts.append(_table("Files", ("form", "file", "", "what is said"), rows))
        rows = []
        for i, (form, name, put, options) in enumerate(arrays()):
            folder = Path(temporary, f"arrays{i}")
            folder.mkdir()
            put(folder / name)
            rows.append((form, f"`{name}`", *outcome(folder / name, options, folder)))
        parts.append(_table("Files of arrays", ("form", "file", "", "what is said"), rows))
        rows = [(form, *outcome(make(), options)) for form, make, options in objects()]
        parts.append(_table("Arrays and tables in memory", ("form", "", "what is said"), rows))
        rows = []
        for i, (form, name, write, options) in enumerate(images()):
            folder = Path(temporary, f"images{i}")
            folder.mkdir()
            for k in range(2):
                write(folder / name.replace("0", str(k)), k)
            rows.append((form, *outcome(f"{folder}/", options, folder)))
        parts.append(_table("Folders of images", ("form", "", "what is said"), rows))
    return "\n".join(parts)


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"\n## {title}\n", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        cells = (re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
