"""Tables and arrays: numeric columns scaled, categorical columns one-hot, and back; the scheme is plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from prismae._text import listed
from prismae.data.columns import COUNTS, Category, Column, understood
from prismae.data.dates import dates_of, lacks_zone
from prismae.data.offset import TOO_FINE, rounded_away
from prismae.data.written import DURATION, as_numbers
from prismae.errors import InputError, noted, unknown_names

AT_ONCE = 1 << 20  # numbers that are scaled together,
ROWS = 4096  # and rows that are written together, as a processor's memory holds them
MISSING = -2  # the place of a missing value among categories


@dataclass(frozen=True)
class TableScheme:
    """How the columns of a table become those of an array: numbers scaled, categories one-hot.

    Columns of numbers are numeric, dates are numbers of days; truth values, texts and pandas' categories are
    categorical. The array has the numeric columns first, each with mean 0 and standard deviation 1, then a column of 0
    and 1 for each category of each categorical column. A missing value is NaN, a missing category NaN in all of its
    columns. Constant columns are no part of the array, and come back as the constant.

    Parameters
    ----------
    columns
        Names of the table's columns that are trained on or constant, in its order.
    scaling
        Numeric column → its mean and standard deviation.
    categories
        Categorical column → its values, in the order of their columns in the array.
    constants
        Constant column → its value.
    written
        Numeric column → how its numbers are written, where not plainly (see `prismae.data.columns.Column`).
    zones
        Column of dates → the time zone that they are given back in, where they have one.
    sorts
        Numeric column → "count", "poisson" or "truth", where its numbers are counts, or 0 and 1.
    left_out
        Columns of the table that are not trained on: dropped, empty, or names.
    index
        The one of these that names the rows.

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
    constants: dict[str, Category] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    sorts: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    index: str | None = None
    zones: dict[str, str] = field(default_factory=dict)
    ignore_unknown: bool = field(default=False, compare=False)  # of new rows, and so kept nowhere

    @classmethod
    def fit(cls, table: pd.DataFrame, *, name: str = "The table") -> Self:
        """The scheme of a table, by scikit-learn's StandardScaler; `name` is what messages call the table.

        Raises
        ------
        InputError
            As `look`, and where nothing is left to train on.
        """
        return cls.of(look(table, name), name=name)

    @classmethod
    def of(cls, looked: Mapping[str, Column], *, name: str = "The table", index: str | None = None) -> Self:
        """The scheme of columns that were looked at; `index` is the one that names the rows."""
        from sklearn.preprocessing import StandardScaler  # here: importing it takes a second

        if looked and len(next(iter(looked.values())).values) < 2:
            raise InputError(f"{name} has one row, expected at least two to learn from.")
        by_role = {
            role: {column: each for column, each in looked.items() if each.role == role and column != index}
            for role in ("number", "category", "constant")
        }
        numbers, categorical, constant = by_role.values()
        if not numbers and not categorical:
            said = "; ".join(f"{column!r} is {each.said}" for column, each in [*looked.items()][:10])
            said += "".join(f"; {each.doubt}" for each in [*looked.values()][:10] if each.doubt)
            raise InputError(
                f"{name} has no column to train on ({said}): expected one that varies "
                "(--numeric and --categorical say of a column what it is)."
            )
        scaling: dict[str, tuple[float, float]] = {}
        every, rows = [*numbers], len(next(iter(looked.values())).values)
        step = len(every) if rows * len(every) <= AT_ONCE else 1  # several long columns at once take longer
        for start in range(0, len(every), step or 1):
            names = every[start : start + step]
            values = np.stack([numbers[column].values.to_numpy(np.float64) for column in names], axis=1)
            with np.errstate(over="ignore", under="ignore"):
                scaler = StandardScaler().fit(values)
                odd = ~np.isfinite(scaler.var_) | (scaler.scale_ != np.sqrt(scaler.var_))
                for i in np.flatnonzero(odd):  # whose squares are no numbers any more
                    largest = np.nanmax(np.abs(values[:, i]))
                    scaler.mean_[i] = np.nanmean(values[:, i] / largest) * largest
                    scaler.scale_[i] = np.nanstd(values[:, i] / largest) * largest
                    if rounded_away(largest, scaler.scale_[i], bits=53):
                        raise InputError(f"{name}: column {names[i]!r} {TOO_FINE}.")
            pairs = zip(scaler.mean_.tolist(), scaler.scale_.tolist(), strict=True)
            scaling |= dict(zip(names, pairs, strict=True))
        trained = {*numbers, *categorical, *constant}
        kept = [column for column in looked if column in trained]
        return cls(
            tuple(kept),
            scaling,
            {column: _categories(each.values) for column, each in categorical.items()},
            {column: _plain(each.values.dropna().iloc[0]) for column, each in constant.items()},
            {column: each.written for column, each in looked.items() if each.written and column in trained},
            {column: each.sort for column, each in numbers.items() if each.sort != "number"},
            tuple(column for column in looked if column not in trained),
            index,
            {column: each.zone for column, each in looked.items() if each.zone and column in trained},
        )

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the array's columns: a numeric column's own, and ``column_category`` for categories.

        Where that is the name of another column, further underscores tell them apart.
        """
        names = list(self.scaling)
        known = set(self.columns)
        for column, values in self.categories.items():
            for value in values:
                between = "_"
                while (called := f"{column}{between}{value}") in known:
                    between += "_"
                known.add(called)
                names.append(called)
        return tuple(names)

    @cached_property
    def places(self) -> dict[str, tuple[int, ...]]:
        """Column that is trained on → places of the array's columns that it is."""
        found: dict[str, tuple[int, ...]] = {column: (i,) for i, column in enumerate(self.scaling)}
        start = len(found)
        for column, values in self.categories.items():
            found[column] = tuple(range(start, start + len(values)))
            start += len(values)
        return found

    @property
    def lacking(self) -> tuple[str, ...]:
        """Columns that a table may lack: those that are not trained on."""
        return (*self.left_out, *self.constants)

    def lenient(self) -> Self:
        """The same, to which a category that the fit did not see is none of those that it saw, 0 in all columns."""
        return replace(self, ignore_unknown=True)

    def to_array(
        self,
        table: pd.DataFrame,
        *,
        name: str = "The table",
        only: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """The table's rows as an array [n, d] with columns as `feature_names` says.

        Parameters
        ----------
        only
            The columns that the table has, where it has not all; the others become NaN.

        Raises
        ------
        InputError
            For other columns than those of the fit, categories that the fit did not see, infinite values, and values
            that are no numbers in numeric columns: all of them at once.
        """
        names = checked_names(table, name)
        there = set(names)
        wanted = {column: each for column, each in self.places.items() if only is None or column in only}
        lacking = [column for column in wanted if column not in there]
        extra = sorted(there - {*self.columns, *self.lacking})
        if lacking or extra:
            problem = " and ".join(
                f"{verb} the column{'s' * (len(several) > 1)} {listed([repr(each) for each in several])}"
                for verb, several in (("lacks", lacking), ("has", extra))
                if several
            )
            raise InputError(f"{name} {problem}, expected the columns {listed(self.columns)}.")
        x = np.empty((len(table), len(self.feature_names)), np.float32)
        if only is not None:
            x[:] = np.nan
        faults = []
        taken: list[tuple[int, NDArray[np.float64], float, float]] = []
        for column, (mean, scale) in self.scaling.items():
            if column not in wanted:
                continue
            (i,) = wanted[column]
            numbers = as_numbers(table[column], self.written.get(column, ""))
            if numbers is None:
                faults.append(f"column {column!r} holds no numbers, expected numbers as in the fit")
                continue
            if column in self.zones and lacks_zone(table[column]):
                faults.append(f"column {column!r} has times without a time zone, expected one as in the fit")
            values = numbers.to_numpy(np.float64)
            if np.isinf(values).any():
                faults.append(f"column {column!r} is infinite in row {int(np.isinf(values).argmax()) + 1}")
            taken.append((i, values, mean, scale))
        for start in range(0, len(x), ROWS):
            rows = slice(start, start + ROWS)
            for i, values, mean, scale in taken:
                np.divide(values[rows] - mean, scale, out=x[rows, i], casting="same_kind")
        for column, known in self.categories.items():
            if column not in wanted:
                continue
            codes, seen = pd.factorize(_as_known(table[column], known))  # -1 for a missing value
            number = {value: i for i, value in enumerate(known)}
            places = np.array([*(number.get(value, -1) for value in seen), MISSING])[codes]
            unknown = places == -1
            if unknown.any() and not self.ignore_unknown:
                several = listed([repr(value) for value in seen if value not in number])
                faults.append(
                    f"column {column!r} has the value {several} in {_row(unknown)}, "
                    f"expected one of {listed(known)} (handle_unknown='ignore', at a command --handle-unknown "
                    "ignore, takes it for none of them)"
                )
            part = x[:, wanted[column][0] : wanted[column][-1] + 1]
            part[:] = places[:, None] == np.arange(len(known))
            part[places == MISSING] = np.nan
        if faults:
            raise InputError(f"{name}: {'; '.join(faults)}.")
        return x

    def to_frame(self, array: ArrayLike) -> pd.DataFrame:
        """Rows of an array [n, d] as a table: numbers in their own units, and the category of the greatest value.

        Expected counts are no whole numbers, but none is below 0, and what is expected of 0 and 1 lies between them.

        Raises
        ------
        InputError
            For an array of another width.
        """
        x = np.asarray(array, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.feature_names):
            raise InputError(f"The array has shape {x.shape}, expected [n, {len(self.feature_names)}].")
        made: dict[str, Any] = {column: [value] * len(x) for column, value in self.constants.items()}
        for column, values in zip(self.scaling, x.T, strict=False):
            mean, scale = self.scaling[column]
            made[column] = values * scale + mean
            if (sort := self.sorts.get(column)) is not None:
                made[column] = made[column].clip(0.0, None if sort in COUNTS else 1.0)
        for column in made:
            if self.written.get(column, "").startswith("date"):
                made[column] = dates_of(np.asarray(made[column], np.float64), self.zones.get(column, ""))
            elif self.written.get(column) == DURATION:
                made[column] = pd.to_timedelta(made[column], unit="D").round("s")
        for column, known in self.categories.items():
            part = x[:, self.places[column][0] : self.places[column][-1] + 1]
            best = np.nan_to_num(part, nan=-np.inf).argmax(axis=1)
            missing = np.atleast_1d(np.isnan(part).all(axis=1))
            made[column] = [None if lacks else known[i] for i, lacks in zip(best, missing, strict=True)]
        return pd.DataFrame(made)[list(self.columns)]

    def lacks(self, x: NDArray[np.float32]) -> tuple[int, ...]:
        """Places of the columns of which rows of an array [n, d] lack values; of a category its first."""
        missing = np.isnan(x).any(axis=0)
        firsts = np.cumsum([len(self.scaling), *map(len, self.categories.values())])[:-1]
        told = {*range(len(self.scaling)), *firsts.tolist()}
        return tuple(int(i) for i in np.flatnonzero(missing) if int(i) in told)

    def to_json(self) -> dict[str, Any]:
        """The scheme as lists, numbers and texts, for a JSON file."""
        more = {
            "constants": self.constants,
            "written": self.written,
            "sorts": self.sorts,
            "left_out": list(self.left_out),
            "index": self.index,
            "zones": self.zones,
        }
        return {
            "columns": list(self.columns),
            "scaling": {column: list(pair) for column, pair in self.scaling.items()},
            "categories": {column: list(values) for column, values in self.categories.items()},
            **{key: value for key, value in more.items() if value},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The scheme that `to_json` wrote: its arrays are the same to the bit."""
        return cls(
            tuple(data["columns"]),
            {column: (mean, scale) for column, (mean, scale) in data["scaling"].items()},
            {column: tuple(values) for column, values in data["categories"].items()},
            dict(data.get("constants", {})),
            dict(data.get("written", {})),
            dict(data.get("sorts", {})),
            tuple(data.get("left_out", ())),
            data.get("index"),
            dict(data.get("zones", {})),
        )


def _as_known(values: pd.Series, known: Sequence[Category]) -> pd.Series:
    """Values of a categorical column as those that the fit saw: texts of digits may have been read as numbers.

    Some rows of a file need not have what made texts of them, such as the zero of 01234.
    """
    of_numbers = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    if not of_numbers or not all(isinstance(each, str) for each in known):
        return values
    return values.map(
        lambda value: str(int(value) if float(value).is_integer() else value), na_action="ignore"
    )


def look(
    table: pd.DataFrame,
    name: str,
    *,
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
) -> dict[str, Column]:
    """What each column of a table is, by name.

    Parameters
    ----------
    name
        What messages call the table.
    categorical, numeric
        Columns of which the user says it.

    Raises
    ------
    InputError
        For names that are not different texts, unknown columns, and values that are neither numbers nor categories: all
        that is wrong at once.
    """
    names = checked_names(table, name)
    if unknown := [column for column in (*categorical, *numeric) if column not in names]:
        raise unknown_names(f"column of {name}", unknown, names)
    if both := set(categorical) & set(numeric):
        raise InputError(f"{name}: column {min(both)!r} is said to be categorical and numeric, expected one.")
    asked: dict[str, Any] = dict.fromkeys(categorical, "categorical") | dict.fromkeys(numeric, "numeric")
    looked, faults = {}, list[str]()
    for column in names:
        with noted(faults):
            looked[column] = understood(table[column], column, asked=asked.get(column))
    if faults:
        more = f"; and {len(faults) - 10} columns more" if len(faults) > 10 else ""
        raise InputError(f"{name}: {'; '.join(each.rstrip('.') for each in faults[:10])}{more}.")
    return looked


def checked_names(table: pd.DataFrame, name: str) -> list[str]:
    """The names of a table's columns, which are different texts; `name` is what messages call the table."""
    names = list(table.columns)
    if len(table) == 0 or not names:
        raise InputError(f"{name} has {len(table)} rows and {len(names)} columns, expected some of each.")
    if not all(isinstance(column, str) for column in names):
        raise InputError(
            f"{name} has the columns {listed(names)}, expected texts as names: table.columns.astype(str) makes some."
        )
    if twice := sorted(
        {column for column in names if names.count(column) > 1} if len(set(names)) < len(names) else ()
    ):
        raise InputError(
            f"{name} has {listed([repr(each) for each in twice])} twice, expected different names."
        )
    return names


def _categories(column: pd.Series) -> tuple[Category, ...]:
    """The values of a column in their order."""
    return tuple(sorted({_plain(value) for value in column.dropna().unique()}))


def _plain(value: Any) -> Category:
    """A value as JSON has it."""
    return value.item() if isinstance(value, np.generic) else value


def _row(wrong: NDArray[np.bool_]) -> str:
    """The first row that is wrong, as a reader counts the rows below a table's header."""
    return f"row {int(wrong.argmax()) + 1}"
