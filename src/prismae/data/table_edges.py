"""What stands around a table in a file: titles above its names, units below them, texts and totals at its foot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prismae._text import listed
from prismae.data.totals import without_totals
from prismae.errors import InputError

SEEN = 200  # lines that are looked at before a table is read
UNNAMED = "Unnamed: "  # what pandas calls a column without a name, with its place
EXPLAINED = 3  # lines at most of units or questions below the names
_RULE = re.compile(r"[\s|+:=-]*(?:-{2,}|={2,})[\s|+:=-]*")  # drawn by signs
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


@dataclass(frozen=True)
class Head:
    """What stands above the rows of a table.

    Parameters
    ----------
    left_out
        Lines that are not read, by their place among the first rows.
    said
        What they are, in words.
    line
        The line of names; [] where there is none, or not one alone.
    names
        The names, where they do not stand in one line alone: two lines joined, or numbers where there are none.
    """

    left_out: list[int]
    said: list[str]
    line: list[str]
    names: list[str] | None = None


def head_of(rows: Sequence[Sequence[str]], start: int = 0) -> Head:
    """The lines above the names and of units below them among the first rows of a table, and the names.

    The names are looked for from the line `start` on.
    """
    drawn, rows = rows, without_rules(rows)
    place = names_at(rows, start)
    left_out, said = [*range(place)], []
    line = list(rows[place]) if place < len(rows) else []
    if is_data(line):
        names = [f"column {i + 1}" for i in range(max(map(len, rows[place:])))]
        said = _above(rows[start:place])
        said.append(
            f"the first line holds numbers, so it is read as data and the columns are called {names[0]!r} and so on"
        )
        return Head(left_out, said, [], names)
    joined, first, last = _joined(rows, place, start) or (None, place, place)
    said = _above(rows[start:first])
    if joined is not None:
        said.append(f"names stand in two lines, which are joined: {_short(joined)}")
        left_out = [*range(last + 1)]
    while last + 1 < len(rows) and rows[last + 1] != drawn[last + 1]:
        left_out.append(last := last + 1)
    if below := _explained(rows, last):
        left_out += range(last + 1, last + 1 + below)
        lines = "the line" if below == 1 else f"{below} lines"
        are = "is taken for units or a question" if below == 1 else "are taken for units or questions"
        said.append(f"{lines} below the names {are} and left out: {_short(rows[last + 1])}")
    return Head(left_out, said, line if joined is None else [], joined)


def _above(rows: Sequence[Sequence[str]]) -> list[str]:
    above = [" ".join(filter(None, row)) for row in rows if any(row)]
    are = "1 line above the names is" if len(above) == 1 else f"{len(above)} lines above the names are"
    return [f"{are} left out: {_short(above)}"] if above else []


def _joined(rows: Sequence[Sequence[str]], place: int, start: int) -> tuple[list[str], int, int] | None:
    """Names that stand in two lines, groups above what tells their columns apart; and the first and last line of them.

    They are joined where the line at `place` alone names several columns the same, or some not at all.
    """
    for upper in (place, place - 1):
        lower = upper + 1
        if upper < start or lower + 1 >= len(rows):
            continue
        names, width = rows[lower], len(rows[lower])
        groups = [*rows[upper], *[""] * width][:width]
        alone = names if lower == place else groups
        lacks = any(not each or alone.count(each) > 1 for each in alone[1:]) or (
            lower == place and not names[0]
        )
        numbers = any(map(is_number, (*_no_years(groups), *names)))
        data = next((row for row in rows[lower + 1 :] if any(row[1:])), [])
        if not lacks or numbers or sum(map(bool, groups)) < 2 or not any(map(is_number, data)):
            continue
        for i in range(1, width):
            groups[i] = groups[i] or (groups[i - 1] if names[i] else "")
        joined = [f"{group} {name}".strip() for group, name in zip(groups, names, strict=True)]
        if len({*joined}) < width or not all(joined[1:]):
            continue
        below = rows[lower + 1]
        if not any(below[1:]):  # pandas writes there what the index is called
            joined[0] = below[0] if any(below) else joined[0]
            lower += 1
        return joined, upper, lower
    return None


def without_rules(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The first rows of a table, where those are empty that are drawn above its numbers, such as ``---+---``."""
    top = next((i for i, row in enumerate(rows) if any(map(is_number, row))), len(rows))
    return [[] if i < top and _RULE.fullmatch(" ".join(row)) else row for i, row in enumerate(rows)]


def names_of(names: Sequence[str], width: int) -> pd.Index:
    """Names of as many columns as a table has, as pandas calls those that have none."""
    every = [*names[:width], *[""] * (width - len(names))]
    return pd.Index([name or f"{UNNAMED}{i}" for i, name in enumerate(every)])


def told_apart(names: Iterable[str]) -> pd.Index:
    """Names without spaces around them; those that are the same then are told apart by .1 and so on."""
    made: dict[str, None] = {}
    for i, name in enumerate(map(str, names)):
        bare, k = name.strip() if i else name.strip().removeprefix("#").strip(), 0
        while (called := f"{bare}.{k}" if k else bare) in made:
            k += 1
        made[called] = None
    return pd.Index(list(made))


def same_names(line: Sequence[str]) -> list[str]:
    """What is to be said of a line of names of which some are the same: pandas tells them apart."""
    twice = sorted({each for each in line if each and line.count(each) > 1})
    return (
        [f"{listed(list(map(repr, twice)))} stands twice in the line of names: told apart by .1"]
        if twice
        else []
    )


def repeated_names(table: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """A table without the rows that repeat the line of names, as files that were put together have them."""
    if len(names) != table.shape[1] or any(map(pd.api.types.is_numeric_dtype, table.dtypes)):
        return table, []
    again = np.all(
        [(table.iloc[:, i].astype(str).str.strip() == name) for i, name in enumerate(names)], axis=0
    )
    if not (n := int(again.sum())):
        return table, []
    rows = "1 row repeats the names and is" if n == 1 else f"{n:,} rows repeat the names and are"
    return table[~again].reset_index(drop=True).apply(as_numbers), [f"{rows} left out"]


def check_one_table(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Refuse a file whose first rows hold a second table, below an empty line, with names of its own."""
    first = names_at(rows, 0)
    numbers = next((i for i in range(first, len(rows)) if any(map(is_number, rows[i][1:]))), len(rows))
    empty = next((i for i in range(numbers, len(rows)) if not any(rows[i])), len(rows))
    for place in range(empty + 1, len(rows) - 1):
        row = rows[place]
        if len(row) > 1 and all(row[1:]) and _of_names(row) and sum(map(is_number, rows[place + 1])) > 1:
            raise InputError(
                f"{path} holds several tables, the second with its names in line {place + 1}: save each as a file of "
                "its own."
            )


def without_ends(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A file's table without the empty rows, the lines of text and the rows of totals below it, and these in words."""
    kept, said = _without_texts(table)
    above, totals = without_totals(kept)
    if len(above) < len(kept):  # there may be an empty row between the two
        above, empty = _without_texts(above)
        return above.apply(as_numbers), [*said, *totals, *empty]
    return (kept if len(kept) == len(table) else kept.apply(as_numbers)), [*said, *totals]


def _without_texts(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A table without the empty rows and the lines of text below it, and these in words.

    A line of text is a row with a value in the first of several columns alone, where no row further up is so.
    """
    there = table.notna().to_numpy()
    alone = there[:, 0] & ~there[:, 1:].any(axis=1) & (there.shape[1] > 1)
    if there.shape[1] == 2:  # it may be a row that lacks a value, unless it is no number among such
        numbers = pd.to_numeric(table.iloc[:, 0], errors="coerce").notna().to_numpy()
        alone &= ~numbers & (numbers.sum() >= there[:, 0].sum() - EXPLAINED)
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


def as_numbers(column: pd.Series) -> pd.Series:
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
    comes later, and all lines above it have none for some column but the first, or are no names: titles, empty lines,
    comments, names of groups of columns, settings of an instrument.
    """
    while start < len(rows) - 1 and (not any(rows[start]) or _is_comment(rows, start)):
        start += 1
    rows = list(map(_without_last, rows)) if _all_end_empty(rows) else rows
    widths = [len(row) for row in rows[start:] if any(row)]
    widths = widths[len(widths) // 2 :]  # of the table rather than of what stands above it
    width = max(widths, default=0, key=widths.count)
    of_numbers = [column for column in range(width) if _mostly_numbers(rows[start:], width, column)]
    for place in range(start, len(rows) - 1):
        row, following = rows[place], rows[place + 1 : place + 2 + EXPLAINED]
        lines = next((i for i, each in enumerate(following) if any(map(is_number, each))), None)
        if len(row) == width and all(row[1:]) and _of_names(row) and lines is not None:
            units = following[:lines]
            if lines == 0 or all(len(each) == width or not any(each) for each in units):
                return place if place > start else start
        if (
            len(row) >= width - 1
            and all(row[1:])
            and any(row)
            and not _is_setting(rows, place, width, of_numbers)
        ):
            break
    return start


def _is_setting(rows: Sequence[Sequence[str]], place: int, width: int, of_numbers: Sequence[int]) -> bool:
    """Whether a line as wide as a table is neither names nor data: there are numbers in it, and few where the rows
    below have theirs, or it is a cell shorter, and above a line of texts."""
    row, following = rows[place], rows[place + 1]
    there = [row[column] for column in of_numbers if column < len(row)]
    data = 2 * sum(is_number(each) or each in MISSING for each in there) > len(of_numbers)
    texts = all(each and each not in MISSING and not is_number(each) for each in following)
    shorter = len(row) < width and bool(following) and texts
    return shorter or (bool(of_numbers) and not data and any(map(is_number, _no_years(row))))


def _mostly_numbers(rows: Sequence[Sequence[str]], width: int, column: int) -> bool:
    cells = [row[column] for row in rows if len(row) == width and row[column]]
    return 2 * sum(map(is_number, cells)) > len(cells)


def _of_names(row: Sequence[str]) -> bool:
    """Whether a line holds no numbers but years, and such as count its columns."""
    numbers = [each for each in _no_years(row) if is_number(each)]
    return not numbers or (len(numbers) > 2 and len(numbers) >= len(row) - 1 and not is_data(row))


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
        filled = {i for each in below for i, cell in enumerate(each) if cell}  # a setting may stand elsewhere
        if len(below) >= 2 and all(
            len(cells) >= 2
            and not any(is_number(each) for i, each in enumerate(row) if i in filled)
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
