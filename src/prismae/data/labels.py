"""What a reader of own files returns, and how labels (columns, folders) become factors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.data._base import FactorKind
from prismae.data.rows import Rows
from prismae.data.tables import TableScheme
from prismae.errors import InputError, unknown_names
from prismae.settings import Layout


@dataclass(frozen=True)
class Labels:
    """Known factors: values [n, k], k names and kinds, and what values 0, 1, 2 … of each are called, if anything."""

    values: NDArray
    names: tuple[str, ...]
    kinds: tuple[FactorKind, ...]
    value_names: tuple[tuple[str, ...], ...] = ()

    def columns(self) -> dict[str, NDArray]:
        """Each factor by its name, as it was given: texts where its values have names, whole numbers where it is
        categorical."""
        found = {}
        for name, kind, values, called in zip(
            self.names, self.kinds, self.values.T, self.value_names or ((),) * len(self.names), strict=True
        ):
            whole = values.astype(np.int64) if kind == "categorical" else values
            found[name] = np.array(called)[whole] if called else whole
        return found


@dataclass(frozen=True)
class Found:
    """What a file or folder holds.

    Parameters
    ----------
    x
        Observations [n, …].
    labels
        Known factors.
    table
        How a table became the observations.
    channel_names
        Names of channels, for series.
    names
        Names [n] of the rows of a table, or paths of images.
    series, rate
        Where the channels of series stand, and their points a second, where the reader knows it.
    doubt
        How its axes may stand otherwise than they are taken, where nobody said how: a sentence without its point.
    columns, notices
        What was understood, a line for each column of a table; and what of it a user should know, in sentences.
    """

    x: NDArray | Rows
    labels: Labels | None = None
    table: TableScheme | None = None
    channel_names: tuple[str, ...] | None = None
    names: NDArray | None = None
    series: Layout | None = None
    rate: float | None = None
    doubt: str | None = None
    columns: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def whole(self) -> NDArray:
        """The observations in memory."""
        return self.x[:] if isinstance(self.x, Rows) else self.x


def labels_of(columns: Mapping[str, Any], n: int, where: str, *, new: bool = False) -> Labels | None:
    """Factors by columns of n values each: whole numbers, floats, truth values or texts; None for no columns.

    Whole numbers, truth values and texts are categorical (texts are numbered in alphabetical order), floats
    are continuous. `where` names the file in messages; `new` says that they are of new observations, whose factors
    need not vary.

    Raises
    ------
    InputError
        For a column of another length, with missing values, or constant.
    """
    if not columns:
        return None
    values: list[NDArray] = []
    kinds: list[FactorKind] = []
    called: list[tuple[str, ...]] = []
    for name, given in columns.items():
        column = pd.Series(given) if not isinstance(given, pd.Series) else given
        what = f"{where}: factor {name!r}"
        if len(column) != n:
            raise InputError(f"{what} has {len(column)} values, expected one for each of {n} observations.")
        numeric = _is_numeric(column, what)
        codes, found = (column.to_numpy(), ()) if numeric else pd.factorize(column, sort=True)
        if not new and n > 1 and (codes == codes[0]).all():
            raise InputError(f"{what} is constant ({column.iloc[0]}), expected a factor that varies.")
        values.append(codes)
        kinds.append("continuous" if codes.dtype.kind == "f" else "categorical")
        called.append(tuple(map(str, found)))
    return Labels(np.stack(values, axis=1), tuple(columns), tuple(kinds), tuple(called))


def chosen(wanted: Iterable[str], valid: Iterable[str], kind: str, *, new: bool = False) -> tuple[str, ...]:
    """The wanted factors; names that a file does not have are refused, or left out of `new` observations.

    `kind` says what they should be.
    """
    known, names = list(valid), tuple(wanted)
    unknown = [name for name in names if name not in known]
    if unknown and not new:
        raise unknown_names(kind, unknown, known)
    return tuple(name for name in names if name in known)


def _is_numeric(column: pd.Series, where: str) -> bool:
    """Whether a column holds numbers (True) or categories (False).

    Parameters
    ----------
    where
        What messages call the column.

    Raises
    ------
    InputError
        For missing or infinite values, numbers among which a few values are no numbers, mixed types, and values
        such as dates that are neither numbers nor categories.
    """
    _check_complete(column, where)
    column = column.infer_objects()
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        _check_types(column, where)
        return False
    if pd.api.types.is_bool_dtype(kind):
        return False
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        with np.errstate(over="ignore"):
            infinite = ~np.isfinite(column.to_numpy(np.float32))
        if infinite.any():
            raise InputError(
                f"{where} is infinite in {_row(infinite)}, expected finite numbers of float32's range."
            )
        return True
    if not (pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind)):
        raise InputError(f"{where} holds values of type {kind}, expected numbers, texts or truth values.")
    _check_types(column, where)
    no_numbers = pd.to_numeric(column, errors="coerce").isna().to_numpy()
    if 0 < no_numbers.sum() < len(column) / 2:
        first = column[no_numbers].iloc[0]
        raise InputError(
            f"{where} holds numbers but for {no_numbers.sum()} of {len(column)} values, the first {first!r} in "
            f"{_row(no_numbers)}: expected only numbers or only categories."
        )
    return False


def _check_complete(column: pd.Series, where: str) -> None:
    """Refuse a column that lacks values; `where` is what the message calls it."""
    missing = column.isna().to_numpy()
    if missing.any():
        lacks = "a value" if missing.sum() == 1 else f"{missing.sum()} values"
        raise InputError(
            f"{where} lacks {lacks}, the first in {_row(missing)}: expected none missing, "
            "so fill them in, or leave the rows or the column out."
        )


def _check_types(column: pd.Series, where: str) -> None:
    """Refuse categories of several types, and of types that JSON does not know."""
    types = column.map(lambda value: type(value).__name__).astype(str)
    strange = ~types.isin(["str", "int", "float", "bool"]).to_numpy()
    if strange.any():
        raise InputError(
            f"{where} holds a {types[strange].iloc[0]} in {_row(strange)}, "
            "expected numbers, texts or truth values."
        )
    other = (types != types.iloc[0]).to_numpy()
    if other.any():
        raise InputError(
            f"{where} mixes types, {types.iloc[0]} in row 1 and {types[other].iloc[0]} in {_row(other)}: "
            "expected one type."
        )


def _row(wrong: NDArray[np.bool_]) -> str:
    """The first row that is wrong, as a reader counts the rows below a table's header."""
    return f"row {int(wrong.argmax()) + 1}"
