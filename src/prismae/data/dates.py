"""Dates and durations of columns: the forms in which texts are dates, and days as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAY = pd.Timedelta(days=1)
EPOCH = np.datetime64(0, "s")
DATES = """ISO8601|%d/%m/%Y|%m/%d/%Y|%d.%m.%Y|%Y/%m/%d|%d/%m/%y|%m/%d/%y|%d-%m-%Y|%d %b %Y|%d-%b-%Y|%d-%b-%y|%b %d %Y
%b %d, %Y|%B %d, %Y|%d/%m/%Y %H:%M|%m/%d/%Y %H:%M|%d/%m/%Y %H:%M:%S|%m/%d/%Y %H:%M:%S|%Y/%m/%d %H:%M|%Y/%m/%d %H:%M:%S
%d/%m/%Y %I:%M %p|%m/%d/%Y %I:%M %p|%d/%m/%Y %I:%M:%S %p|%m/%d/%Y %I:%M:%S %p|%d %B %Y|%a, %d %b %Y %H:%M:%S
%a %b %d %H:%M:%S %Y|%b-%y|%b %Y""".replace("\n", "|").split("|")


def date_forms(texts: pd.Series) -> list[str]:
    """The forms in which all texts are dates, the likeliest first."""
    if not (texts.str.len().between(6, 40) & texts.str.contains(r"\d[-/. :]|[-/. ]\d")).all():
        return []
    return [form for form in DATES if dates_by(texts, form) is not None]


def dates_by(texts: pd.Series, form: str) -> pd.Series | None:
    """Dates of texts in this form, without a time zone, in UTC; None where some are none."""
    bare = texts.str.replace(r"\s*(UTC|GMT)$", "", regex=True)
    made = pd.to_datetime(bare, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    return made if made.notna().all() else None


def days(dates: pd.Series) -> pd.Series:
    """Dates as days since 1970, float64."""
    if isinstance(dates.dtype, pd.DatetimeTZDtype):
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    since = (
        dates.to_numpy() - EPOCH
    )  # in their own unit: there are fewer years in nanoseconds than people date
    return pd.Series(since / np.timedelta64(1, "D"), dates.index, name=dates.name)


def dates_of(days: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """What `days` were made of, to the second."""
    return EPOCH + np.rint(days * DAY.total_seconds()).astype("timedelta64[s]")


def lasting(durations: pd.Series) -> pd.Series:
    """Durations as days, float64."""
    return durations.dt.total_seconds() / DAY.total_seconds()


def moments(column: pd.Series) -> pd.Series:
    """Dates and times of Python's own types, with gaps, as pandas' dates."""
    try:
        return pd.to_datetime(column)
    except pd.errors.OutOfBoundsDatetime:  # pandas 2 reads them in nanoseconds only
        plain = column.astype(object).where(column.notna(), None)
        return pd.Series(plain.to_numpy(dtype="datetime64[s]"), column.index, name=column.name)
