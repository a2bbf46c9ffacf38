"""Series in tables: each row a series, or a point in time of one recording or of several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._text import listed
from prismae.data.columns import Column
from prismae.data.dates import date_forms, dates_by
from prismae.data.doubts import FEW
from prismae.data.labels import Found, labels_of
from prismae.data.tables import checked_names, look
from prismae.data.windows import Recording, found_of
from prismae.data.written import all_numbers
from prismae.errors import InputError, unknown_names
from prismae.settings import Reading

EVEN = 0.01  # of a step: by how much steps in time may differ and still count as even
UNITS = {  # of time, as names of columns end with them → seconds
    r"s|secs?|seconds?": 1.0,
    r"ms|msecs?|milliseconds?": 1e-3,
    r"[uµμ]s|[uµμ]?secs?|microseconds?": 1e-6,
    r"ns|nsecs?|nanoseconds?": 1e-9,
    r"mins?|minutes?|minuten?": 60.0,
    r"h|hrs?|hours?|stunden?": 3600.0,
    r"d|days?|tage?": 86_400.0,
}
_ANY = "|".join(UNITS)
OF_TIME = re.compile(
    rf"(?i)\W*(elapsed[\s_]*)?(t|time|zeit)((\b|_)[\s_\[(/]*({_ANY}))?\W*|\W*(s|secs?|seconds?)\W*"
    r"|.*(\b|_)(ms|msecs?|milliseconds?)\W*"
)
MINUTES = re.compile(r"(\d+):([0-5]\d\.\d+)")  # and seconds


def series_of_table(
    table: pd.DataFrame, reading: Reading, name: str, *, notices: Sequence[str] = (), new: bool = False
) -> Found:
    """Series of a table: each row a series, or each row a point in time of one recording, or of several by `id`.

    Raises
    ------
    InputError
        For columns that are not there or hold no numbers, and factors that vary within a series.
    """
    checked_names(table, name)
    asked = [
        each
        for each in (reading.series_id, reading.time, *reading.factors, *reading.drop)
        if each is not None
    ]
    unknown = [column for column in dict.fromkeys(asked) if column not in table.columns]
    if unknown and not new:
        raise unknown_names(f"column of {name}", unknown, map(str, table.columns))
    if reading.series == "rows":
        return _rows(table, reading, name, list(notices), new=new)
    if reading.time is not None:
        order = pd.Series(_seconds(table[reading.time], reading.time, name)).argsort(kind="stable")
        table = table.iloc[order]
    values, names, rate, more = channels_of(table, reading, name)
    said = [*notices, *more]
    factors = [column for column in reading.factors if column in table.columns]
    if reading.series_id is None:
        if reading.window is None:
            raise InputError(
                f"{name}: one recording of {len(values):,} points has to be cut into windows (--window), or is "
                "several, told apart by a column (--id)."
            )
        columns = {column: table[column].to_numpy() for column in factors}
        return found_of(
            [Recording(values.T, "")], reading, name, columns, rate=rate, names=names, notices=said, new=new
        )
    of, ids = pd.factorize(table[reading.series_id].astype(str))
    places = np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of))[:-1])
    recordings = [Recording(values[rows].T, str(each)) for each, rows in zip(ids, places, strict=True)]
    grouped = table.groupby(of)
    varying = [repr(column) for column in factors if grouped[column].nunique(dropna=False).max() > 1]
    if varying:
        raise InputError(
            f"{name}: {listed(varying)} of the factors vary within a series of {reading.series_id!r}, expected one "
            "value for each."
        )
    first: dict[str, Any] = {
        column: table[column].iloc[[rows[0] for rows in places]].reset_index(drop=True) for column in factors
    }
    if reading.time is not None:
        rate, uneven = _common_rate(table[reading.time], places, reading.time, name)
        if uneven:
            said.append(
                f"times in {reading.time!r} are not evenly spaced: points are taken one after the other"
            )
    return found_of(recordings, reading, name, first, rate=rate, names=names, notices=said, new=new)


def _rows(table: pd.DataFrame, reading: Reading, name: str, notices: list[str], *, new: bool) -> Found:
    index = reading.index
    rest = table.drop(columns=[each for each in (*reading.factors, *reading.drop) if each in table])
    looked = look(rest, name, categorical=(), numeric=[each for each in reading.numeric if each in rest])
    first = next(iter(looked))
    if index is None and looked[first].role in ("rows", "names"):
        index = first
    texts = [repr(column) for column, each in looked.items() if column != index and not _numeric(each.values)]
    if texts:
        raise InputError(
            f"{name}: {listed(texts)} hold no numbers, and each row is to be a series: --drop, --index."
        )
    columns = [column for column in looked if column != index]
    x = np.stack([looked[column].values.to_numpy(np.float64) for column in columns], axis=1)
    called = None if index is None else table[index].astype(str).to_numpy(dtype=str)
    if called is None and not isinstance(table.index, pd.RangeIndex):
        called = table.index.astype(str).to_numpy(dtype=str)
    factors = {column: table[column] for column in reading.factors if column in table}
    if reading.window is not None:
        recordings = [
            Recording(each[None], str(i if called is None else called[i])) for i, each in enumerate(x)
        ]
        return found_of(recordings, reading, name, factors, notices=notices, new=new)
    labels = labels_of(factors, len(x), name, new=new)
    return Found(x, labels, names=called, notices=tuple(notices), series="channels-first", rate=reading.rate)


def channels_of(
    table: pd.DataFrame, reading: Reading, name: str
) -> tuple[NDArray, tuple[str, ...], float | None, list[str]]:
    """Values [length, c] of the columns of numbers, their names, the sampling rate, and what is to be said."""
    others = (reading.series_id, reading.time, reading.index, *reading.factors, *reading.drop)
    rest = table.drop(columns=[each for each in others if each in table.columns])
    looked = look(rest, name, categorical=(), numeric=[each for each in reading.numeric if each in rest])
    texts = [
        column
        for column, each in looked.items()
        if each.role in ("category", "names", "constant") and not _numeric(each.values)
    ]
    of = [each for each in (reading.series_id, reading.time) if each is not None]
    if texts and reading.time is not None and table.duplicated(of).any():
        raise InputError(
            f"{name}: several rows have the same {' and '.join(map(repr, of))}, and each row is to be a point of a "
            f"series: if {texts[0]!r} says which channel a row is of, make columns of it, as table.pivot(index={of}, "
            f"columns={texts[0]!r}, values=…).reset_index() of pandas does."
        )
    if texts:
        hold = "holds" if len(texts) == 1 else "hold"
        raise InputError(
            f"{name}: {listed(list(map(repr, texts)))} {hold} no numbers, and each row is to be a point of a series: "
            f"--drop {','.join(texts)}, or --factors."
        )
    said: list[str] = []
    rate = None
    if reading.time is not None:
        rate = _rate(_seconds(table[reading.time], reading.time, name))
        if rate is None and reading.series_id is None:
            said.append(
                f"times in {reading.time!r} are not evenly spaced: points are taken one after the other"
            )
    taken = []
    for column, each in looked.items():
        if column in reading.numeric or each.role not in ("number", "rows", "empty"):
            taken.append(column)
            continue
        times = None if each.role == "empty" else _times(each, rest[column], column)
        steady = None if times is None else _rate(times)
        if each.role == "rows" or steady is not None:
            if reading.time is None and rate is None:
                rate = steady
            also = f": {rate:g} points a second (else --rate)" if rate and reading.time is None else ""
            said.append(f"{column!r} counts or tells the time, and is left out (else --numeric){also}")
        elif each.role == "empty":
            said.append(f"column {column!r} has no values: it is left out")
        else:
            taken.append(column)
    unsaid = len(table) > FEW and (rate, reading.time, reading.series_id) == (None, None, None)
    for column in taken if unsaid else ():
        if column not in reading.numeric and _rate(looked[column].values.to_numpy(np.float64)) is not None:
            said.append(
                f"column {column!r} rises evenly, as a time does, and is trained on (else --time {column!r})"
            )
    if not taken:
        raise InputError(f"{name}: no column of numbers is left for a series.")
    values = np.stack([looked[column].values.to_numpy(np.float64) for column in taken], axis=1)
    return values, tuple(taken), rate, said


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)


def _times(looked: Column, column: pd.Series, name: str) -> NDArray | None:
    """Seconds of a column that may tell the time: one of dates, or of numbers by its name; None for others."""
    if looked.written.startswith("date"):
        return looked.values.to_numpy(np.float64) * 86_400
    column = looked.values if _numeric(looked.values) else column  # as 0,02 is one
    if _numeric(column):
        hours = looked.written == "clock"
        known = 3600.0 if hours else _unit(name) if OF_TIME.fullmatch(name) else None
        return None if known is None else column.to_numpy(np.float64) * known
    return _of_texts(column)


def _unit(name: str) -> float:
    """Seconds of the unit of time with which the name of a column ends; without one they are seconds."""
    for unit, seconds in UNITS.items():
        if re.fullmatch(rf"(?i)(.*(\b|_))?({unit})\W*", name):
            return seconds
    return 1.0


def _of_texts(column: pd.Series) -> NDArray | None:
    """Seconds of texts that are dates, times of day, or minutes and seconds; None for others."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        dates: pd.Series | None = column
    else:
        texts = column.astype(str).str.strip()
        minutes = texts.str.extract(rf"^{MINUTES.pattern}$").astype(np.float64)
        if minutes.notna().to_numpy().all():
            return (60 * minutes[0] + minutes[1]).to_numpy()
        if (hours := all_numbers(texts, "clock")) is not None:
            return hours.to_numpy(np.float64) * 3600
        forms = date_forms(texts)
        dates = dates_by(texts, forms[0]) if forms else None
    if dates is None or dates.isna().any():
        return None
    return (dates - dates.iloc[0]).dt.total_seconds().to_numpy()


def _seconds(column: pd.Series, name: str, where: str) -> NDArray:
    """Seconds of the column that the user says is the time."""
    if _numeric(column):
        return column.to_numpy(np.float64) * _unit(name)
    found = _of_texts(column)
    if found is None:
        raise InputError(f"{where}: column {name!r} holds no times, expected numbers or dates.")
    return found


def _rate(times: NDArray) -> float | None:
    """Points a second of times [length], or None where they are not evenly spaced."""
    steps = np.diff(times)
    if len(steps) == 0 or not np.isfinite(steps).all() or steps.min() <= 0:
        return None
    step = float(np.median(steps))
    if np.abs(steps - step).max() > EVEN * step + 1e-9:
        return None
    rate, plain = (
        float(f"{1 / step:.6g}"),
        f"{step:.6g}",
    )  # either may be the plain number, 360 a second or 0.6 s
    return rate if f"{1 / rate:.6g}" == plain else 1 / float(plain)


def _common_rate(
    column: pd.Series, places: Sequence[NDArray], name: str, where: str
) -> tuple[float | None, bool]:
    """The rate that all series have, and whether some are not evenly spaced."""
    times = _seconds(column, name, where)
    rates = {_rate(times[rows]) for rows in places if len(rows) > 1}
    even = len(rates) == 1 and None not in rates
    return (rates.pop() if even else None), not even
