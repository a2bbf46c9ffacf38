"""Tables: rows of columns, each with a meaning of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import log2
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae._text import listed
from prismae.data.columns import COUNTS
from prismae.data.kinds._numbers import NEW, Numbers
from prismae.data.layout import numbers
from prismae.data.rows import Rows
from prismae.data.storage import BitPacked, Dense, Storage, of_bytes
from prismae.data.summary import Summary
from prismae.data.tables import TableScheme
from prismae.errors import InputError, unknown_name

COUNTED = 0.75  # share of the columns that are counts from which a table is one of counts
MOST, LEAST, USUAL = (
    1 << 22,
    128,
    1024,
)  # weights of a wide table's first layer; its least width, and the usual one


@dataclass(frozen=True, kw_only=True)
class Table(Numbers):
    """Rows [n, d] of a table, or vectors of numbers of which nothing else is said.

    Parameters
    ----------
    scheme
        How the columns of a table became those of an array; None for arrays.
    constant
        Column of an array, counted from 0 → its value, where it has one value only.
    given
        Columns that are given: names of a table's, numbers of an array's, counted from 0. Encoder and decoder see them,
        codes are drawn to be free of them.
    """

    scheme: TableScheme | None = None
    constant: Mapping[int, float] = field(default_factory=dict)
    given: tuple[str, ...] = ()

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return (
            cls(pixels=of_bytes(data))
            if len(data.shape) == 1 and isinstance(data, Dense | BitPacked)
            else None
        )

    def to_json(self) -> dict[str, Any]:
        constant = {str(column): value for column, value in self.constant.items()}
        more = {"constant": constant, "given": list(self.given)}
        return super().to_json() | {key: value for key, value in more.items() if value}

    def lenient(self) -> Self:
        return self if self.scheme is None else replace(self, scheme=self.scheme.lenient())

    def scheme_json(self) -> dict[str, Any]:
        return super().scheme_json() if self.scheme is None else {"table": self.scheme.to_json()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        scheme = TableScheme.from_json(about["table"]) if "table" in about else None
        constant = {int(column): value for column, value in about.get("constant", {}).items()}
        given = tuple(about.get("given") or ())
        return replace(super().from_json(about), scheme=scheme, constant=constant, given=given)

    def noted(self) -> str:
        parts = [] if self.channels is None else [f"{self._each} scaled"]
        parts += [f"given: {listed(self.given)}"] if self.given else []
        if self.scheme is not None:
            numeric, categorical = len(self.scheme.scaling), len(self.scheme.categories)
            parts.insert(0, f"of {numeric} numeric and {categorical} categorical columns")
        return f" ({'; '.join(parts)})" if parts else ""

    def sentences(self) -> list[str]:
        if not self.given:
            return super().sentences()
        said = f"Given are {', '.join(self.given)}: the model is told them, and its codes are drawn to be free of them."
        return [*super().sentences(), said]

    def knowing(self, given: tuple[str, ...], shape: tuple[int, ...]) -> Self:
        if not given:
            return self
        constant = [*map(str, self.constant)] if self.scheme is None else [*self.scheme.constants]
        without = () if self.scheme is None else self.scheme.left_out
        faults = [
            *(f"{name!r} is constant, so it tells nothing" for name in constant if name in given),
            *(
                f"{name!r} is not trained on (dropped, empty, or names of rows)"
                for name in without
                if name in given
            ),
        ]
        faults += [f"{name!r} stands twice" for name in sorted({n for n in given if given.count(n) > 1})]
        places = self._places(shape)
        for name in given:
            if name not in places and name not in (*constant, *without):
                faults.append(str(unknown_name("column", name, places)).rstrip("."))
            elif set(places.get(name, ())) & set(self.lacking or ()):
                faults.append(
                    f"{name!r} lacks values, and what is given has to be known: drop these rows, or fill them"
                )
        if not faults and set(given) == places.keys():
            faults.append("all columns are given, so nothing is left to rebuild")
        if faults:
            said = "; ".join(faults)
            raise InputError(f"What is given (given=, --given): {said}{'' if said.endswith('?') else '.'}")
        return replace(self, given=given)

    @property
    def given_places(self) -> Mapping[str, tuple[int, ...]]:
        places = self._places() if self.given else {}
        return {name: places[name] for name in self.given}

    def _places(self, shape: tuple[int, ...] | None = None) -> dict[str, tuple[int, ...]]:
        """Column that is trained on → places of the elements that it is."""
        if self.scheme is not None:
            return self.scheme.places
        columns = map(int, self.given) if shape is None else range(shape[0])
        return {str(i): (i,) for i in columns if i not in self.constant}

    def usual(self, mean: Tensor) -> Tensor:
        """The mean of numbers, and the commonest of 0 and 1 and of categories."""
        found = mean.clone()
        if self.scheme is not None:
            for name, places in self.scheme.places.items():
                part = mean[list(places)]
                if name in self.scheme.categories:
                    found[list(places)] = torch.nn.functional.one_hot(part.argmax(), len(part)).to(mean.dtype)
                elif self.scheme.sorts.get(name) == "truth":
                    shift, scale = self.scheme.scaling[name]
                    found[list(places)] = ((part * scale + shift).round() - shift) / scale
        return found

    def told(self, given: Any, n: int, shape: tuple[int, ...], *, every: bool = True) -> Tensor | None:
        if not self.given:
            return super().told(given, n, shape, every=every)
        what = f"a table or mapping of {listed([repr(name) for name in self.given])}"
        if given is None:
            raise InputError(
                f"This model is told what is given, so decoding needs it too: expected given=, {what}."
            )
        columns = _columns(given, self.given, what)
        lacking = [repr(name) for name in self.given if name not in columns]
        if lacking and every:
            raise InputError(f"given= lacks {listed(lacking)}: expected {what}.")
        lengths = {name: len(values) for name, values in columns.items() if len(values) not in (1, n)}
        if lengths:
            said = ", ".join(f"{size} of {name!r}" for name, size in lengths.items())
            raise InputError(f"given= has {said}, expected one for all or one for each of {n} observations.")
        table = pd.DataFrame(
            {name: [*values] * (n if len(values) == 1 else 1) for name, values in columns.items()}
        )
        if gaps := [repr(name) for name in table if table[name].isna().any()]:
            raise InputError(f"given= lacks values in {listed(gaps)}, and what is given has to be known.")
        found = np.full((n, *shape), np.nan)
        if not columns:
            return torch.from_numpy(found.astype(np.float32))
        if self.scheme is not None:
            found = self.scheme.to_array(table, name="given=", only=[*columns])
            return torch.from_numpy(found)
        found[:, [int(name) for name in columns]] = numbers(table.to_numpy(), "given=")
        return torch.from_numpy(self._scaled(found))

    def units(self) -> str:
        if self.scheme is None:
            return super().units()
        return (
            "in the order of `elements`: numbers as (value - mean) / deviation, by `scaling` of `table`, 0 or 1 for "
            "each of its `categories`, NaN for what is missing (of a category in each of its places); dates and "
            "durations are in days (since 1970-01-01), times in hours"
        )

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.scheme is None else self.scheme.columns

    @property
    def left_out(self) -> tuple[str, ...]:
        return () if self.scheme is None else self.scheme.left_out

    @property
    def element_names(self) -> tuple[str, ...]:
        return () if self.scheme is None else self.scheme.feature_names

    def default_net(self, shape: tuple[int, ...]) -> str:
        """For wide tables as wide a network as has at most `MOST` weights in its first layer, in powers of two, and no
        narrower than `LEAST`: 20,000 columns have 128."""
        width = max(LEAST, 2 ** int(log2(max(1, MOST // shape[0]))))
        return super().default_net(shape) if width >= USUAL else f"mlp:width={width}"

    def default_likelihood(self, summary: Summary) -> str:
        """A variance of 1 says of some columns of numbers in different units that most of what varies is noise, and a
        KL of weight 1 then switches latents off: learned, it finds factors that the other leaves (see
        docs/results/known_answers.md). Tables of counts are modelled as such: their noise grows with the mean, so that
        one deviation for all takes that of the greatest for factors."""
        return "columns" if self.of_counts else "gaussian-learned"

    @property
    def of_counts(self) -> bool:
        """Whether there are several columns of numbers and no others, three of four of them counts."""
        if self.scheme is None or self.scheme.categories or len(self.scheme.scaling) < 2:
            return False
        counts = sum(sort in COUNTS for sort in self.scheme.sorts.values())
        return counts >= COUNTED * len(self.scheme.scaling)

    def column_sorts(self) -> tuple[tuple[tuple[str, float, float], ...], tuple[int, ...]]:
        if self.scheme is None:
            return (), ()
        numbers = (
            (self.scheme.sorts.get(name, "number"), *pair) for name, pair in self.scheme.scaling.items()
        )
        return tuple(numbers), tuple(map(len, self.scheme.categories.values()))

    def default_lr(self) -> float:
        return 3e-3

    def parts(self, X: NDArray | Rows | pd.DataFrame, shape: tuple[int, ...]) -> Iterator[Tensor]:
        if self.scheme is not None:
            named = (
                X
                if isinstance(X, pd.DataFrame)
                else pd.DataFrame(np.asarray(X[:]), columns=list(self.columns))
            )
            X = self.scheme.to_array(named)
            self._refuse_gaps(X, 0)
        return super().parts(X, shape)

    def _gaps(self, missing: NDArray[np.bool_], start: int) -> str:
        if self.scheme is None:
            return super()._gaps(missing, start)
        lack = [name for name, places in self.scheme.places.items() if missing[:, places].any()]
        row = start + int(np.argwhere(missing)[0, 0]) + 1
        return f"{NEW} lack values in {listed(lack)} (the first in row {row})"

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        if self.scheme is not None:
            return self.scheme.to_frame(x)
        back = np.array(super().given_back(x, shape))
        for column, value in self.constant.items():
            back[~np.isnan(back[:, column]), column] = value
        return back

    @property
    def _called(self) -> str:
        return "a table"

    @property
    def _each(self) -> str:
        return "each column"


def _columns(given: Any, names: tuple[str, ...], what: str) -> dict[str, Any]:
    """Values of the columns that are given, by name: of a table those of these names, of a mapping all of it."""
    if isinstance(given, pd.DataFrame):
        table = given.set_axis([str(name) for name in given.columns], axis=1)
        return {name: table[name].tolist() for name in names if name in table}
    if isinstance(given, Mapping):
        known = {str(name): values for name, values in given.items()}
        if strange := [repr(name) for name in known if name not in names]:
            raise InputError(f"given= has {listed(strange)}, which this model is not told: expected {what}.")
        single = {name: np.ndim(values) == 0 for name, values in known.items()}
        return {name: [values] if single[name] else [*values] for name, values in known.items()}
    values = np.asarray(given)
    values = values[:, None] if values.ndim == 1 and len(names) == 1 else values
    if values.ndim != 2 or values.shape[1] != len(names):
        raise InputError(
            f"given= has the shape {values.shape}, expected {what}, or an array [n, {len(names)}] of them."
        )
    return dict(zip(names, values.T.tolist(), strict=True))
