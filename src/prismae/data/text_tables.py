"""Own data in tables of text: how a file is encoded, what stands between its columns, and whether it has names."""

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
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prismae.data.columns import listed
from prismae.data.files import memory
from prismae.errors import InputError
from prismae.settings import Reading

PACKED = ("", ".gz", ".bz2", ".xz", ".zip")
SEPARATORS = (",", ";", "\t", "|")
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
        "na_values": ["", *(reading.missing or MISSING)],
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
