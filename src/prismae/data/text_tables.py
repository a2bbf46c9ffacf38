"""Own data in tables of text: what stands between the columns, and which line holds their names."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prismae.data.columns import listed
from prismae.data.files import looks_like
from prismae.data.packed_text import opened, start_of
from prismae.errors import InputError
from prismae.settings import Reading

SEPARATORS = (",", ";", "\t", "|")
SEEN = 50  # lines that are looked at before a table is read
WORDS = 5  # in a cell at most, where nothing else says that a text is a table
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
    sep = sep or (said[1] if said else _separator(_without_comments(start), path))
    if sep != "," and reading.sep is None and path.suffix.lower() == ".csv":
        notices.append(f"columns are parted by {_called(sep)}")
    rows = _rows(start, sep)
    left_out, lines = lines_left_out(rows, start=1 if said else 0)
    notices += lines
    kept = [row for i, row in enumerate(rows) if i not in left_out]
    first = kept[0] if kept else []
    headless = _is_data(first)
    options: dict[str, Any] = {
        "sep": sep,
        "encoding": encoding,
        "low_memory": False,
        "keep_default_na": False,
        "na_values": ["", *(() if "" in reading.missing else MISSING), *reading.missing],
        "header": None if headless else "infer",
        "skipinitialspace": True,
        "skiprows": left_out,
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
        reason = " ".join(str(error).split())
        long = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", reason)
        if long:
            reason = f"line {long[2]} has {long[3]} values, the lines before {long[1]}"
        raise InputError(
            f"{path} is no table with {_called(sep)} between columns ({reason}): --sep says what stands there, and "
            "lines of other lengths have to be mended or taken out."
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
    table = _trimmed(table, options["na_values"])
    if "" not in reading.missing:
        notices += _taken_for_missing(path, table, options, reading.missing)
    table, said_below = without_ends(table)
    return table, notices + said_below


def _table(path: Path, **options: Any) -> pd.DataFrame:
    with opened(path) as file:
        return pd.read_csv(file, **options)


def looks_like_table(path: Path) -> bool:
    """Whether a text's first lines have as many cells, of which every second column holds numbers, none a sentence."""
    try:
        start, _ = start_of(path)
    except InputError:
        return False
    rows = [row for row in _rows(start, _separator(start, path)) if any(row)]
    widths = {len(row) for row in rows[1:]}
    if (
        len(rows) < 3
        or len(widths) != 1
        or min(widths) < 2
        or len(rows[0]) not in (min(widths), min(widths) - 1)
    ):
        return False
    of_numbers = sum(_holds_numbers(rows[1:], column) for column in range(min(widths)))
    return 2 * of_numbers >= min(widths) and all(len(cell.split()) <= WORDS for row in rows for cell in row)


def lines_left_out(rows: Sequence[Sequence[str]], start: int = 0) -> tuple[list[int], list[str]]:
    """Lines above the names and of units below them, by their place among the first rows of a table, and in words.

    The names are looked for from the line `start` on.
    """
    place = _names_at(rows, start)
    left_out, said = [*range(place)], []
    above = [" ".join(filter(None, row)) for row in rows[start:place] if any(row)]
    if above:
        are = "1 line above the names is" if len(above) == 1 else f"{len(above)} lines above the names are"
        said.append(f"{are} left out: {_short(above)}")
    if place < len(rows) and not _is_data(rows[place]) and (below := _explained(rows, place)):
        left_out += range(place + 1, place + 1 + below)
        lines = "the line" if below == 1 else f"{below} lines"
        are = "is taken for units or a question" if below == 1 else "are taken for units or questions"
        said.append(f"{lines} below the names {are} and left out: {_short(rows[place + 1])}")
    return left_out, said


def without_ends(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A file's table without the empty rows and the lines of text below it, and these in words.

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
    return table.iloc[:end].apply(_as_numbers), said


def _as_numbers(column: pd.Series) -> pd.Series:
    """A column of texts as pandas reads it: as numbers where it holds nothing else, and no code such as 01234."""
    if not (pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)):
        return column
    texts = column.dropna().astype(str)
    numbers = pd.to_numeric(texts, errors="coerce")
    if len(texts) == 0 or numbers.isna().any() or texts.str.fullmatch(r"0\d+").any():
        return column
    return numbers.reindex(column.index)


def _names_at(rows: Sequence[Sequence[str]], start: int) -> int:
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
            len(rows[place]) == width
            and all(rows[place])
            and not any(map(_is_number, _no_years(rows[place])))
        )
        if full and any(map(_is_number, rows[place + 1])):
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
        of_numbers = [column for column in range(len(rows[place])) if _holds_numbers(below, column)]
        above = [[row[column] for column in of_numbers if column < len(row)] for row in lines]
        texts = [[each for each in cells if each not in ("", *MISSING)] for cells in above]
        if len(below) >= 2 and all(
            len(cells) >= 2
            and not any(map(_is_number, (*cells, *row)))
            and (len(cells) == len(of_numbers) or not any(re.search(r"\d", each) for each in row))
            for cells, row in zip(texts, lines, strict=True)
        ):
            return n
    return 0


def _holds_numbers(rows: Sequence[Sequence[str]], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and row[column] not in ("", *MISSING)]
    return bool(cells) and all(map(_is_number, cells))


def _end_in_separators(rows: Sequence[Sequence[str]], n_names: int) -> bool:
    """Whether there stands a separator behind the last value of each row, and none behind the last name."""
    below = [row for row in rows[1:] if any(row)]
    return len(below) > 0 and all(len(row) == n_names + 1 and row[-1] == "" for row in below)


def _trimmed(table: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """The table with names and texts without spaces around them; names that are the same then are told apart."""
    names: list[str] = []
    for i, name in enumerate(map(str, table.columns)):
        bare, k = name.strip() if i else name.strip().removeprefix("#").strip(), 0
        while (called := f"{bare}.{k}" if k else bare) in names:
            k += 1
        names.append(called)
    table.columns = pd.Index(names)
    for called, kind in zip(names, table.dtypes, strict=True):
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


def _rows(start: str, sep: str) -> list[list[str]]:
    """The first lines of a text as cells without spaces around them."""
    if len(sep) > 1:
        return [_words(line) if line.strip() else [] for line in start.splitlines()[:SEEN]]
    return [
        [cell.strip() for cell in row]
        for row in islice(csv.reader(io.StringIO(start), delimiter=sep, skipinitialspace=True), SEEN)
    ]


def _without_comments(start: str) -> str:
    lines = start.split("\n")
    kept = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    return "\n".join(lines[kept:])


def _short(cells: Sequence[str]) -> str:
    text = " | ".join(filter(None, cells))
    return repr(text if len(text) <= 60 else text[:59] + "…")


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


def _called(sep: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", r"\s+": "spaces"}.get(sep, repr(sep))


def _separator(start: str, path: Path) -> str:
    """What stands between columns: that which parts the first lines into the same number of values, and most."""
    if path.name.lower().split(".")[-1] in ("tsv", "tab") or path.name.lower().endswith(
        (".tsv.gz", ".tab.gz")
    ):
        return "\t"
    best, most = ",", 0.0
    for sep in SEPARATORS:
        rows = _rows(start, sep)
        widths = [len(row) for row in rows if any(row)]
        if not widths or len(rows[_names_at(rows, 0)]) < 2:
            continue
        usual = max(set(widths), key=widths.count)
        share = widths.count(usual) / len(widths)
        value = share if usual > 1 else 0.0
        if value > most + 0.2:
            best, most = sep, value
    if most == 0.0:  # numbers with spaces between them
        rows = [_words(line) for line in start.splitlines() if line.strip()][:SEEN]
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
