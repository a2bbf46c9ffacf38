"""Own data in sheets of a spreadsheet: which is read, how far it reaches, and formulas that have no values."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._files import check_room
from prismae._text import listed
from prismae.data.packed_text import UNPACKED
from prismae.data.table_edges import SEEN, lines_left_out, without_ends
from prismae.errors import InputError, unknown_name

_PART = 1 << 20  # bytes of XML that are looked at together
_FILLED = 10_000_000  # cells up to the last row and column, above which not all but
_SPARSE = 100  # times as many as there are may be empty
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet of Excel

_TAG = rb"[^<>]{0,400}?"  # between the name of an element and an attribute; bounded, lest a search takes for ever
_ROW = re.compile(rb'<(?:\w+:)?row\b%s\br="(\d+)"' % _TAG)
_CELL = re.compile(rb'<(?:\w+:)?c\b%s\br="([A-Za-z]+)\d+"' % _TAG)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b%s\bref="([A-Za-z]+)(\d+):[A-Za-z]+(\d+)"' % _TAG)
# a formula beside which stands no value; that of a text may be empty (t="str")
_UNKNOWN = re.compile(
    rb'<(?:\w+:)?c\b(?!%s\bt="str")%s\br="([A-Za-z]+\d+)"%s>\s*'
    rb"<(?:\w+:)?f\b(?:%s/>|%s>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>" % ((_TAG,) * 5)
)


def read_sheet(path: Path, asked: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The table of the sheet of an .xlsx file that is asked for, else of the first that has a table, and what is to be
    said of it.

    Raises
    ------
    InputError
        For an unknown sheet, one that reaches further than there is memory, and formulas that were never computed.
        Whatever else pandas and openpyxl raise says that the file is damaged.
    """
    with zipfile.ZipFile(path) as packed:
        check_room(path, UNPACKED * sum(each.file_size for each in packed.infolist()), "cells")
        with pd.ExcelFile(path, engine="openpyxl") as book:
            names = [str(sheet.title) for sheet in book.book.worksheets]  # and no sheets that are a chart
            if asked is not None and asked not in names:
                raise unknown_name(f"sheet of {path.name}", asked, names)
            return _read(path, packed, book, asked, names)


def _read(
    path: Path, packed: zipfile.ZipFile, book: Any, asked: str | None, names: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    notices: list[str] = []
    sheets = [asked] if asked is not None else names
    looked = (
        (
            name,
            _merged(path, packed, book, name),
            pd.read_excel(book, sheet_name=name, header=None, nrows=SEEN),
        )
        for name in sheets
    )
    name, merged, raw = next(
        (each for each in looked if min(each[2].shape) > 0 and len(each[2]) > 2), (sheets[0], [], None)
    )
    if asked is None and len(names) > 1:
        others = [repr(each) for each in names if each != name]
        which = (
            f"the first sheet, {name!r},"
            if name == names[0]
            else f"the sheet {name!r}, the first with a table,"
        )
        notices.append(f"{which} is read, and {listed(others)} not (--sheet names one)")
    if raw is None:
        return _named(pd.read_excel(book, sheet_name=name)), notices
    first = int(raw.notna().any().to_numpy().argmax())
    cells = [
        ["" if pd.isna(cell) else str(cell).strip() for cell in row]
        for row in raw.to_numpy(dtype=object).tolist()
    ]
    for top, bottom, column in merged:
        for row in cells[top + 1 : bottom + 1]:
            row[column : column + 1] = cells[top][column : column + 1]
    left_out, said = lines_left_out([row[first:] for row in cells])
    columns = range(first, raw.shape[1])
    table = _named(pd.read_excel(book, sheet_name=name, skiprows=left_out, usecols=columns))
    names_at = min(set(range(len(left_out) + 1)) - set(left_out))
    below = names_at + 1 + sum(line > names_at for line in left_out)  # where the table begins
    table, said_merged = _with_merged(table, cells, (names_at, below, first), merged)
    table, said_below = without_ends(table)
    return table, notices + said + said_merged + said_below


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The table with names that are texts: years and dates are names too."""
    return table.set_axis(list(map(str, table.columns)), axis=1)


def _with_merged(
    table: pd.DataFrame,
    cells: Sequence[Sequence[str]],
    place: tuple[int, int, int],
    merged: Sequence[tuple[int, int, int]],
) -> tuple[pd.DataFrame, list[str]]:
    """The table with values of merged cells in all rows that these reach over, and their names where they begin above.

    Parameters
    ----------
    place
        The rows of the names and of the first values, and the first column, in the sheet.
    """
    names_at, below, first = place
    names = list(table.columns)
    taken: dict[int, NDArray[np.int64]] = {}  # column → the rows whose values are its
    for top, bottom, column in merged:
        at = column - first
        if not 0 <= at < len(names):
            continue
        if top < names_at <= bottom:
            names[at] = cells[names_at][column] or names[at]
        if below <= top < below + len(table) - 1:
            rows = taken.setdefault(at, np.arange(len(table)))
            rows[top - below : bottom - below + 1] = top - below
    filled = []
    for at, rows in taken.items():
        table.isetitem(at, table.iloc[:, at].take(rows).array)
        filled.append(f"{int((rows != np.arange(len(rows))).sum()):,} more of {names[at]!r}")
    said = [f"merged cells hold for all of their rows: {listed(filled)}"] if filled else []
    return table.set_axis(names, axis=1), said


def _merged(path: Path, packed: zipfile.ZipFile, book: Any, name: str) -> list[tuple[int, int, int]]:
    """Merged cells of a sheet: their first and last row, where these are several, and first column, from 0.

    Raises
    ------
    InputError
        For a sheet that cannot be read: openpyxl fills it up to its last row and column, and takes formulas without
        values for empty cells.
    """
    rows, columns, n, unknown, merged = 0, 0, 0, list[str](), list[tuple[int, int, int]]()
    for part in _rows_of(packed, book.book[name]._worksheet_path):  # which openpyxl tells nobody else
        rows = max([rows, *map(int, _ROW.findall(part))])
        cells = _CELL.findall(part)
        n += len(cells)
        columns = max([columns, *map(_column, set(cells))])
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
    return [each for each in merged if each[0] < each[1]]


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
