"""What a column of a table is: numbers, however they are written, dates, categories, a constant, or names of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, sqrt
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._text import short
from prismae.data.dates import date_forms, dates_by, days, lasting, moments, zone_of, zone_written
from prismae.data.doubts import FEW, doubts, may_be_numbers, may_be_sentences, may_be_the_same, may_hold_below
from prismae.data.layout import LARGEST
from prismae.data.written import DURATION, LOOSE, all_numbers, forms_of, how, loose, numbers_of
from prismae.errors import InputError

MOST_CATEGORIES = 1000  # of a column; more are taken for names, not for categories
NAMES = 3  # a text for every so many rows is a name, not a category, unless there are no more than `FEW`
BOUND = 0.05  # share of rows with the greatest value from which it bounds a scale, of grey or of answers: no count
LISTED = 4  # categories that a description names

Category = str | int | float | bool
Role = Literal["number", "category", "constant", "rows", "names", "empty"]
Sort = Literal["number", "count", "poisson", "truth"]
COUNTS: tuple[Sort, ...] = ("count", "poisson")


@dataclass(frozen=True)
class Column:
    """What one column was understood as.

    Parameters
    ----------
    role
        "number", "category", or "constant"; not trained on are "rows", which count the rows, "names", other texts in
        (almost) every row, and "empty" columns.
    values
        Numbers as float64, everything else as it stands; a missing value is NaN or None.
    said
        What it is, in words.
    notice
        What a user should know of it, a sentence; or nothing.
    written
        How its numbers were written: "thousands" 1,234.5, "comma" 1.234,5, "percent" 12 %, "clock" 12:30, "text in mm"
        with a unit, "date", "duration"; "" plainly.
    sort
        For numbers, "truth" for 0 and 1, "poisson" for whole numbers from 0 up whose variance is their mean, within
        three standard errors of a Poisson variable's, "count" for such with a greater one; not where more than 5 % are
        the greatest, which then bounds a scale, as of grey levels or answers.
    zone
        The time zone that dates are given back in: their own, UTC of texts that say one; "" of those without.
    doubt
        Why it may be something else, a sentence; or nothing. It is told of names of rows too.
    """

    role: Role
    values: pd.Series
    said: str
    notice: str = ""
    written: str = ""
    sort: Sort = "number"
    doubt: str = ""
    zone: str = ""


def understood(
    column: pd.Series, name: str, *, asked: Literal["numeric", "categorical"] | None = None
) -> Column:
    """What a column is.

    Parameters
    ----------
    name
        What messages call it.
    asked
        What the user says that it is.

    Raises
    ------
    InputError
        What is wrong with its values, and what would mend it; without the table's name.
    """
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"
    if plain and asked != "categorical" and column.notna().any():  # the quick way, for wide tables
        return _numbers(column.astype(np.float64), name, asked=asked)
    column = column.infer_objects()
    seen = column.dropna()
    if len(seen) == 0:
        return Column("empty", column, "no values", f"column {name!r} has no values: it is left out")
    kind = column.dtype
    if asked == "categorical" or isinstance(kind, pd.CategoricalDtype):
        return _categories(column, seen.astype(object), name, sure=True)
    if pd.api.types.is_bool_dtype(kind):
        return _categories(column, seen.astype(object), name, sure=True)
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return _numbers(column.astype(np.float64), name, asked=asked)
    if isinstance(kind, np.dtype | pd.DatetimeTZDtype) and kind.kind == "M":
        return _dates(column, name, asked=asked)
    if kind.kind == "m":
        return _numbers(lasting(column), name, asked=asked, written=DURATION)
    if not (pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind)):
        raise InputError(
            f"column {name!r} holds values of type {kind}, expected numbers, texts, dates or truth values: drop it "
            f"(--drop {name!r}), or make texts of it (astype(str))"
        )
    types = {"str"}
    if pd.api.types.is_object_dtype(kind):
        plain_values = seen.map(lambda value: value.item() if isinstance(value, np.generic) else value)
        types = {each.__name__ for each in plain_values.map(type).unique()}
    if types <= {"int", "float", "Decimal"}:
        return _numbers(column.astype(np.float64), name, asked=asked)
    if types <= {"date", "datetime", "Timestamp"}:
        return _dates(moments(column), name, asked=asked)
    if types == {"time"}:
        return _texts(column.map(str, na_action="ignore"), seen.map(str), name, asked=asked)
    if strange := types - {"str", "int", "float", "bool"}:
        ways = "make texts of it (astype(str))"
        if strange <= {"list", "tuple", "ndarray"}:
            ways = f"save numpy.stack(table[{name!r}]), the array of lists of one length, as .npy"
        raise InputError(
            f"column {name!r} holds a {min(strange)}, expected numbers, texts, dates or truth values: drop it "
            f"(--drop {name!r}), or {ways}"
        )
    if {"str"} < types <= {"str", "int", "float"} and (asked == "numeric" or _mostly_numbers(seen)):
        return _texts(column.map(str, na_action="ignore"), seen.map(str), name, asked=asked)
    if len(types) > 1:
        raise InputError(
            f"column {name!r} mixes types, {' and '.join(sorted(types))}: expected one, so convert it, or drop it "
            f"(--drop {name!r})"
        )
    if types == {"bool"}:
        return _categories(column, seen, name, sure=True)
    return _texts(column, seen.astype(str), name, asked=asked)


def _mostly_numbers(seen: pd.Series) -> bool:
    """Whether an object column of numbers and texts, as spreadsheets have it, is one of numbers for the most part."""
    of_numbers = seen.map(lambda value: not isinstance(value, str))
    return 2 * int(of_numbers.sum()) > len(seen) > int(of_numbers.sum())


# texts


def _texts(column: pd.Series, seen: pd.Series, name: str, *, asked: str | None) -> Column:
    different = pd.Series(seen.unique())
    codes = different.str.fullmatch(r"\s*0\d+\s*").any() and asked is None  # whose zero is a part of them
    forms = forms_of(different)
    for written in forms:
        if not codes and (found := all_numbers(different, written)) is not None:
            known = dict(zip(different, found, strict=True))
            return _numbers(column.map(known).astype(np.float64), name, asked=asked, written=written)
    if not codes and (of_dates := date_forms(different)):
        dates = dates_by(different, of_dates[0])
        assert dates is not None
        known = dict(zip(different, dates, strict=True))
        zone = zone_written(different)
        made = _dates(pd.to_datetime(column.map(known)), name, asked=asked, form=of_dates[0], zone=zone)
        if len(of_dates) > 1 and of_dates[0].startswith("%d") and made.role == "number":
            one, other = of_dates[:2]
            notice = f"the dates of column {name!r} may be {one} or {other}, and are read as {one}"
            return replace(made, notice=notice)
        return made
    ways = {
        written: numbers_of(different, written).notna() for written in forms if written != "clock"
    }  # 1:5 is none
    most = max(ways, key=lambda written: ways[written].sum())  # the first of those
    good = ways[most]
    bad = seen[~seen.isin(different[good])]
    if asked == "numeric":
        if not good.any():
            raise InputError(f"column {name!r} holds no numbers, but texts such as {seen.iloc[0]!r}")
        written = f"{LOOSE} {most}"
        made = _numbers(loose(column, written), name, asked=asked)
        lost = ", ".join(map(repr, bad.unique()[:LISTED]))
        return Column("number", made.values, f"{made.said}; missing: {lost}", "", written, made.sort)
    if not codes and np.any([*ways.values()], axis=0).all():
        raise InputError(
            f"column {name!r} holds numbers that are written in several ways, such as {different[good].iloc[0]!r} and "
            f"{different[~good].iloc[0]!r}: write them in one, or say what they are (--categorical {name!r}, "
            f"--drop {name!r})"
        )
    if not codes and 0 < len(bad) < len(seen) / 2:
        listed = ", ".join(map(repr, bad.unique()[:LISTED])) + (" …" if bad.nunique() > LISTED else "")
        first = int(column.isin(bad.unique()).to_numpy().argmax()) + 1
        raise InputError(
            f"column {name!r} holds numbers but for {len(bad)} of {len(seen)} values ({listed}), the first in row "
            f"{first}: say what it is, numbers (--numeric {name!r} counts these as missing), categories "
            f"(--categorical {name!r}), or neither (--drop {name!r})"
        )
    return _categories(column, seen, name, sure=False)


# numbers


def _dates(column: pd.Series, name: str, *, asked: str | None, form: str = "", zone: str = "") -> Column:
    zone = zone or zone_of(column)
    numbers = days(column)
    seen = column.dropna()
    said = f"dates, {seen.min():%Y-%m-%d} to {seen.max():%Y-%m-%d}, as days"
    rising = asked is None and len(seen) == len(column) > FEW and bool((numbers.diff().dropna() > 0).all())
    made = _numbers(numbers, name, asked=asked, written="date")
    if made.role == "constant":
        said = f"always {seen.iloc[0]:%Y-%m-%d}{_lacks(column)}: kept as it is, not trained on"
        return Column("constant", numbers, said, written="date", zone=zone)
    if rising:
        return Column("rows", column, f"{said[: -len(', as days')]}, one after the other: the rows' names")
    return Column("number", numbers, said + _lacks(column), written=f"date {form}", zone=zone)


def _numbers(column: pd.Series, name: str, *, asked: str | None, written: str = "") -> Column:
    x = column.to_numpy()
    seen = x[~gaps] if (gaps := np.isnan(x)).any() else x
    low, high = float(seen.min()), float(seen.max())
    if not (isfinite(low) and isfinite(high)):
        row = int(np.isinf(x).argmax()) + 1
        raise InputError(
            f"column {name!r} is infinite in row {row}, expected finite numbers: mend them, say that they are missing "
            f"(--missing inf,-inf), or drop it (--drop {name!r})"
        )
    if low == high:
        return _constant(column, low, name, written if written == DURATION else "")
    if max(abs(low), abs(high)) > LARGEST:
        row = int((np.abs(x) > LARGEST).argmax()) + 1
        raise InputError(
            f"column {name!r} is beyond {LARGEST:g} in row {row}: scale it, or drop it (--drop {name!r})"
        )
    whole = all(bool((part == np.floor(part)).all()) for part in (seen[:1000], seen))
    if asked is None and whole and not written and len(seen) == len(x) and _counts_rows(x):
        said = f"{low:g} to {high:g}, as the rows follow: their numbers"
        return Column("rows", column, said)
    few = len(np.unique(seen[:1000])) if whole else 0
    sort: Sort = "number"
    if low == 0 and high == 1 and whole:
        sort = "truth"
    elif low == 0 and whole and (seen == high).sum() <= max(2, BOUND * len(seen)):
        over, doubt = seen.var() / seen.mean() - 1, 3 * sqrt(2 / max(len(seen) - 1, 1))
        sort = "count" if over > doubt else "poisson" if over >= -doubt else "number"
    said = f"{how(written)} {_range(low, high)}"
    said += (
        ", whole"
        if whole and sort == "number"
        else {"count": ", counts", "poisson": ", counts", "truth": ", truth values"}.get(sort, "")
    )
    if 2 < few <= min(FEW, len(seen) / NAMES) and len(np.unique(seen)) == few:
        said += f", {few} different (--categorical if they are codes)"
    return Column(
        "number", column, said + _lacks(column), doubts(seen, low, high, name, whole), written, sort
    )


def _range(low: float, high: float) -> str:
    """From where to where numbers go, with as many digits as tell the two apart."""
    whole = low == int(low) and high == int(high) and max(abs(low), abs(high)) < 1e15
    for form in (".0f",) if whole else (".6g", ".9g", ".17g"):
        if (first := f"{low:{form}}") != (last := f"{high:{form}}"):
            break
    return f"{first} to {last}"


def _counts_rows(x: NDArray[np.float64]) -> bool:
    return len(x) > FEW and x[0] in (0.0, 1.0) and bool((np.diff(x) == 1).all())


# the rest


def _constant(column: pd.Series, value: Any, name: str, written: str = "") -> Column:
    lacks = _lacks(column)
    said = f"always {short(value)}{lacks}: kept as it is, not trained on"
    return Column("constant", column, said, written=written)


def _categories(column: pd.Series, seen: pd.Series, name: str, *, sure: bool) -> Column:
    types = {type(value).__name__ for value in seen.unique()}
    if not types <= {"str", "int", "float", "bool"}:
        raise InputError(
            f"column {name!r} holds a {min(types - {'str', 'int', 'float', 'bool'})}, expected categories that are "
            f"numbers, texts or truth values: drop it (--drop {name!r}), or make texts of it (astype(str))"
        )
    if len(types) > 1:
        raise InputError(
            f"column {name!r} mixes types, {' and '.join(sorted(types))}: expected one, so convert it, or drop it "
            f"(--drop {name!r})"
        )
    if not isinstance(column.dtype, pd.StringDtype):
        column = column.astype(object)
    counts = seen.value_counts()
    k, n = len(counts), len(column)
    if k == 1:
        return _constant(column, counts.index[0], name)
    if not sure and (k == len(seen) > 2 or k > MOST_CATEGORIES or k > max(len(seen) / NAMES, FEW)):
        each = "another text in every row" if k == len(seen) else f"{k} different texts in {n} rows"
        role: Role = "rows" if k == n else "names"
        notice = f"column {name!r} holds {each}, taken for names and left out (else --categorical {name!r})"
        return Column(
            role,
            column,
            f"{each}: names",
            notice,
            doubt=may_be_numbers(seen, name) or may_be_sentences(seen, name) or may_hold_below(column, name),
        )
    if k > MOST_CATEGORIES:
        raise InputError(
            f"column {name!r} has {k} categories, expected at most {MOST_CATEGORIES}: drop it (--drop {name!r})"
        )
    first = ", ".join(f"{short(value)} ({times})" for value, times in counts.iloc[:LISTED].items())
    alike = may_be_the_same(seen, name) if types == {"str"} else ""
    said = f"{k} categories: {first}{' …' if k > LISTED else ''}"
    return Column("category", column, said + _lacks(column), doubt=may_hold_below(column, name) or alike)


def _lacks(column: pd.Series) -> str:
    missing = int(column.isna().sum())
    return f", {missing} of {len(column)} missing" if missing else ""
