"""Tables: rows of columns, each with a meaning of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import log2
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.columns import listed
from prismae.data.kinds._base import NEW, Numbers
from prismae.data.rows import Rows
from prismae.data.storage import BitPacked, Dense, Storage, of_bytes
from prismae.data.summary import Summary
from prismae.data.tables import TableScheme
from prismae.errors import InputError

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
    ignore_unknown
        Whether a category of new rows that the fit did not see is taken for none of those that it saw.
    constant
        Column of an array, counted from 0 → its value, where it has one value only.
    """

    scheme: TableScheme | None = None
    ignore_unknown: bool = False
    constant: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return (
            cls(pixels=of_bytes(data))
            if len(data.shape) == 1 and isinstance(data, Dense | BitPacked)
            else None
        )

    def to_json(self) -> dict[str, Any]:
        constant = {str(column): value for column, value in self.constant.items()}
        return super().to_json() | ({"constant": constant} if constant else {})

    def lenient(self) -> Self:
        return replace(self, ignore_unknown=True)

    def scheme_json(self) -> dict[str, Any]:
        return {} if self.scheme is None else {"table": self.scheme.to_json()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        scheme = TableScheme.from_json(about["table"]) if "table" in about else None
        constant = {int(column): value for column, value in about.get("constant", {}).items()}
        return replace(super().from_json(about), scheme=scheme, constant=constant)

    def noted(self) -> str:
        if self.scheme is None:
            return ""
        numeric, categorical = len(self.scheme.scaling), len(self.scheme.categories)
        return f" (of {numeric} numeric and {categorical} categorical columns)"

    def units(self) -> str:
        return super().units() if self.scheme is None else "columns scaled and one-hot as `table` says"

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.scheme is None else self.scheme.columns

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
        docs/results/known_answers.md)."""
        return "gaussian-learned"

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
            X = self.scheme.to_array(named, ignore_unknown=self.ignore_unknown)
            if self.lacking is None and np.isnan(X).any():
                lack = [self.element_names[i] for i in np.flatnonzero(np.isnan(X).any(axis=0)).tolist()]
                raise InputError(
                    f"{NEW} lack values in {listed(lack)}, and those of the fit had all their values, so the model "
                    "knows nothing of missing ones: expected none."
                )
        return super().parts(X, shape)

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
