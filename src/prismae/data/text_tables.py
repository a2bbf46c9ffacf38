"""Own data in tables of text: how they are read."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from prismae.data.files import looks_like
from prismae.data.packed_text import opened, start_of
from prismae.data.separators import cells_of, in_single_quotes, in_words, separator
from prismae.data.table_edges import (
    MISSING,
    check_one_table,
    head_of,
    names_of,
    repeated_names,
    same_names,
    told_apart,
    without_ends,
    without_rules,
)
from prismae.errors import InputError, of_system
from prismae.settings import Reading


def read_csv(path: Path, reading: Reading | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A table of a text file, packed or not, and what a user should know of how it was read.

    What stands between the columns, how the text is encoded and which line holds names is found by itself.

    Raises
    ------
    InputError
        For an empty file, rows longer than the line of names, and a file that cannot be read.
    """
    reading = reading or Reading()
    start, encoding = start_of(path)
    notices: list[str] = []
    if encoding not in ("utf-8", "utf-16", "utf-32"):
        one_byte = encoding in ("latin-1", "cp1252")
        seems = looks_like(start.encode(encoding, errors="ignore")) if one_byte else []
        ways = " or ".join(f"iconv -f {each} -t UTF-8" for each in seems)
        mend = (
            f", but seems to be {' or '.join(seems)}: {ways} mends it"
            if seems
            else " (else save it as UTF-8)"
        )
        notices.append(f"the text is no UTF-8, so it is read as {encoding}{mend}")
    said = re.match(r"(?i)sep=(.)\r?\n", start)  # a line for Excel
    sep = {"tab": "\t", "\\t": "\t", "space": r"\s+"}.get(str(reading.sep), reading.sep)
    sep = sep or (said[1] if said else separator(_without_comments(start), path))
    if sep != "," and reading.sep is None and path.suffix.lower() == ".csv":
        notices.append(f"columns are parted by {in_words(sep)}")
    quote = "'" if in_single_quotes(start) else '"'
    rows = cells_of(start, sep, quote)
    check_one_table(without_rules(rows), path)
    _check_parted(rows, start, path)
    head = head_of(rows, start=1 if said else 0)
    notices += head.said
    kept = [row for i, row in enumerate(rows) if i not in head.left_out]
    first = head.line or (kept[0] if kept else [])
    options: dict[str, Any] = {
        "sep": sep,
        "encoding": encoding,
        "low_memory": False,
        "keep_default_na": False,
        "na_values": ["", *(() if "" in reading.missing else MISSING), *reading.missing],
        "header": "infer" if head.names is None else None,
        "quotechar": quote,
        "skipinitialspace": True,
        "skiprows": head.left_out,
        "index_col": False if _end_in_separators(kept, len(first)) else None,
    }
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Length of header or names", pd.errors.ParserWarning)
            peek = _table(path, **options | {"dtype": str}, nrows=200)
            codes = [
                place
                for place in range(peek.shape[1])
                if (peek.iloc[:, place].dropna().astype(str).str.fullmatch(r"0\d+")).any()
            ]
            texts = {peek.columns[place]: str for place in codes}  # 01234, whose zero is a part of it
            table = _table(path, **options, dtype=texts or None)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty.") from None
    except (OSError, ValueError, EOFError) as error:
        if "out of memory" in str(error):
            raise MemoryError from None
        if of_system(error):
            raise
        reason = " ".join(str(error).split())
        long = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", reason)
        if long:
            reason = f"line {long[2]} has {long[3]} values, the lines before {long[1]}"
        raise InputError(
            f"{path} is no table with {in_words(sep)} between columns ({reason}): --sep says what stands there, and "
            "lines of other lengths, such as settings above the names, have to be mended or taken out."
        ) from None
    if head.names is not None:
        table.columns = names_of(head.names, table.shape[1])
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
    else:
        notices += same_names(head.line)
    table = _trimmed(table, options["na_values"])
    if "" not in reading.missing:
        notices += _taken_for_missing(path, table, options, reading.missing)
    table, again = repeated_names(table, head.line)
    table, said_below = without_ends(table)
    return table, [*notices, *again, *said_below]


def _check_parted(rows: Sequence[Sequence[str]], start: str, path: Path) -> None:
    """Refuse lines that quotes hold together, and columns that begin at the same letter of each line."""
    cells = [row[0] for row in rows if any(row)]
    if len(cells) < 3 or any(len(row) > 1 for row in rows):
        return
    text = "\n".join(cells)
    within = {len(row) for row in cells_of(text, separator(text, path)) if any(row)}
    quoted = all(line[:1] == line.rstrip()[-1:] == '"' for line in start.split("\n") if line.strip())
    if quoted and len(within) == 1 and within != {1}:
        raise InputError(f"{path} has each of its lines in quotes, as one value: take these quotes away.")
    if all(re.search(r"\S {2,}\S", cell) for cell in cells):
        raise InputError(
            f"{path} has columns of fixed width, which are not found by themselves: save the table of "
            f"pandas.read_fwf({path.name!r}) as .csv."
        )


def _table(path: Path, **options: Any) -> pd.DataFrame:
    with opened(path) as file:
        return pd.read_csv(file, **options)


def _without_comments(start: str) -> str:
    lines = start.split("\n")
    kept = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    return "\n".join(lines[kept:])


def _end_in_separators(rows: Sequence[Sequence[str]], n_names: int) -> bool:
    """Whether there stands a separator behind the last value of each row, and none behind the last name."""
    below = [row for row in rows[1:] if any(row)]
    return len(below) > 0 and all(len(row) == n_names + 1 and row[-1] == "" for row in below)


def _trimmed(table: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """The table with names and texts without spaces around them; names that are the same then are told apart."""
    table.columns = told_apart(table.columns)
    for called, kind in zip(table.columns, table.dtypes, strict=True):
        if isinstance(kind, pd.StringDtype) or pd.api.types.is_object_dtype(kind):
            texts = table[called]
            stripped = (
                texts.str.strip()
                if isinstance(kind, pd.StringDtype)
                else texts.map(lambda each: each.strip() if isinstance(each, str) else each)
            )
            if not stripped.equals(texts):
                table[called] = stripped.mask(stripped.isin(missing))
    return table


def _taken_for_missing(
    path: Path, table: pd.DataFrame, options: dict[str, Any], said_so: Sequence[str]
) -> list[str]:
    """Texts that were taken for missing values in columns of texts, where they might be values and nobody said so."""
    doubtful = [
        place
        for place in range(table.shape[1])
        if not pd.api.types.is_numeric_dtype(table.dtypes.iloc[place]) and table.iloc[:, place].hasnans
    ]
    if not doubtful or not isinstance(table.index, pd.RangeIndex):
        return []
    written = _table(path, **options | {"na_values": ["", *said_so], "dtype": str}, usecols=doubtful)
    said = []
    for place, column in zip(doubtful, written, strict=True):
        texts = written[column][table.iloc[:, place].isna().to_numpy()].value_counts()
        if len(texts):
            times = ", ".join(f"{text} in {count} rows" for text, count in texts.items())
            said.append(
                f"column {table.columns[place]!r}: {times} taken for missing (--missing '' if that is a value)"
            )
    return said
