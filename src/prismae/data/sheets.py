"""Own data in sheets of a spreadsheet: which is read, how far it reaches, and formulas that have no values."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._files import check_room
from prismae._text import listed
from prismae.data.packed_text import UNPACKED
from prismae.data.table_edges import (
    MISSING,
    SEEN,
    as_numbers,
    check_one_table,
    head_of,
    names_of,
    repeated_names,
    same_names,
    told_apart,
    without_ends,
)
from prismae.errors import InputError, unknown_name
from prismae.settings import Reading

_PART = 1 << 20  # bytes of XML that are looked at together
_FILLED = 10_000_000  # cells up to the last row and column, above which not all but
_SPARSE = 100  # times as many as there are may be empty
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet of Excel

_TAG = rb"[^<>]{0,400}?"  # between the name of an element and an attribute; bounded, lest a search takes for ever
_ROW = re.compile(rb'<(?:\w+:)?row\b%s\br="(\d+)"' % _TAG)
_CELL = re.compile(rb'<(?:\w+:)?c\b%s\br="([A-Za-z]+)\d+"' % _TAG)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b%s\bref="([A-Za-z]+)(\d+):[A-Za-z]+(\d+)"' % _TAG)
_WRONG = re.compile(rb'<(?:\w+:)?c\b(?=%s\bt="e")%s\br="([A-Z]+\d+)"' % (_TAG, _TAG))  # #DIV/0! and the like
_HIDDEN = re.compile(rb'<(?:\w+:)?(?:row|col)\b%s\bhidden="(?:1|true)"' % _TAG)
# a formula beside which stands no value; that of a text may be empty (t="str")
_UNKNOWN = re.compile(
    rb'<(?:\w+:)?c\b(?!%s\bt="str")%s\br="([A-Za-z]+\d+)"%s>\s*'
    rb"<(?:\w+:)?f\b(?:%s/>|%s>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>" % ((_TAG,) * 5)
)


def read_sheet(path: Path, reading: Reading) -> tuple[pd.DataFrame, list[str]]:
    """The table of the sheet of an .xlsx file that is asked for, else of the first that has a table and is not hidden,
    and what is to be said of it.

    Raises
    ------
    InputError
        Where openpyxl is not installed, for an unknown sheet, one that reaches further than there is memory, and
        formulas that were never computed. Whatever else pandas and openpyxl raise says that the file is damaged.
    """
    try:
        import openpyxl  # noqa: F401  # pandas looks at the file before it says that this is missing
    except ImportError:
        raise InputError(
            f"{path} cannot be read without openpyxl: install it with pip install 'prismae[excel]', or save the sheet "
            "as .csv."
        ) from None
    with zipfile.ZipFile(path) as packed:
        check_room(path, UNPACKED * sum(each.file_size for each in packed.infolist()), "cells")
        _check_texts(path, packed)
        with pd.ExcelFile(path, engine="openpyxl") as book:
            shown = {
                str(sheet.title): sheet.sheet_state == "visible" for sheet in book.book.worksheets
            }  # no charts
            if reading.sheet is not None and reading.sheet not in shown:
                raise unknown_name(f"sheet of {path.name}", reading.sheet, shown)
            return _read(path, packed, book, reading, shown)


def _check_texts(path: Path, packed: zipfile.ZipFile) -> None:
    """Refuse a text without end, for which the parser of XML takes the square of its length."""
    for member in packed.infolist():
        if member.filename.endswith(".xml") and member.file_size > _PART:
            with packed.open(member) as file:
                while part := file.read(_PART):
                    if len(part) == _PART and b"<" not in part:
                        raise InputError(
                            f"{path}: {member.filename} holds {member.file_size / 1e6:,.0f} MB, over 1 MB of it in one "
                            "text, and a cell of a spreadsheet at most 32,767 letters: expected texts of such length."
                        )


def _read(
    path: Path, packed: zipfile.ZipFile, book: Any, reading: Reading, shown: Mapping[str, bool]
) -> tuple[pd.DataFrame, list[str]]:
    notices: list[str] = []
    names = [name for name in shown if shown[name]] or [*shown]
    sheets = names if reading.sheet is None else [reading.sheet]
    looked = (_cells(path, packed, book, name) for name in sheets)
    every = next((each for each in looked if min(each.cells.shape) > 0 and len(each.cells) > 2), None)
    sheet = _cells(path, packed, book, sheets[0]) if every is None else every
    if reading.sheet is None and len(shown) > 1:
        others = [repr(each) for each in shown if each != sheet.name]
        first = "the first sheet" if sheet.name == next(iter(shown)) else "the sheet"
        why = "" if first == "the first sheet" else ", the first with a table"
        notices.append(
            f"{first}{',' * (not why)} {sheet.name!r}{why}, is read, and {listed(others)} not (--sheet names one)"
        )
    at = int(sheet.cells.notna().any().to_numpy().argmax()) if sheet.cells.size else 0
    rows = [
        ["" if pd.isna(cell) else str(cell).strip() for cell in row]
        for row in sheet.cells.iloc[:SEEN].to_numpy(dtype=object).tolist()
    ]
    for top, bottom, column in sheet.merged:
        for row in rows[top + 1 : bottom + 1]:
            row[column : column + 1] = rows[top][column : column + 1]
    rows = [row[at:] for row in rows]
    check_one_table(rows, path)
    head = head_of(rows)
    below = len(head.left_out) + bool(head.line and head.names is None)
    table = sheet.cells.iloc[below:, at:].reset_index(drop=True)
    columns = names_of(head.line if head.names is None else head.names, table.shape[1])
    table = table.set_axis(told_apart(columns), axis=1)
    table, merged = _with_merged(table, (below, at), sheet.merged)
    table, taken = _without_missing(table, () if "" in reading.missing else MISSING)
    table, again = repeated_names(table.apply(as_numbers), head.line)
    table, ends = without_ends(table)
    said = [*head.said, *same_names(head.line), *merged, *sheet.said, *taken, *again, *ends]
    return table.infer_objects(), notices + said


def _without_missing(table: pd.DataFrame, missing: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The table without the texts that stand for missing values, and what is to be said of them in columns of texts."""
    said = []
    for name in table.columns:
        gone = table[name].isin(missing)
        if gone.any():
            counts = table[name][gone].value_counts()
            table[name] = table[name].mask(gone)
            if table[name].map(lambda each: isinstance(each, str)).any():
                times = ", ".join(f"{text} in {count} rows" for text, count in counts.items())
                said.append(f"column {name!r}: {times} taken for missing (--missing '' if that is a value)")
    return table, said


def _with_merged(
    table: pd.DataFrame, place: tuple[int, int], merged: Sequence[tuple[int, int, int]]
) -> tuple[pd.DataFrame, list[str]]:
    """The table with values of merged cells in all rows that these reach over.

    Parameters
    ----------
    place
        The row of the first values, and the first column, in the sheet.
    """
    below, first = place
    taken: dict[int, NDArray[np.int64]] = {}  # column → the rows whose values are its
    for top, bottom, column in merged:
        at = column - first
        if 0 <= at < table.shape[1] and below <= top < below + len(table) - 1:
            rows = taken.setdefault(at, np.arange(len(table)))
            rows[top - below : bottom - below + 1] = top - below
    filled = []
    for at, rows in taken.items():
        table.isetitem(at, table.iloc[:, at].take(rows).array)
        filled.append(f"{int((rows != np.arange(len(rows))).sum()):,} more of {table.columns[at]!r}")
    return table, [f"merged cells hold for all of their rows: {listed(filled)}"] if filled else []


@dataclass(frozen=True)
class _Sheet:
    """The cells of a sheet, merged ones as their first and last row, where these are several, and first column, from 0;
    and what is to be said of them."""

    name: str
    cells: pd.DataFrame
    merged: list[tuple[int, int, int]]
    said: list[str]


def _cells(path: Path, packed: zipfile.ZipFile, book: Any, name: str) -> _Sheet:
    """The cells of a sheet.

    Raises
    ------
    InputError
        For a sheet that cannot be read: openpyxl fills it up to its last row and column, and takes formulas without
        values for empty cells.
    """
    rows, columns, n, hidden = 0, 0, 0, 0
    unknown, wrong, merged = list[str](), list[str](), list[tuple[int, int, int]]()
    for part in _rows_of(packed, book.book[name]._worksheet_path):  # which openpyxl tells nobody else
        rows = max([rows, *map(int, _ROW.findall(part))])
        cells = _CELL.findall(part)
        n += len(cells)
        columns = max([columns, *map(_column, set(cells))])
        hidden += len(_HIDDEN.findall(part))
        wrong += [each.decode() for each in _WRONG.findall(part)]
        unknown += [each.decode() for each in _UNKNOWN.findall(part)]
        for letters, top, bottom in _MERGED.findall(part):
            merged.append((int(top) - 1, int(bottom) - 1, _column(letters) - 1))
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS:
        raise InputError(
            f"{path} is corrupted: the sheet {name!r} has {rows:,} rows and {columns:,} columns."
        )
    if rows * columns > max(_FILLED, _SPARSE * n):
        raise InputError(
            f"{path}: the sheet {name!r} has {n:,} cells, which are spread over {rows:,} rows and {columns:,} columns: "
            "remove what stands far from the table, or save the table as .csv."
        )
    if unknown:
        raise InputError(
            f"{path}: {len(unknown):,} cells of the sheet {name!r} hold formulas whose values were never computed "
            f"({listed(unknown)}): open the file in a spreadsheet program and save it, or save the values as .csv."
        )
    said = []
    if wrong:
        cells_are = "cell holds an error" if len(wrong) == 1 else "cells hold errors"
        said.append(f"{len(wrong):,} {cells_are} in place of a value ({listed(wrong)}): taken for missing")
    if hidden:
        lines = "row or column is" if hidden == 1 else "rows or columns are"
        said.append(f"{hidden:,} {lines} hidden in the sheet {name!r}, and read as the others")
    found = pd.read_excel(
        book, sheet_name=name, header=None, dtype=object, keep_default_na=False, na_values=[""]
    )
    return _Sheet(name, found, [each for each in merged if each[0] < each[1]], said)


def _rows_of(packed: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """The XML of a sheet in parts that end with rows, or merged cells, as far as these are no longer than a part."""
    rest = b""
    with packed.open(member) as file:
        while part := file.read(_PART):
            end_of = b"/>" if b"mergeCell " in part else b"row>"
            whole, end, rest = (rest + part).rpartition(end_of)
            yield whole + end
            rest = rest[-_PART:]
    yield rest


def _column(letters: bytes) -> int:
    """The number of a column from its letters: A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper()[:8]:
        number = 26 * number + letter - 64
    return number
