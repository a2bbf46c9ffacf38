"""Columns and rows of what users hand over as codes and factors: what they are called, and what each column holds."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.errors import InputError

SHOWN = 5  # names in a sentence


def column_names(given: Any) -> tuple[str, ...] | None:
    """Names of the columns of a pandas table, or of its one column; None where they have none."""
    if isinstance(given, pd.Series):
        return None if given.name is None else (str(given.name),)
    if isinstance(given, pd.DataFrame) and not isinstance(given.columns, pd.RangeIndex):
        return tuple(map(str, given.columns))
    return None


def listed(given: Any, places: Any) -> str:
    """Columns by their names, or numbers, as a sentence has them: "column 'a'", "columns 3, 7 and 12 more"."""
    names = column_names(given)
    said = [str(i) if names is None else repr(names[i]) for i in places]
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return f"column{'s' * (len(said) > 1)} {', '.join(said[:SHOWN])}{more}"


def strange(given: Any, made: NDArray) -> str:
    """What of the codes is no number: its columns, where it is a table, else its type."""
    if isinstance(given, pd.DataFrame):
        places = [i for i, dtype in enumerate(given.dtypes) if not pd.api.types.is_numeric_dtype(dtype)]
        if places:
            types = dict.fromkeys(str(given.dtypes.iloc[i]) for i in places)
            return f"{listed(given, places)} of type {', '.join(types)}"
    return f"type {made.dtype}"


def check_rows(given: Mapping[str, Any]) -> None:
    """Refuse tables whose rows have names that do not agree: what belongs together by name stands in other places.

    Rows that pandas numbers by itself, from 0 on, may belong to any.

    Raises
    ------
    InputError
        Naming the tables, and the first place in which they differ.
    """
    tables = [
        (what, each.index) for what, each in given.items() if isinstance(each, pd.DataFrame | pd.Series)
    ]
    for (first, names), (second, others) in zip(tables[:1] * len(tables), tables, strict=True):
        counted = any(_counted(each) for each in (names, others))
        there = names.dtype == others.dtype and names.isin(others).all() and others.is_unique
        if names.equals(others) or (counted and not (there and len(names) == len(others))):
            continue
        mends = []
        if there:
            here, from_ = (each.removeprefix("the ") for each in (first, second))
            mends.append(f"{from_}.loc[{here}.index] are those of {first}, in their order")
        if len(names) == len(others):
            mends.append("if they belong together as they stand, reset_index(drop=True) of both says so")
        mend = "; ".join(mends) or "expected one of each, of the same names"
        if len(names) != len(others):
            raise InputError(
                f"There are {len(names)} rows of {first} and {len(others)} of {second}, with names: {mend}."
            )
        place = int(np.argmax(names.to_numpy() != others.to_numpy()))
        raise InputError(
            f"Rows of {first} and of {second} have other names, as row {place}, which is {names[place]!r} in {first} "
            f"and {others[place]!r} in {second}: {mend}."
        )


def _counted(names: pd.Index) -> bool:
    """Whether pandas has numbered the rows by itself."""
    return isinstance(names, pd.RangeIndex) and names.start == 0 and names.step == 1


def numbered(given: Any, like: Any = None) -> Any:
    """Factors whose columns are classes by name (texts, categories) as numbers, in order; what is numbers stays.

    Parameters
    ----------
    like
        Factors in whose order classes are numbered; None: these.

    Raises
    ------
    InputError
        Naming all columns that are neither numbers nor classes.
    """
    columns = _columns(given)
    if columns is None:
        return given
    others = columns if like is None else _columns(like)
    if others is None or len(others) != len(columns):
        return given
    found, faults = [], dict[str, list[int]]()  # what is wrong → of which columns
    for place, (column, other) in enumerate(zip(columns, others, strict=True)):
        try:
            found.append(_numbers(column, other))
        except ValueError as error:
            faults.setdefault(str(error), []).append(place)
    if faults:
        said = "; ".join(
            f"{listed(given, places)} hold{'s' * (len(places) == 1)} {why}" for why, places in faults.items()
        )
        raise InputError(f"The factors must be numbers or classes, but {said}.")
    return np.column_stack(found) if found else np.empty((len(given), 0))


def _columns(given: Any) -> list[pd.Series] | None:
    """The columns of factors that are not all numbers; None where they are, or have no columns."""
    if isinstance(given, pd.Series):
        given = given.to_frame()
    if isinstance(given, pd.DataFrame):
        plain = all(pd.api.types.is_numeric_dtype(dtype) for dtype in given.dtypes)
        return None if plain else [given.iloc[:, i] for i in range(given.shape[1])]
    if hasattr(given, "detach"):  # a tensor, which holds numbers
        return None
    made = np.asarray(given)
    if made.dtype.kind not in "OUSMm" or made.ndim not in (1, 2):
        return None
    return [
        pd.Series(column, dtype=None if made.dtype.kind in "Mm" else object)
        for column in np.atleast_2d(made.T)
    ]


def _numbers(column: pd.Series, like: pd.Series) -> NDArray:
    """A column as numbers, NaN where a value is missing; classes by their place among those of `like`."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64 if column.isna().any() else None)
    if not isinstance(column.dtype, pd.CategoricalDtype):
        if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(
            column.dtype
        ):
            raise ValueError(f"times ({column.dtype})")
        known = column.dropna()
        if all(isinstance(value, Real) for value in known):
            return column.astype(np.float64).to_numpy()
        if not all(isinstance(value, str) for value in known):
            raise ValueError("values of several types")
        if pd.to_numeric(known, errors="coerce").notna().all():
            raise ValueError("numbers as texts, of which .astype(float) makes numbers")
    classes = _classes(like)
    places = column.map({value: place for place, value in enumerate(classes)}).astype(np.float64)
    unknown = places.isna() & column.notna()
    if unknown.any():
        raise ValueError(f"{column[unknown].iloc[0]!r}, which the factors to learn on do not have")
    return places.to_numpy() if places.isna().any() else places.to_numpy().astype(np.int64)


def _classes(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.categories)
    return sorted(column.dropna().unique())
