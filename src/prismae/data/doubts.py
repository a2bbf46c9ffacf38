"""What a column may be besides what it is taken for: gaps, dates or names as numbers, numbers as texts."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._text import short

FEW = 10  # rows or texts of which nothing is guessed
WORDS = 4  # from which on most texts of a column are sentences rather than names
SENTINELS = {float(sign * value) for sign in (1, -1) for value in (9, 99, 999, 9999, 99999)}
FILLS = (  # of arrays: the least number of 16 and 32 bits and of float32, what netCDF fills with, and usual ones
    *(-(2.0**15), -(2.0**31), float(np.finfo(np.float32).min), 9.969209968386869e36),
    *(sign * value for sign in (1, -1) for value in (1e20, 1e30)),
)
DARK = 64  # bytes of images that are all below it leave most of their range unused


def doubts(seen: NDArray[np.float64], low: float, high: float, name: str, whole: bool) -> str:
    """A number that often stands for a missing value, and numbers that may be names."""
    for edge in {low, high} & SENTINELS:
        rest = seen[seen != edge]
        times = len(seen) - len(rest)
        if times > 1 and len(rest) and _gap(rest, edge) > np.ptp(rest):
            return (
                f"column {name!r} is {edge:g} in {times} rows and else from {rest.min():g} to {rest.max():g}: if that "
                f"stands for a missing value, say so (--missing {edge:g})"
            )
    if whole and len(seen) > FEW and _are_dates(seen, low, high):
        first = f"{low:.0f}"
        return (
            f"column {name!r} may be dates such as {first}, and is trained on as numbers: dates are written "
            f"{first[:4]}-{first[4:6]}-{first[6:]} (else --drop {name!r})"
        )
    words = re.sub(r"([a-z])(ID|Id)$", r"\1_id", name)  # customerId
    called = re.search(r"(?i)(^|[^a-z])(id|idx|index|zip|zipcode|postcode|phone)$", words)
    if whole and called and len(seen) > FEW:
        return f"column {name!r} may be a number that names something, and is trained on as one (else --drop {name!r})"
    return ""


def doubts_of_array(x: NDArray, *, of_table: bool) -> tuple[str, ...]:
    """The same for an array [n, c, ...], each of whose channels is looked at by itself; of a table, its columns.

    Bytes of images are held to their range.
    """
    if x.dtype == np.uint8 and x.ndim > 2:
        most = int(x.max(initial=0))
        if not 1 < most < DARK:
            return ()
        return (
            f"the greatest byte is {most}, of 255 that a pixel may have, so that all images are all but black: divided "
            f"by {most}, as numbers from 0 to 1, they have the whole range",
        )
    channels = x if x.ndim > 2 or of_table else x[:, None]
    rest = (0, *range(2, channels.ndim))
    edges = np.fmin.reduce(channels, rest), np.fmax.reduce(channels, rest)
    with np.errstate(over="ignore"):  # of float16
        known = np.array([*SENTINELS, *FILLS]).astype(x.dtype if x.dtype.kind == "f" else np.float64)
    times: dict[float, int] = {}
    for i in np.flatnonzero(np.isin(edges[0], known) | np.isin(edges[1], known)).tolist():
        values = channels[:, i].ravel().astype(np.float64)
        values = values[~np.isnan(values)]
        for edge in {float(each[i]) for each in edges if each[i] in known}:
            kept = values[values != edge]
            if len(kept) and 0 < np.ptp(kept) < _gap(kept, edge):
                times[edge] = times.get(edge, 0) + len(values) - len(kept)
    return tuple(
        f"{edge:g} is {count:,} of {x.size:,} values, far from the others: if that stands for a missing one, make it "
        f"NaN (np.where(x == {edge:g}, np.nan, x))"
        for edge, count in times.items()
        if count > 1
    )


def _gap(values: NDArray[np.float64], edge: float) -> float:
    """How far the nearest of some lies from a value beyond them all."""
    return float(max(values.min() - edge, edge - values.max()))


def may_hold_below(column: pd.Series, name: str) -> str:
    """What is to be said of a column of texts of which each may stand for the rows below it, too: names of groups."""
    seen = column.dropna()
    if not (2 <= len(seen) < len(column) / 2 and seen.is_unique and column.notna().iloc[0]):
        return ""
    return (
        f"column {name!r} has {len(seen)} values in {len(column)} rows, the first among them: if each holds for the "
        "rows below it too, write it there (table[column].ffill() of pandas does)"
    )


def may_be_the_same(seen: pd.Series, name: str) -> str:
    """What is to be said of categories that differ in capitals and spaces alone."""
    texts = pd.Series(seen.astype(str).unique())
    bare = texts.str.casefold().str.split().str.join(" ")
    alike = texts[bare.duplicated(keep=False)]
    if alike.empty:
        return ""
    one, other = alike[bare == bare[alike.index[0]]].iloc[:2]
    return (
        f"column {name!r} has categories that differ in capitals or spaces alone, such as {short(one)!r} and "
        f"{short(other)!r}: each is one of its own"
    )


def may_be_sentences(seen: pd.Series, name: str) -> str:
    """What is to be said of names that are rather sentences."""
    if np.median([len(text.split()) for text in map(str, seen)]) < WORDS:
        return ""
    return (
        f"column {name!r} may hold sentences: they are trained on from a .txt file, each in a line of its own"
    )


def _are_dates(seen: NDArray[np.float64], low: float, high: float) -> bool:
    """Whether all numbers may be dates without signs between year, month and day."""
    if not 19_000_101 <= low < high <= 21_001_231:
        return False
    months, days_of = seen // 100 % 100, seen % 100
    return bool(((months >= 1) & (months <= 12) & (days_of >= 1) & (days_of <= 31)).all())


def may_be_numbers(seen: pd.Series, name: str) -> str:
    """What is to be said of texts that are few but for their digits, and begin with one."""
    texts = seen.astype(str)
    few = texts.str.replace(r"\d+", "0", regex=True).nunique() <= FEW
    if not few or not texts.str.match(r"['\"(\[<>~≈$€£¥₹+-]*\d").all():
        return ""
    return (
        f"column {name!r} holds texts such as {short(texts.iloc[0])!r}: if they are numbers or dates, write them "
        "plainly, as 1234.5 or 2024-01-31"
    )
