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
FEWEST_ABOVE = 5  # rows, of which a row without a name may be the sum
MOST_DIFFERENT = 10_000  # texts of a column that are looked through; more are no groups
_SUMS = (
    r"totals?|sum|summe|gesamt|insgesamt|somme|suma|soma|totale|somma|totaal|итого|всего|合计|总计|合計|합계"
)
_MEANS = r"average|avg|mean|mittelwert|durchschnitt|moyenne|promedio|media|gemiddelde|среднее|平均"
STATISTICS: dict[str, Callable[[NDArray[np.float64]], float]] = {  # names of rows, and what these hold
    rf"{_SUMS}|all": np.nansum,
    _MEANS: np.nanmean,
    "median": np.nanmedian,
    "min|minimum": np.nanmin,
    "max|maximum": np.nanmax,
    "std|sd|stdev|std dev|standard deviation": lambda x: float(np.nanstd(x, ddof=1)),
    "count|n": lambda x: float(np.count_nonzero(~np.isnan(x))),
}
_BEFORE = r"[\s*]*(grand |overall |sub-? ?)?"
_AFTER = r"[\s*:]*"


def without_totals(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A file's table without the rows of totals at its foot, and what is to be said of these and of those further up.

    A row at the foot is one where its name says so ("Total", "Mean") and at least half of its numbers are those of the
    rows above; without a name, where all its numbers are their sums and something is empty that is so in no other row.
    """
    end = len(table)
    while end > max(0, len(table) - MOST_BELOW) and _statistic(table.iloc[end - 1]) is not None:
        end -= 1
    above, below = table.iloc[:end], table.iloc[end:]
    is_total = [_agrees(above, row, half=True) for _, row in below.iterrows()]
    if not any(is_total):
        above, below = table.iloc[:-1], table.iloc[-1:]
        is_total = [_nameless(above, row) for _, row in below.iterrows()]
    said = []
    if any(is_total):
        texts = [next((each for each in row if isinstance(each, str)), None) for _, row in below.iterrows()]
        names = [repr(short(each)) if each else "one without a name" for each in texts]
        are, hold = ("1 row", "is") if len(below) == 1 else (f"{len(below)} rows", "are")
        said.append(f"{are} of totals below the table {hold} left out: {listed(names)}")
        table = above
    return table, [*said, *_further_up(table)]


def _statistic(row: pd.Series) -> Callable[[NDArray[np.float64]], float] | None:
    """What a row holds of those above, as the first text in it says; None where it says nothing."""
    name = next((each for each in row if isinstance(each, str)), "").lower()
    for words, of in STATISTICS.items():
        if re.fullmatch(rf"{_BEFORE}({words})\b.{{0,30}}", name):
            return of
    return None


def _agrees(above: pd.DataFrame, row: pd.Series, *, half: bool) -> bool:
    """Whether the numbers of a row are those of the rows above: all of them, or at least half within 0.1 %."""
    of = _statistic(row) if half else np.nansum
    assert of is not None
    pairs = [(_numbers(above[column]), _numbers(pd.Series([row[str(column)]]))) for column in above]
    known = [
        (x, float(value[0]))
        for x, value in pairs
        if x is not None
        and value is not None
        and np.count_nonzero(np.nan_to_num(x)) > 1
        and not np.isnan(value[0])
    ]
    right = [bool(np.isclose(value, of(x), rtol=1e-3 if half else 1e-9, atol=0)) for x, value in known]
    return len(right) > 0 and (2 * sum(right) >= len(right) if half else all(right))


def _nameless(above: pd.DataFrame, row: pd.Series) -> bool:
    """Whether a row without a name holds the sums of those above."""
    empty = row.isna()
    return (
        len(above) >= FEWEST_ABOVE
        and 0 < empty.sum() < len(empty)
        and not any(isinstance(each, str) and _numbers(pd.Series([each])) is None for each in row)
        and not above.loc[:, empty.to_numpy()].isna().to_numpy().all(axis=0).any()
        and not above.isna().to_numpy()[:, empty.to_numpy()].any()
        and _agrees(above, row, half=False)
    )


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
