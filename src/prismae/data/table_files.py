"""Own data in tables: files as people have them, and what their columns and the names of their rows are."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow.parquet import read_metadata

from prismae.data.columns import Column, listed
from prismae.data.files import check_room, memory
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.tables import TableScheme, checked_names, look
from prismae.errors import InputError, unknown_name
from prismae.settings import Reading

TEXT_TABLES = (".csv", ".tsv", ".tab")
PACKED = ("", ".gz", ".bz2", ".xz", ".zip")
BINARY_TABLES = (".parquet", ".feather", ".xlsx")
SEPARATORS = (",", ";", "\t", "|")
UNNAMED = "Unnamed: "  # what pandas calls a column without a name, with its place
TRAINED = ("number", "category")  # roles
SHOWN = 40  # columns that a description lists
UNPACKED = 5  # times the bytes of its text that a table takes in memory, about
PEEK = 1 << 16  # bytes of a file that are looked at before it is read
MISSING = (
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NA",
    "<NA>",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
    "NaT",
    "NULL",
    "null",
    "None",
    ".",
    "?",
)


def is_table(path: Path) -> bool:
    """Whether a path's suffix, in capitals or not, is that of a table."""
    name = path.name.lower()
    return name.endswith(BINARY_TABLES) or any(
        name.endswith(kind + packed) for kind in TEXT_TABLES for packed in PACKED
    )


def read_table(
    path: Path, reading: Reading, *, scheme: TableScheme | None = None, new: bool = False
) -> Found:
    """Observations and factors of a table in a file; see `from_table`."""
    table, notices = read_file(path, reading)
    return from_table(table, reading, path.name, scheme=scheme, new=new, notices=notices)


def read_file(path: Path, reading: Reading) -> tuple[pd.DataFrame, list[str]]:
    """The table of a file, and what a user should know of how it was read."""
    suffix = path.suffix.lower()
    if reading.sheet is not None and suffix != ".xlsx":
        raise InputError(f"{path} has no sheets: leave out sheet.")
    if suffix not in BINARY_TABLES:
        return read_csv(path, reading)
    if reading.sep is not None:
        raise InputError(f"{path} is no text, so nothing stands between its columns: leave out sep.")
    notices = []
    try:
        if suffix == ".parquet":
            about = read_metadata(path)
            check_room(path, 8 * about.num_rows * about.num_columns, "values")
            table = pd.read_parquet(path)
        elif suffix == ".feather":
            table = pd.read_feather(path)
        else:
            import openpyxl  # noqa: F401  # pandas looks at the file before it says that this is missing

            with zipfile.ZipFile(path) as packed:
                check_room(path, UNPACKED * sum(each.file_size for each in packed.infolist()), "cells")
            with pd.ExcelFile(path, engine="openpyxl") as book:
                names = [str(name) for name in book.sheet_names]
                if reading.sheet is not None and reading.sheet not in names:
                    raise unknown_name(f"sheet of {path.name}", reading.sheet, names)
                table = book.parse(reading.sheet or names[0])
            if reading.sheet is None and len(names) > 1:
                others = ", ".join(map(repr, names[1:6])) + (" …" if len(names) > 6 else "")
                notices = [f"the first sheet, {names[0]!r}, is read, and {others} not (--sheet names one)"]
    except InputError:
        raise
    except ImportError:
        raise InputError(
            f"{path} cannot be read without openpyxl: install it with pip install 'prismae[excel]', or save the sheet "
            "as .csv."
        ) from None
    except (
        OSError,
        ValueError,
        KeyError,
        zipfile.BadZipFile,
    ) as error:  # those of pandas and Arrow are ValueErrors
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is corrupted or no {suffix} table ({reason}).") from None
    if reading.missing:
        table = table.replace(_marks(reading.missing), np.nan)
    return table, notices


def from_table(
    table: pd.DataFrame,
    reading: Reading,
    name: str,
    *,
    scheme: TableScheme | None = None,
    new: bool = False,
    notices: Sequence[str] = (),
) -> Found:
    """Observations, factors and names of rows of a table.

    Parameters
    ----------
    reading
        Which columns are factors, which are left out, and what others are.
    name
        What messages call the table.
    scheme
        How its columns become numbers, where that is known already.
    new
        Whether it is for a model that was trained before: factors may be missing then, and need not vary.
    notices
        What is to be said of it already.

    Raises
    ------
    InputError
        For unknown columns, no column that is left to train on, and as `look` and `labels_of`.
    """
    if isinstance(table.columns, pd.MultiIndex):
        raise InputError(f"{name} has several lines of column names, expected one.")
    checked_names(table, name)
    names = None if _is_default(table.index) else _index_names(table.index)
    factors = chosen(reading.factors, map(str, table.columns), f"column of {name}", new=new)
    drop = chosen(reading.drop, map(str, table.columns), f"column of {name}", new=new)
    labels = labels_of({column: table[column] for column in factors}, len(table), name, new=new)
    rest = table.drop(columns=[*factors, *drop])
    if rest.shape[1] == 0 and len(factors):
        raise InputError(f"{name}: all columns are factors, expected some that are left to train on.")
    if scheme is not None:
        if scheme.index is not None and scheme.index in rest:
            names = rest[scheme.index].astype(str).to_numpy(dtype=str)
        return Found(scheme.to_array(rest, name=name), labels, scheme, names=names, notices=tuple(notices))
    asked = [column for column in (*reading.categorical, *reading.numeric) if column not in drop]
    looked = look(
        rest,
        name,
        categorical=[column for column in reading.categorical if column in asked],
        numeric=[column for column in reading.numeric if column in asked],
    )
    index = _index(rest, looked, reading.index, name, named=names is not None)
    if index is not None:
        names = rest[index].astype(str).to_numpy(dtype=str)
    scheme = TableScheme.of(looked, name=name, index=index)
    x = scheme.to_array(rest, name=name)
    scheme = replace(scheme, left_out=(*scheme.left_out, *drop))
    lines = [
        f"{'(no name)' if column.startswith(UNNAMED) else column}: "
        + ("names of the rows" if column == index else each.said)
        for column, each in looked.items()
    ]
    return Found(
        x,
        labels,
        scheme,
        names=names,
        columns=tuple(
            lines[:SHOWN] + ([f"and {len(lines) - SHOWN:,} columns more"] if len(lines) > SHOWN else [])
        ),
        notices=(*notices, *_notices(looked, index)),
    )


def _index(
    table: pd.DataFrame, looked: dict[str, Column], asked: str | None, name: str, *, named: bool
) -> str | None:
    """The column that names the rows: the one asked for, the first if it does, else the first of texts that does."""
    if asked is not None:
        if asked not in looked:
            raise unknown_name(f"column of {name}", asked, looked)
        return asked
    if named:
        return None
    first = next(iter(looked))
    unnamed = first == "" or first.startswith(UNNAMED)
    if looked[first].role == "rows" or (unnamed and not table[first].hasnans and table[first].is_unique):
        return first
    return next((column for column, each in looked.items() if each.role == "rows" and each.notice), None)


def _notices(looked: dict[str, Column], index: str | None) -> list[str]:
    said = [each.notice for column, each in looked.items() if each.notice and column != index]
    counters = [repr(column) for column, each in looked.items() if each.role == "rows" and not each.notice]
    counters = [column for column in counters if column != repr(index)]
    if counters:
        follow = "follows the rows and is" if len(counters) == 1 else "follow the rows and are"
        said.append(f"{listed(counters)} {follow} left out (else --numeric)")
    lacking = {
        column: int(each.values.isna().sum()) for column, each in looked.items() if each.role in TRAINED
    }
    if missing := sum(lacking.values()):
        several = [repr(column) for column, count in lacking.items() if count]
        values = "value is" if missing == 1 else "values are"
        said.append(f"{missing:,} {values} missing, in {listed(several)}")
    constant = [
        repr(column) for column, each in looked.items() if each.role == "constant" and column != index
    ]
    if constant:
        are = "is" if len(constant) == 1 else "are"
        said.append(f"{listed(constant)} {are} constant: kept as the constant, not trained on")
    return said


def _is_default(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) or bool(
        pd.api.types.is_integer_dtype(index.dtype) and index.equals(pd.RangeIndex(len(index)))
    )


def _index_names(index: pd.Index) -> NDArray:
    if isinstance(index, pd.MultiIndex):
        return np.array([", ".join(map(str, row)) for row in index], dtype=str)
    return index.astype(str).to_numpy(dtype=str)


# text files


def read_csv(path: Path, reading: Reading | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A table of a text file, packed or not, and what a user should know of how it was read.

    What stands between the columns, how the text is encoded and whether the first line holds names is found by itself.

    Raises
    ------
    InputError
        For an empty file, rows longer than the line of names, and a file that cannot be read.
    """
    reading = reading or Reading()
    start, encoding = _start(path)
    sep = {"tab": "\t", "\\t": "\t", "space": r"\s+"}.get(str(reading.sep), reading.sep) or _separator(
        start, path
    )
    first = next(csv.reader(io.StringIO(start), delimiter=sep), []) if len(sep) == 1 else _words(start)
    notices: list[str] = []
    if encoding not in ("utf-8", "utf-16"):
        notices.append(f"the text is no UTF-8, so it is read as {encoding}")
    if sep != "," and reading.sep is None and path.suffix.lower() == ".csv":
        notices.append(f"columns are parted by {_called(sep)}")
    headless = _is_data(first)
    options: dict[str, Any] = {
        "sep": sep,
        "encoding": encoding,
        "low_memory": False,
        "keep_default_na": False,
        "na_values": ["", *(_marks(reading.missing) or MISSING)],
        "header": None if headless else "infer",
    }
    try:
        peek = pd.read_csv(path, **options | {"dtype": str}, nrows=200)
        codes = [
            place
            for place in range(peek.shape[1])
            if (peek.iloc[:, place].dropna().astype(str).str.fullmatch(r"0\d+")).any()
        ]
        kept = {peek.columns[place]: str for place in codes}  # 01234, whose zero is a part of it
        table = pd.read_csv(path, **options, dtype=kept or None)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty.") from None
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        long = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", reason)
        if long:
            reason = f"line {long[2]} has {long[3]} values, the lines before {long[1]}"
        raise InputError(
            f"{path} is no table with {_called(sep)} between columns ({reason}): --sep says what stands there, and "
            "lines above the names have to be taken out."
        ) from None
    if headless:
        table.columns = pd.Index([f"column {i + 1}" for i in range(table.shape[1])])
        notices.append(
            f"the first line holds numbers, so it is read as data and the columns are called {table.columns[0]!r} and "
            "so on"
        )
    elif not isinstance(table.index, pd.RangeIndex):  # a name less than values, as R writes: names of rows
        if isinstance(table.index, pd.MultiIndex):
            raise InputError(
                f"{path} has more values in a row than the {len(first)} names in its first line: lines above the names "
                "have to be taken out, and every column needs a name."
            )
        if not table.index.is_unique:
            raise InputError(
                f"{path} has a value more in a row than the {len(first)} names in its first line: lines above "
                "the names have to be taken out, and every column needs a name."
            )
        notices.append("rows have a value more than there are names: the first is taken for the row's name")
    twice = sorted({each for each in first if each and first.count(each) > 1}) if not headless else []
    if twice:
        notices.append(
            f"{listed([repr(each) for each in twice])} stands twice in the line of names: told apart by .1"
        )
    if reading.missing == ():
        notices += _taken_for_missing(path, table, options)
    return table, notices


def _taken_for_missing(path: Path, table: pd.DataFrame, options: dict[str, Any]) -> list[str]:
    """Texts that were taken for missing values in columns of texts, where they might be values."""
    doubtful = [
        place
        for place in range(table.shape[1])
        if not pd.api.types.is_numeric_dtype(table.dtypes.iloc[place]) and table.iloc[:, place].hasnans
    ]
    if not doubtful or not isinstance(table.index, pd.RangeIndex):
        return []
    written = pd.read_csv(path, **options | {"na_values": [""], "dtype": str}, usecols=doubtful)
    said = []
    for place, column in zip(doubtful, written, strict=True):
        texts = written[column][table.iloc[:, place].isna().to_numpy()].value_counts()
        if len(texts):
            times = ", ".join(f"{text} in {count} rows" for text, count in texts.items())
            said.append(
                f"column {table.columns[place]!r}: {times} taken for missing (--missing '' if that is a value)"
            )
    return said


def _marks(missing: Sequence[str]) -> list[Any]:
    """Texts that stand for a missing value, and the numbers that they are."""
    return list(missing)


def _called(sep: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", r"\s+": "spaces"}.get(sep, repr(sep))


def _start(path: Path) -> tuple[str, str]:
    """The first part of a text, whole lines, and its encoding."""
    try:
        if path.suffix.lower() in PACKED[1:]:
            _check_unpacked(path)
        with _opened(path) as file:
            start = file.read(PEEK)
            if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                encoding = "utf-16"
            else:
                encoding = "utf-8" if _is_utf8(start, file) else "latin-1"
    except InputError:
        raise
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read ({error}).") from None
    if b"\0" in start and encoding != "utf-16":
        raise InputError(f"{path} is no text, expected a table with commas between columns.")
    text = start.decode(encoding, errors="ignore").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(lines[:-1] if len(start) == PEEK and len(lines) > 1 else lines), encoding


def _is_utf8(start: bytes, file: Any) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(start)
        while part := file.read(1 << 20):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _check_unpacked(path: Path) -> None:
    """Refuse a text that unpacks to more than a table of it has room for; it is counted, since packed files lie."""
    n, most = 0, memory() / UNPACKED
    with _opened(path) as file:
        while n <= most and (part := file.read(1 << 20)):
            n += len(part)
    if n > most:
        raise InputError(
            f"{path} unpacks to over {most / 1e9:.2g} GB of text, and a table of it takes about {UNPACKED} times as "
            "much memory: expected a smaller file."
        )


def _opened(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        packed = zipfile.ZipFile(path)
        return packed.open(packed.namelist()[0])
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(suffix, open)
    return opener(path, "rb")


def _separator(start: str, path: Path) -> str:
    """What stands between columns: that which parts the first lines into the same number of values, and most."""
    if path.name.lower().split(".")[-1] in ("tsv", "tab") or path.name.lower().endswith(
        (".tsv.gz", ".tab.gz")
    ):
        return "\t"
    best, most = ",", 0.0
    for sep in SEPARATORS:
        widths = [len(row) for row in csv.reader(io.StringIO(start), delimiter=sep) if row][:50]
        if not widths or widths[0] < 2:
            continue
        usual = max(set(widths), key=widths.count)
        share = widths.count(usual) / len(widths)
        value = share if usual > 1 else 0.0
        if value > most + 0.2:
            best, most = sep, value
    if most == 0.0:  # numbers with spaces between them
        rows = [_words(line) for line in start.splitlines() if line.strip()][:50]
        widths = [len(row) for row in rows]
        of_numbers = sum(_is_number(each) for row in rows[1:] for each in row)
        alike = len(set(widths[1:])) == 1 and widths[0] in (widths[1], widths[1] - 1)
        if alike and widths[1] > 1 and of_numbers > sum(widths[1:]) / 3:
            return r"\s+"
    return best


def _words(text: str) -> list[str]:
    """The first line's words, of which quotes hold several together."""
    words = next(csv.reader(io.StringIO(text.strip()), delimiter=" ", skipinitialspace=True), [])
    return [each for word in words for each in (word.split("\t") if "\t" in word else [word]) if each]


def _is_data(first: Sequence[str]) -> bool:
    """Whether a first line holds data: at least half of it numbers, which are not names such as 0, 1, 2 or years."""
    numbers = [each for each in first if _is_number(each)]
    if len(numbers) < max(1, len(first) / 2):
        return False
    whole = [each for each in numbers if re.fullmatch(r"\d+", each.strip())]
    if len(whole) == len(numbers) > 1:
        steps = set(np.diff([int(each) for each in whole]).tolist())
        if len(steps) == 1 and min(steps) > 0:
            return False
    return True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")
