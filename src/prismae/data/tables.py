"""Tables and arrays: numeric columns scaled, categorical columns one-hot, and back; the scheme is plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from prismae.data.offset import TOO_FINE
from prismae.errors import InputError

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

MOST_CATEGORIES = 1000  # of a column; more are taken for names or numbers of rows, not for categories

Category = str | int | float | bool


@dataclass(frozen=True)
class TableScheme:
    """How the columns of a table become those of an array: numbers scaled, categories one-hot.

    Columns of numbers are numeric; truth values, texts and pandas' categories are categorical. The array has
    the numeric columns first, each with mean 0 and standard deviation 1, then a column of 0 and 1 for each
    category of each categorical column.

    Parameters
    ----------
    columns
        Names of the table's columns, in its order.
    scaling
        Numeric column → its mean and standard deviation.
    categories
        Categorical column → its values, in the order of their columns in the array.

    Examples
    --------
    >>> table = pd.DataFrame({"size": [1.0, 2.0, 6.0], "colour": ["red", "blue", "red"]})
    >>> scheme = TableScheme.fit(table)
    >>> scheme.feature_names
    ('size', 'colour_blue', 'colour_red')
    >>> scheme.to_frame(scheme.to_array(table)).round(3).equals(table)
    True
    """

    columns: tuple[str, ...]
    scaling: dict[str, tuple[float, float]]
    categories: dict[str, tuple[Category, ...]]

    @classmethod
    def fit(cls, table: pd.DataFrame, *, name: str = "The table") -> Self:
        """The scheme of a table, by scikit-learn's StandardScaler and OneHotEncoder.

        Parameters
        ----------
        table
            At least two rows; no column is empty, constant or lacks values.
        name
            What messages call the table.

        Raises
        ------
        InputError
            For column names that are not different texts, missing or infinite values, constant columns, columns
            of numbers in which a few values are no numbers, more than 1,000 categories or another one in every
            row, and values such as dates that are neither numbers nor categories.
        """
        from sklearn.preprocessing import OneHotEncoder, StandardScaler  # here: importing it takes a second

        names = _names(table, name)
        if len(table) < 2:
            raise InputError(f"{name} has one row, expected at least two to learn from.")
        numeric = [column for column in names if is_numeric(table[column], f"{name}: column {column!r}")]
        categorical = [column for column in names if column not in numeric]
        for column in names:
            _check_varying(table[column], f"{name}: column {column!r}", numeric=column in numeric)
        scaling: dict[str, tuple[float, float]] = {}
        categories: dict[str, tuple[Category, ...]] = {}
        if numeric:
            scaler = StandardScaler().fit(table[numeric].astype(np.float64))
            lost = scaler.scale_ != np.sqrt(scaler.var_)  # where scikit-learn takes a column for a constant
            if lost.any():
                raise InputError(f"{name}: column {numeric[int(lost.argmax())]!r} {TOO_FINE}.")
            pairs = zip(scaler.mean_.tolist(), scaler.scale_.tolist(), strict=True)
            scaling = dict(zip(numeric, pairs, strict=True))
        if categorical:
            encoder = OneHotEncoder().fit(table[categorical].astype(object))
            found = (tuple(values.tolist()) for values in encoder.categories_)
            categories = dict(zip(categorical, found, strict=True))
        return cls(tuple(names), scaling, categories)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the array's columns: a numeric column's own, and ``column_category`` for categories."""
        return tuple(self._transformer.get_feature_names_out().tolist())

    def to_array(self, table: pd.DataFrame, *, name: str = "The table") -> NDArray[np.float32]:
        """The table's rows as an array [n, d] with columns as `feature_names` says.

        Raises
        ------
        InputError
            For other columns than those of the fit, categories that the fit did not see, missing or infinite
            values, and values that are no numbers in numeric columns.
        """
        names = _names(table, name)
        if set(names) != set(self.columns):
            lacking, extra = sorted(set(self.columns) - set(names)), sorted(set(names) - set(self.columns))
            problem = f"lacks the column {lacking[0]!r}" if lacking else f"has the column {extra[0]!r}"
            raise InputError(f"{name} {problem}, expected the columns {_listed(self.columns)}.")
        plain: dict[str, Any] = {}
        for column in self.scaling:
            where = f"{name}: column {column!r}"
            if not is_numeric(table[column], where):
                raise InputError(f"{where} holds no numbers, expected numbers as in the fit.")
            plain[column] = table[column].astype(np.float64)
        for column, known in self.categories.items():
            where = f"{name}: column {column!r}"
            check_complete(table[column], where)
            plain[column] = table[column].astype(object)
            unknown = ~plain[column].isin(known)
            if unknown.any():
                raise InputError(
                    f"{where} has the value {plain[column][unknown].iloc[0]!r} in {_row(unknown)}, "
                    f"expected one of {_listed(known)}."
                )
        return self._transformer.transform(pd.DataFrame(plain)).astype(np.float32)

    def to_frame(self, array: ArrayLike) -> pd.DataFrame:
        """Rows of an array [n, d] as a table: numbers in their own units, and the category of the greatest value.

        Raises
        ------
        InputError
            For an array of another width.
        """
        x = np.asarray(array, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.feature_names):
            raise InputError(f"The array has shape {x.shape}, expected [n, {len(self.feature_names)}].")
        made: dict[str, Any] = {}
        for column, values in zip(self.scaling, x.T, strict=False):
            mean, scale = self.scaling[column]
            made[column] = values * scale + mean
        start = len(self.scaling)
        for column, known in self.categories.items():
            best = x[:, start : start + len(known)].argmax(axis=1)
            made[column] = [known[i] for i in best]
            start += len(known)
        return pd.DataFrame(made)[list(self.columns)]

    def to_json(self) -> dict[str, Any]:
        """The scheme as lists, numbers and texts, for a JSON file."""
        return {
            "columns": list(self.columns),
            "scaling": {column: list(pair) for column, pair in self.scaling.items()},
            "categories": {column: list(values) for column, values in self.categories.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The scheme that `to_json` wrote: its arrays are the same to the bit."""
        return cls(
            tuple(data["columns"]),
            {column: (mean, scale) for column, (mean, scale) in data["scaling"].items()},
            {column: tuple(values) for column, values in data["categories"].items()},
        )

    @cached_property
    def _transformer(self) -> ColumnTransformer:
        """scikit-learn's transformer with the scheme's numbers."""
        from sklearn.compose import ColumnTransformer
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        one_hot = OneHotEncoder(categories=[list(known) for known in self.categories.values()])
        made = ColumnTransformer(
            [("scaled", StandardScaler(), list(self.scaling)), ("one-hot", one_hot, list(self.categories))],
            sparse_threshold=0,
            verbose_feature_names_out=False,
        )
        row: dict[str, Any] = {column: [mean] for column, (mean, _) in self.scaling.items()}
        row |= {column: pd.Series(known[:1], dtype=object) for column, known in self.categories.items()}
        made.fit(pd.DataFrame(row))
        if self.scaling:  # the fit on one row was for the names, the numbers are the scheme's
            scaler = made.named_transformers_["scaled"]
            scaler.mean_, scaler.scale_ = np.array(list(self.scaling.values())).T.copy()
            scaler.var_ = scaler.scale_**2
        return made


def is_numeric(column: pd.Series, where: str) -> bool:
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
    check_complete(column, where)
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


def check_complete(column: pd.Series, where: str) -> None:
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


def _check_varying(column: pd.Series, where: str, *, numeric: bool) -> None:
    different = column.nunique()
    if different == 1:
        raise InputError(
            f"{where} is constant ({column.iloc[0]}): expected every column to vary, so leave it out."
        )
    if not numeric and (different > MOST_CATEGORIES or different == len(column) > 2):
        raise InputError(
            f"{where} has {different} different values in {len(column)} rows, expected categories "
            f"(at most {MOST_CATEGORIES}): leave out a column of names."
        )


def _names(table: pd.DataFrame, name: str) -> list[str]:
    names = list(table.columns)
    if len(table) == 0 or not names:
        raise InputError(f"{name} has {len(table)} rows and {len(names)} columns, expected some of each.")
    if not all(isinstance(column, str) for column in names) or len(set(names)) != len(names):
        raise InputError(f"{name} has the columns {_listed(names)}, expected different texts as names.")
    return names


def _row(wrong: NDArray[np.bool_]) -> str:
    """The first row that is wrong, as a reader counts the rows below a table's header."""
    return f"row {int(wrong.argmax()) + 1}"


def _listed(values: Sequence[object]) -> str:
    """Up to ten values with commas."""
    return ", ".join(str(value) for value in values[:10]) + (" …" if len(values) > 10 else "")
