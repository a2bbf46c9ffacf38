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


def doubts(seen: NDArray[np.float64], low: float, high: float, name: str, whole: bool) -> str:
    """A number that often stands for a missing value, and numbers that may be names."""
    for edge in {low, high} & SENTINELS:
        rest = seen[seen != edge]
        times = len(seen) - len(rest)
        if times > 1 and len(rest) and max(rest.min() - edge, edge - rest.max()) > np.ptp(rest):
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
