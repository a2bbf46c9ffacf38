"""What stands around a table in a file: titles above its names, units below them, texts and totals at its foot."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from prismae.data.totals import without_totals

SEEN = 50  # lines that are looked at before a table is read
EXPLAINED = 3  # lines at most of units or questions below the names
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


def lines_left_out(rows: Sequence[Sequence[str]], start: int = 0) -> tuple[list[int], list[str]]:
    """Lines above the names and of units below them, by their place among the first rows of a table, and in words.

    The names are looked for from the line `start` on.
    """
    place = names_at(rows, start)
    left_out, said = [*range(place)], []
    above = [" ".join(filter(None, row)) for row in rows[start:place] if any(row)]
    if above:
        are = "1 line above the names is" if len(above) == 1 else f"{len(above)} lines above the names are"
        said.append(f"{are} left out: {_short(above)}")
    if place < len(rows) and not is_data(rows[place]) and (below := _explained(rows, place)):
        left_out += range(place + 1, place + 1 + below)
        lines = "the line" if below == 1 else f"{below} lines"
        are = "is taken for units or a question" if below == 1 else "are taken for units or questions"
        said.append(f"{lines} below the names {are} and left out: {_short(rows[place + 1])}")
    return left_out, said


def without_ends(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A file's table without the empty rows, the lines of text and the rows of totals below it, and these in words."""
    kept, said = _without_texts(table)
    above, totals = without_totals(kept)
    if len(above) < len(kept):  # there may be an empty row between the two
        above, empty = _without_texts(above)
        return above.apply(_as_numbers), [*said, *totals, *empty]
    return (kept if len(kept) == len(table) else kept.apply(_as_numbers)), [*said, *totals]


def _without_texts(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A table without the empty rows and the lines of text below it, and these in words.

    A line of text is a row with a value in the first of several columns alone, where no row further up is so.
    """
    there = table.notna().to_numpy()
    alone = there[:, 0] & ~there[:, 1:].any(axis=1) & (there.shape[1] > 2)
    filled = np.flatnonzero(there.any(axis=1))
    full = np.flatnonzero(there.any(axis=1) & ~alone)
    if len(full) == 0:
        return table, []
    end = full[-1] + 1 if not alone[: full[-1]].any() else filled[-1] + 1
    below = table.iloc[end:, 0].dropna()
    if end == len(table):
        return table, []
    said = []
    if len(below):
        are = "1 line below the table is" if len(below) == 1 else f"{len(below)} lines below the table are"
        said.append(f"{are} left out: {_short(list(map(str, below)))}")
    if empty := len(table) - end - len(below):
        are = "1 empty row below the table is" if empty == 1 else f"{empty:,} empty rows below the table are"
        said.append(f"{are} left out")
    return table.iloc[:end], said


def _as_numbers(column: pd.Series) -> pd.Series:
    """A column of texts as pandas reads it: as numbers where it holds nothing else, and no code such as 01234."""
    if not (pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)):
        return column
    texts = column.dropna().astype(str)
    numbers = pd.to_numeric(texts, errors="coerce")
    if len(texts) == 0 or numbers.isna().any() or texts.str.fullmatch(r"0\d+").any():
        return column
    return numbers.reindex(column.index)


def names_at(rows: Sequence[Sequence[str]], start: int) -> int:
    """The place of the line of names among the first rows of a table, from `start` on.

    That is the first, unless the first line of texts alone that has a name for every column and stands above numbers
    comes later, and all lines above it have none for some column but the first: titles, empty lines, comments, names of
    groups of columns.
    """
    while start < len(rows) - 1 and (not any(rows[start]) or _is_comment(rows, start)):
        start += 1
    rows = list(map(_without_last, rows)) if _all_end_empty(rows) else rows
    width = max((len(row) for row in rows[start:]), default=0, key=[len(row) for row in rows].count)
    for place in range(start, len(rows) - 1):
        full = (
            len(rows[place]) == width and all(rows[place]) and not any(map(is_number, _no_years(rows[place])))
        )
        if full and any(map(is_number, rows[place + 1])):
            return place if place > start else start
        if len(rows[place]) >= width - 1 and all(rows[place][1:]) and any(rows[place]):
            break
    return start


def _all_end_empty(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a separator stands behind each line, titles and names among them."""
    return all(len(row) > 1 and row[-1] == "" for row in rows if any(row))


def _without_last(row: Sequence[str]) -> Sequence[str]:
    return row[:-1]


def _no_years(names: Sequence[str]) -> Sequence[str]:
    """The names of a line that are no years."""
    return [each for each in names if not re.fullmatch(r"(1[5-9]|20)\d\d", each)]


def _is_comment(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether a line that begins with # is not that of the names."""
    if not rows[place][0].startswith("#"):
        return False
    following = next((row for row in rows[place + 1 :] if any(row)), [])
    return len(rows[place]) != len(following) or len(following) < 2 or following[0].startswith("#")


def _explained(rows: Sequence[Sequence[str]], place: int) -> int:
    """How many lines below the names hold no data, but the units of columns or, of surveys, their questions.

    There are texts in them above numbers: in two columns or more, and where a text holds a digit, above all numbers.
    """
    for n in range(min(EXPLAINED, len(rows) - place - 3), 0, -1):
        lines = rows[place + 1 : place + 1 + n]
        below = [row for row in rows[place + 1 + n :] if any(row)]
        of_numbers = [column for column in range(len(rows[place])) if holds_numbers(below, column)]
        above = [[row[column] for column in of_numbers if column < len(row)] for row in lines]
        texts = [[each for each in cells if each not in ("", *MISSING)] for cells in above]
        if len(below) >= 2 and all(
            len(cells) >= 2
            and not any(map(is_number, (*cells, *row)))
            and (len(cells) == len(of_numbers) or not any(re.search(r"\d", each) for each in row))
            for cells, row in zip(texts, lines, strict=True)
        ):
            return n
    return 0


def holds_numbers(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether all cells of a column that are not empty are numbers."""
    cells = [row[column] for row in rows if column < len(row) and row[column] not in ("", *MISSING)]
    return bool(cells) and all(map(is_number, cells))


def is_data(first: Sequence[str]) -> bool:
    """Whether a first line holds data: at least half of it numbers, which are not names such as 0, 1, 2 or years."""
    numbers = [each for each in first if is_number(each)]
    if len(numbers) < max(1, len(first) / 2):
        return False
    whole = [each for each in numbers if re.fullmatch(r"\d+", each.strip())]
    if len(whole) == len(numbers) > 1:
        steps = set(np.diff([int(each) for each in whole]).tolist())
        if len(steps) == 1 and min(steps) > 0:
            return False
    return True


def is_number(text: str) -> bool:
    """Whether a cell is a number as Python writes it."""
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def _short(cells: Sequence[str]) -> str:
    text = " | ".join(filter(None, cells))
    return repr(text if len(text) <= 60 else text[:59] + "…")
