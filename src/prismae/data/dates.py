"""Dates and durations of columns: the forms in which texts are dates, and days as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.errors import InputError

DAY = pd.Timedelta(days=1)
EPOCH = np.datetime64(0, "s")
DATES = """ISO8601|%d/%m/%Y|%m/%d/%Y|%d.%m.%Y|%Y/%m/%d|%d/%m/%y|%m/%d/%y|%d-%m-%Y|%d %b %Y|%d-%b-%Y|%d-%b-%y|%b %d %Y
%b %d, %Y|%B %d, %Y|%d/%m/%Y %H:%M|%m/%d/%Y %H:%M|%d/%m/%Y %H:%M:%S|%m/%d/%Y %H:%M:%S|%Y/%m/%d %H:%M|%Y/%m/%d %H:%M:%S
%d/%m/%Y %I:%M %p|%m/%d/%Y %I:%M %p|%d/%m/%Y %I:%M:%S %p|%m/%d/%Y %I:%M:%S %p|%d %B %Y|%a, %d %b %Y %H:%M:%S
%a %b %d %H:%M:%S %Y|%b-%y|%b %Y""".replace("\n", "|").split("|")


ZONE = r"(?:\dZ|:\d\d(?:\.\d+)?\s*[+-]\d\d(?::?\d\d)?|UTC|GMT)\s*$"  # behind a text's time


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


def zone_of(dates: pd.Series) -> str:
    """Name of the time zone that dates are in, "" of those without; UTC for one whose name does not bring it back."""
    if not isinstance(dates.dtype, pd.DatetimeTZDtype):
        return ""
    name = str(dates.dtype.tz)
    try:
        return name if pd.DatetimeTZDtype("ns", name).tz == dates.dtype.tz else "UTC"
    except (TypeError, ValueError, LookupError, OSError):
        return "UTC"


def zone_written(texts: pd.Series) -> str:
    """ "UTC" for texts of dates of which some say their zone, as +01:00, Z, UTC or GMT; else ""."""
    return "UTC" if texts.str.contains(ZONE).any() else ""


def lacks_zone(dates: pd.Series) -> bool:
    """Whether dates, or texts of dates, have no time zone."""
    seen = dates.dropna()
    if len(seen) == 0 or isinstance(dates.dtype, pd.DatetimeTZDtype):
        return False
    first = seen.iloc[0]
    return not zone_written(seen) if isinstance(first, str) else getattr(first, "tzinfo", None) is None


def days(dates: pd.Series) -> pd.Series:
    """Dates as days since 1970, float64."""
    if isinstance(dates.dtype, pd.DatetimeTZDtype):
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    since = (
        dates.to_numpy() - EPOCH
    )  # in their own unit: there are fewer years in nanoseconds than people date
    return pd.Series(since / np.timedelta64(1, "D"), dates.index, name=dates.name)


def dates_of(days: NDArray[np.float64], zone: str = "") -> pd.Series:
    """What `days` were made of, to the second, in the time zone that they had."""
    made = pd.Series(EPOCH + np.rint(days * DAY.total_seconds()).astype("timedelta64[s]"))
    if not zone:
        return made
    try:
        return made.dt.tz_localize("UTC").dt.tz_convert(zone)
    except (ValueError, LookupError, OSError):
        raise InputError(f"The time zone {zone!r} is not known here: pip install tzdata.") from None


def lasting(durations: pd.Series) -> pd.Series:
    """Durations as days, float64."""
    return durations.dt.total_seconds() / DAY.total_seconds()


def moments(column: pd.Series) -> pd.Series:
    """Dates and times of Python's own types, with gaps, as pandas' dates; those of several time zones in UTC.

    Raises
    ------
    InputError
        Where some have a time zone and others none.
    """
    zones = {str(getattr(value, "tzinfo", None)) for value in column.dropna()}
    if len(zones) > 1 and "None" in zones:
        raise InputError(
            f"column {column.name!r} has times with a time zone and times without: give all of them one "
            "(pandas' tz_localize), or none (tz_localize(None))"
        )
    try:
        return pd.to_datetime(column, utc=len(zones) > 1)
    except pd.errors.OutOfBoundsDatetime:  # pandas 2 reads them in nanoseconds only
        plain = column.astype(object).where(column.notna(), None)
        return pd.Series(plain.to_numpy(dtype="datetime64[s]"), column.index, name=column.name)
