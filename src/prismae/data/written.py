"""How texts are numbers: with commas for thousands, decimal commas, units, as times of day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from prismae.data.dates import dates_by, days, lasting, moments

SPACED = r"([ \u00a0\u202f]\d{3})+|(['’]\d{3})+"  # thousands behind spaces or marks
THOUSANDS = rf"[-+]?(\d{{1,3}}((,\d{{2,3}})*,\d{{3}}|{SPACED})(\.\d*)?|\d+\.?\d*|\.\d+)"
COMMA = rf"[-+]?(\d+|\d{{1,3}}((\.\d{{3}})+|{SPACED}))(,\d+)?([eE][-+]?\d+)?"
CURRENCY = r"(?:[$€£¥₹]|USD|EUR|GBP|CHF|JPY)"
UNIT = (  # what follows a number
    r"^[-+(]?(?:[$€£¥₹]\s*)?\d[\d.,'’ \u00a0\u202f]*?\s*([^\d\s.,'’:;%+/()<>=-][^\d:]{0,11})$"
)
MANY = 10  # different texts with a unit from which they are numbers; fewer are categories, such as "2 doors"

# each gives the numbers of the texts that are some, and NaN for the others


def _plain(texts: pd.Series) -> pd.Series:
    bare = _bare(texts).str.replace(r"^([-+]?[\d.]+)[dD]([-+]\d+)$", r"\1e\2", regex=True)  # of Fortran
    return pd.to_numeric(bare, errors="coerce")


def _thousands(texts: pd.Series) -> pd.Series:
    bare = _bare(texts).str.replace(r"^\((.*)\)$", r"-\1", regex=True)  # as accounts write what is below 0
    bare = bare.str.replace(rf"^([-+]?){CURRENCY}\s*", r"\1", regex=True)
    right = bare.str.fullmatch(THOUSANDS)
    return pd.to_numeric(bare.str.replace(r"[^\d.+-]", "", regex=True), errors="coerce").where(right)


def _comma(texts: pd.Series) -> pd.Series:
    bare = _bare(texts)
    right = bare.str.fullmatch(COMMA)
    plain = bare.str.replace(r"[^\d,eE+-]", "", regex=True).str.replace(",", ".")
    return pd.to_numeric(plain, errors="coerce").where(right)


def _percent(texts: pd.Series) -> pd.Series:
    bare = _bare(texts)
    numbers = bare.str.removesuffix("%")
    comma = _comma(numbers).where(
        ~numbers.str.fullmatch(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")
    )  # 1,234 may be either
    return _plain(numbers).fillna(comma).where(bare.str.endswith("%"))


def _clock(texts: pd.Series) -> pd.Series:
    parts = _bare(texts).str.extract(r"^([-+]?)(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?( ?[AaPp][Mm])?$")
    hours, minutes, seconds = (pd.to_numeric(parts[i], errors="coerce") for i in (1, 2, 3))
    half = parts[4].str.strip().str.lower()
    hours = hours.where(half.isna(), hours % 12 + 12 * (half == "pm"))
    return (hours + minutes / 60 + seconds.fillna(0) / 3600) * np.where(parts[0] == "-", -1.0, 1.0)


WRITTEN: dict[str, Callable[[pd.Series], pd.Series]] = {
    "text": _plain,
    "thousands": _thousands,
    "comma": _comma,
    "percent": _percent,
    "clock": _clock,
}
DURATION = "duration"
LOOSE = "loose"  # numbers, written as the word after it says, among which texts are missing values
HOW = {
    "": "numbers",
    "text": "numbers in quotes",
    "thousands": "numbers with commas for thousands",
    "comma": "numbers with decimal commas",
    "percent": "percentages",
    "clock": "times, as hours",
    "date": "dates, as days",
    DURATION: "durations, as days",
}
IN = " in "  # between how numbers are written and their unit


def numbers_of(texts: pd.Series, written: str) -> pd.Series:
    """The numbers that texts written so are, NaN for those that are none."""
    form, _, unit = written.partition(IN)
    if unit:
        bare = texts.str.strip()
        texts = bare.str.removesuffix(unit).where(bare.str.endswith(unit), "")
    return WRITTEN[form or "text"](texts)


def all_numbers(texts: pd.Series, written: str) -> pd.Series | None:
    """The same where all are."""
    numbers = numbers_of(texts, written)
    return numbers if numbers.notna().all() else None


def forms_of(texts: pd.Series) -> list[str]:
    """How texts may be written, as `numbers_of` takes it; with a unit where all of many have the same."""
    if len(texts) > MANY:
        units = _bare(texts).str.extract(UNIT)[0].unique()
        if len(units) == 1 and isinstance(units[0], str):
            return [f"{form}{IN}{units[0]}" for form in ("text", "thousands", "comma")]
        return list(WRITTEN)
    return [form for form in WRITTEN if form != "clock"]


def how(written: str) -> str:
    """How numbers are written, in words."""
    form, _, unit = written.partition(IN)
    return f"{HOW['' if unit and form == 'text' else form]}{f', with the unit {unit!r}' if unit else ''}"


def _bare(texts: pd.Series) -> pd.Series:
    """Texts without spaces around them, and with the minus of a keyboard."""
    return texts.str.strip().str.replace("−", "-")


def loose(column: pd.Series, written: str) -> pd.Series:
    """The numbers among the texts of a column, which are `written` so; the others are missing."""
    return numbers_of(column.astype(str), written.partition(" ")[2]).astype(np.float64)


def as_numbers(column: pd.Series, written: str) -> pd.Series | None:
    """New values of a column of numbers that were `written` so in the fit, as float64; None where some are none."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.astype(np.float64)
    column = column.infer_objects()
    if column.dtype.kind in "biuf" or pd.api.types.is_numeric_dtype(column.dtype):
        return None if pd.api.types.is_complex_dtype(column.dtype) else column.astype(np.float64)
    if isinstance(column.dtype, np.dtype | pd.DatetimeTZDtype) and column.dtype.kind == "M":
        return days(column) if written.startswith("date") else None
    if column.dtype.kind == "m":
        return lasting(column) if written == DURATION else None
    if written.startswith(LOOSE):
        return loose(column, written)
    texts = pd.Series(column.dropna().astype(str).unique())
    if len(texts) == 0:
        return column.astype(np.float64)
    dates = written.startswith("date")
    if dates and all(isinstance(each, date) for each in column.dropna()):
        return days(moments(column))
    read = dates_by(texts, written[5:] or "ISO8601") if dates else all_numbers(texts, written)
    read = all_numbers(texts, "text") if read is None and not dates else read
    if read is None:
        return None
    known = dict(zip(texts, read, strict=True))
    numbers = column.map(lambda value: value if pd.isna(value) else known[str(value)])
    return days(pd.to_datetime(numbers)) if dates else numbers.astype(np.float64)
