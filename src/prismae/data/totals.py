"""Rows of a table that hold sums or means of the others, as spreadsheets and statistics offices write them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._text import listed, short
from prismae.data.written import all_numbers

MOST_BELOW = 8  # rows of totals at the foot
FEWEST_ABOVE = (
    5  # rows, of which one may be the mean, or one without a name the sum: of fewer that is so by chance
)
FEWEST_DIFFERENT = 4  # values of a column; one of fewer has its mean, greatest … in many rows
MOST_DIFFERENT = 10_000  # texts of a column that are looked through; more are no groups
_SUMS = (
    r"totals?|sum|summe|gesamt|insgesamt|somme|suma|soma|totale|somma|totaal|итого|всего|合计|总计|合計|합계"
)
_MEANS = r"average|avg|mean|mittelwert|durchschnitt|moyenne|promedio|media|gemiddelde|среднее|平均"
_SPREAD = "std|sd|stdev|std dev|standard deviation"
STATISTICS: dict[str, Callable[[NDArray[np.float64]], float]] = {  # names of rows, and what these hold
    rf"{_SUMS}|all": np.nansum,
    _MEANS: np.nanmean,
    "median": np.nanmedian,
    "min|minimum": np.nanmin,
    "max|maximum": np.nanmax,
    _SPREAD: lambda x: float(np.nanstd(x, ddof=1)),
    "count|n": lambda x: float(np.count_nonzero(~np.isnan(x))),
}
_BEFORE = r"[\s*]*(grand |overall |sub-? ?)?"
_AFTER = r"[\s*:]*"


def without_totals(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A file's table without the rows of totals at its foot, and what is to be said of these and of those further up.

    A row at the foot is one where its name says so ("Total", "Mean") and no other row's does, and its numbers are
    those of the rows above: half of them for sums, all for others. Without a name, all its numbers are their sums and
    something is empty that is so in no other row. What a row of data may be by chance (the greatest of zeros and ones)
    is no such number. Rows of such names below one are left out with it, as a mean that was rounded to a whole number.
    """
    end = len(table)
    while end > max(0, len(table) - MOST_BELOW) and _statistic(table, end - 1) is not None:
        end -= 1
    said = []
    named = [(start, place) for start in range(end, len(table)) for place in range(start, len(table))]
    start = next((start for start, place in named if _agrees(table, start, place)), len(table))
    if start == len(table) and _nameless(table):
        start -= 1
    if start < len(table):
        below = table.iloc[start:]
        texts = [next((each for each in row if isinstance(each, str)), None) for _, row in below.iterrows()]
        names = [repr(short(each)) if each else "one without a name" for each in texts]
        are, hold = ("1 row", "is") if len(below) == 1 else (f"{len(below)} rows", "are")
        said.append(f"{are} of totals below the table {hold} left out: {listed(names)}")
        table = table.iloc[:start]
    return table, [*said, *_further_up(table)]


def _statistic(table: pd.DataFrame, place: int) -> Callable[[NDArray[np.float64]], float] | None:
    """What a row holds of those above, as the first text in it says; None where it says nothing, or theirs do, too."""
    row = table.iloc[place].tolist()
    column = next((i for i, each in enumerate(row) if isinstance(each, str)), None)
    if column is None:
        return None
    for words, of in STATISTICS.items():
        if re.fullmatch(rf"{_BEFORE}({words})\b.{{0,30}}", row[column].lower()):
            return None if (table.iloc[:place, column] == row[column]).any() else of
    return None


def _agrees(table: pd.DataFrame, start: int, place: int) -> bool:
    """Whether the numbers of a row are what its name says of the rows above the row `start`."""
    of = _statistic(table, place)
    assert of is not None
    known = _pairs(table.iloc[:start], table.iloc[place])
    if of is np.nansum:
        known = [(x, value) for x, value in known if np.count_nonzero(x) > 1]
        right = [(x, value) for x, value in known if np.isclose(value, of(x), rtol=1e-3, atol=0)]
        return 2 * len(right) >= len(known) and any(_different(x) or _beyond(x, value) for x, value in right)
    shown = max(
        (len(np.format_float_positional(value, trim="-").partition(".")[2]) for _, value in known), default=0
    )
    rounded = 0.5 * 10.0**-shown if shown else 0.0
    enough = [_different(x) for x, _ in known]
    return (
        start >= FEWEST_ABOVE
        and sum(enough)
        >= (1 if of in (np.nanmean, STATISTICS[_SPREAD]) else 2)  # a row may tie with the greatest
        and all(np.isclose(value, of(x), rtol=1e-9, atol=rounded) for x, value in known)
    )


def _nameless(table: pd.DataFrame) -> bool:
    """Whether the last row holds the sums of those above, without a name."""
    if len(table) <= FEWEST_ABOVE:
        return False
    above, row = table.iloc[:-1], table.iloc[-1]
    empty = row.isna().to_numpy()
    if not 0 < empty.sum() < len(empty):
        return False
    if (
        any(_numbers(pd.Series([each])) is None for each in row[~empty])
        or above.isna().to_numpy()[:, empty].any()
    ):
        return False
    known = _pairs(above, row)
    return all(np.isclose(value, x.sum(), rtol=1e-9, atol=0) for x, value in known) and any(
        np.count_nonzero(x) >= FEWEST_ABOVE and _beyond(x, value) for x, value in known
    )


def _pairs(above: pd.DataFrame, row: pd.Series) -> list[tuple[NDArray[np.float64], float]]:
    """The numbers of each column, without those that are missing, and of the row."""
    pairs = [
        (_numbers(above.iloc[:, i]), _numbers(pd.Series([each])))
        for i, each in enumerate(row)
        if not pd.isna(each)
    ]
    known = [(x[~np.isnan(x)], float(value[0])) for x, value in pairs if x is not None and value is not None]
    return [(x, value) for x, value in known if len(x) > 1]


def _different(x: NDArray[np.float64]) -> bool:
    return len(np.unique(x)) >= FEWEST_DIFFERENT


def _beyond(x: NDArray[np.float64], value: float) -> bool:
    return abs(value) > np.abs(x).max()


def _numbers(column: pd.Series) -> NDArray[np.float64] | None:
    """The numbers of a column, NaN where it is empty; None for others."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    seen = column.dropna()
    if not seen.map(lambda value: isinstance(value, str | int | float) and not isinstance(value, bool)).all():
        return None
    texts = seen.astype(str)
    for written in ("text", "thousands", "comma", "percent"):
        if (found := all_numbers(texts, written)) is not None:
            return found.reindex(column.index).to_numpy(np.float64)
    return None


def _further_up(table: pd.DataFrame) -> list[str]:
    """What is to be said of rows among the others that are called totals."""
    said = []
    for place, kind in enumerate(table.dtypes):
        if not (pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.StringDtype)):
            continue
        column = table.iloc[:, place]
        different = column.unique()
        if len(different) > MOST_DIFFERENT:
            continue
        totals = [
            each
            for each in different
            if isinstance(each, str) and re.fullmatch(rf"{_BEFORE}({_SUMS}){_AFTER}", each.lower())
        ]
        if totals and len(different) > len(totals) + 1:
            n = int(column.isin(totals).sum())
            rows = "1 row is" if n == 1 else f"{n:,} rows are"
            name = str(table.columns[place])
            where = "the column without a name" if name.startswith("Unnamed: ") else f"column {name!r}"
            said.append(
                f"{where}: {rows} called {listed([repr(each) for each in totals])}: if that is "
                "the sum of others, it is trained on beside them unless it is taken out"
            )
    return said
