"""What stands between the columns of a table of text, and whether a text is a table at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from prismae.data.packed_text import start_of
from prismae.data.table_edges import SEEN, holds_numbers, is_number, names_at, without_rules
from prismae.errors import InputError

SEPARATORS = (",", ";", "\t", "|")
WORDS = 5  # in a cell at most, where nothing else says that a text is a table
_WORDS_SEEN = 1 << 14  # letters of a text of which the words are looked at


def separator(start: str, path: Path) -> str:
    """What stands between columns: that which parts the first lines into the same number of values, and most."""
    if path.name.lower().split(".")[-1] in ("tsv", "tab") or path.name.lower().endswith(
        (".tsv.gz", ".tab.gz")
    ):
        return "\t"
    best, most = ",", 0.0
    for sep in SEPARATORS:
        cells = without_rules(cells_of(start, sep))
        widths = [len(row) for row in cells if any(row)]
        if not widths or len(cells[names_at(cells, 0)]) < 2:
            continue
        usual = max(set(widths), key=widths.count)
        share = widths.count(usual) / len(widths)
        value = share if usual > 1 else 0.0
        if value > most + 0.2:
            best, most = sep, value
    if most == 0.0:  # numbers with spaces between them
        quote = "'" if in_single_quotes(start) else '"'
        rows = [_words(line, quote) for line in start.splitlines() if line.strip()][:SEEN]
        widths = [len(row) for row in rows]
        of_numbers = sum(is_number(each) for row in rows[1:] for each in row)
        alike = len(set(widths[1:])) == 1 and widths[0] in (widths[1], widths[1] - 1)
        if alike and widths[1] > 1 and of_numbers > sum(widths[1:]) / 3:
            return r"\s+"
    return best


def cells_of(start: str, sep: str, quote: str = '"') -> list[list[str]]:
    """The first lines of a text as cells without spaces around them."""
    if len(sep) > 1:
        return [_words(line, quote) if line.strip() else [] for line in start.splitlines()[:SEEN]]
    reader = csv.reader(io.StringIO(start), delimiter=sep, quotechar=quote, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in islice(reader, SEEN)]


def in_single_quotes(start: str) -> bool:
    """Whether names stand in single quotes, all of those in the first line."""
    line = start.lstrip().partition("\n")[0]
    return bool(re.fullmatch(r"\s*'[^']*'((\s*[,;\t|]\s*|\s+)'[^']*')*\s*", line))


def _words(text: str, quote: str = '"') -> list[str]:
    """The first line's words, of which quotes hold several together."""
    line = io.StringIO(text.strip())
    words = next(csv.reader(line, delimiter=" ", quotechar=quote, skipinitialspace=True), [])
    return [each for word in words for each in (word.split("\t") if "\t" in word else [word]) if each]


def in_words(sep: str) -> str:
    """What stands between columns, as messages call it."""
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", r"\s+": "spaces"}.get(sep, repr(sep))


def looks_like_table(path: Path) -> bool:
    """Whether a text is a table: its lines are alike, or most of its words numbers, as numpy.savetxt writes it."""
    try:
        start, _ = start_of(path)
    except InputError:
        return False
    words = re.split(r"[\s,;|]+", start[:_WORDS_SEEN].strip())[:-1]
    of_numbers = (
        len(words) > 1 and sum(is_number(word) or word.lower() == "nan" for word in words) > len(words) / 2
    )
    rows = [row for row in cells_of(start, separator(start, path)) if any(row)]
    return of_numbers or _lines_alike(rows[names_at(rows, 0) :])


def _lines_alike(rows: Sequence[Sequence[str]]) -> bool:
    """Whether lines have as many cells, of which every second column holds numbers, none a sentence."""
    widths = {len(row) for row in rows[1:]}
    if (
        len(rows) < 3
        or len(widths) != 1
        or min(widths) < 2
        or len(rows[0]) not in (min(widths), min(widths) - 1)
    ):
        return False
    of_numbers = sum(holds_numbers(rows[1:], column) for column in range(min(widths)))
    return 2 * of_numbers >= min(widths) and all(len(cell.split()) <= WORDS for row in rows for cell in row)
