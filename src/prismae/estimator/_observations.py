"""What users hand over as observations, and how reconstructions are handed back: arrays, images, tables, worlds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from torch import Tensor

from prismae._tensors import of_tensor
from prismae._text import listed
from prismae.data import Kind, Summary, World
from prismae.data.interchange import as_pandas
from prismae.data.kinds import kind_of
from prismae.data.layout import MENDS
from prismae.data.rows import Rows
from prismae.data.storage import spaced
from prismae.errors import InputError

SLACK = 1e-6  # by which values may leave their range: interpolation of images rounds

Observations = ArrayLike | Tensor | World | pd.DataFrame | Rows
Given = NDArray | Rows | pd.DataFrame | World  # the same, as `checked` makes them


@dataclass(frozen=True)
class Form:
    """How observations were given to `fit`: new ones are read, and reconstructions given back, the same way.

    Parameters
    ----------
    kind
        What they are: new ones are read, and reconstructions given back, as the kind says.
    shape
        Shape of one observation as the user gave it: (h, w) or (h, w, c), say, where the network sees (c, h, w).
    seen
        Shape of one observation as the network sees it.
    within
        The range that every element has to lie in: the likelihood's, and [0, 1] for images that were.
    """

    kind: Kind
    shape: tuple[int, ...]
    seen: tuple[int, ...]
    within: tuple[float, float] = (-inf, inf)

    def parts(self, X: Given) -> Iterator[Tensor]:
        """Observations as the network sees them, float32 [up to 1024, *seen], one part after the other.

        Only the part is ever copied, so X may be larger than memory.

        Raises
        ------
        InputError
            For observations of another kind, shape or range than those of the fit.
        """
        if isinstance(X, World):
            parts = self.kind.parts_of(X.data, X.kind, self.seen, X.name)
        else:
            parts = self.kind.parts(X, self.seen)
        start = 0
        for part in parts:
            self._check_given(part, start)
            self._check_range(part, start)
            start += len(part)
            yield part

    def _check_given(self, part: Tensor, start: int) -> None:
        """Refuse observations that lack what is given; `start` is the row that the part begins with."""
        lacks = part[:, list(self.kind.known)].isnan().any(1) if self.kind.known else part[:0]
        if lacks.any():
            raise InputError(
                f"Observation {start + int(lacks.int().argmax())} lacks a value of {', '.join(self.kind.given)}, and "
                "what is given has to be known: leave it out, or fill it."
            )

    def told(self, given: Any, n: int, *, every: bool = True) -> Tensor | None:
        """What a user says is given of n observations, as `prismae.data.Kind.told` has it."""
        table = given if isinstance(given, Mapping) else as_pandas(given)
        return self.kind.told(table, n, self.seen, every=every)

    def _check_range(self, part: Tensor, start: int) -> None:
        """Refuse observations that lie where none of the fit could; `start` is the row that the part begins with."""
        least, most = self.within
        seen = part[~part.isnan()] if part.is_floating_point() else part
        low, high = (float(value) for value in seen.aminmax()) if seen.numel() else self.within
        if low < least - SLACK or high > most + SLACK:
            outside = ((part < least - SLACK) | (part > most + SLACK)).flatten(1).any(1)
            first = part[outside][0]
            raise InputError(
                f"Observation {start + int(outside.int().argmax())} has values from {float(first.min()):g} to "
                f"{float(first.max()):g}, expected {least:g} to {most:g} as in the fit: {self.kind.how_to_scale()}."
            )

    def some(self, X: Given, n: int) -> Tensor:
        """Up to n evenly spaced observations as the network sees them, float32 [n, *seen]."""
        rows = spaced(len(X), n).numpy()
        if isinstance(X, World):
            taken = X.data.take(torch.from_numpy(rows).to(X.data.device))
            part: Any = replace(X, data=taken, factors=None, factor_names=(), factor_kinds=(), value_names={})
        else:
            part = X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
        return self.kind.joined([*self.parts(part)])

    def world(self, X: Given, n: int) -> World:
        """Up to n evenly spaced observations as the network sees them, as a world; one of the same scale as it is."""
        if isinstance(X, World) and self.kind.alike(X.kind):
            return X
        rows = spaced(len(X), n).numpy()
        called = X.called[rows] if isinstance(X, World) else rows
        data = self.kind.stored(self.some(X, n))
        return World("observations", data, kind=self.kind.as_seen(), names=called)

    def given_back(self, x: NDArray) -> NDArray | pd.DataFrame:
        """Observations [n, *seen] of a network in the form of the user's: [n, *shape], a table, or sentences [n]."""
        return self.kind.given_back(x, self.shape)

    @classmethod
    def from_json(cls, about: dict[str, Any], support: tuple[float, float] = (-inf, inf)) -> Self:
        """The form that a run's job.json tells of; what the command line is given has the network's shape.

        `support` is that of the run's likelihood.
        """
        kind, seen = kind_of(about), tuple(about["shape"])
        shape = tuple(about.get("given_shape", kind.given_shape(seen)))
        return cls(kind, shape, seen, kind.within(Summary(**about["summary"]), support))


def checked(estimator: BaseEstimator, X: Observations, *, fitting: bool = False) -> Given:
    """Observations as an array [n, ...] (not copied where they are one), a table with columns of text, or a world.

    Number and names of features are noted on the estimator where it is `fitting`, and compared with those of the fit
    where it is not, as scikit-learn asks. Values are looked at later, part by part.

    Raises
    ------
    InputError
        For fewer than two dimensions, too few observations, other features than those of the fit.
    TypeError
        For objects that are no numbers.
    """
    lone = isinstance(X, pd.Series) and not fitting
    if not fitting and not isinstance(X, World) and estimator._form.kind.elements == "words":
        estimator._form.kind.parts(np.empty(0), estimator._form.seen)  # refuses what is no text
    X = as_pandas(X)
    if isinstance(X, World):
        if fitting:
            note_features(estimator, X.kind.as_seen().given_shape(X.shape), X.kind.columns)
        return X
    if isinstance(X, Tensor):
        X = of_tensor(X, "Observations")
    least = 2 if fitting else 1
    if isinstance(X, Rows) and X.ndim != 2:
        if fitting:
            note_features(estimator, X.shape[1:])
        return X
    try:
        if isinstance(X, Rows):
            thin = X[: min(len(X), 2)]
            validate_data(estimator, thin, reset=fitting, ensure_all_finite=False, ensure_min_samples=least)
            return X
        if isinstance(X, pd.DataFrame):
            X = X if fitting else _trained(estimator, X)
            if (
                len({isinstance(name, str) for name in X.columns}) > 1
            ):  # scikit-learn's TypeError is about its own
                raise InputError(
                    f"Observations have the columns {listed([repr(name) for name in X.columns])}, expected texts as "
                    "names: table.columns.astype(str) makes some."
                )
            validate_data(estimator, X, reset=fitting, skip_check_array=True)
            return X.set_axis([str(name) for name in X.columns], axis=1)
        X = np.asarray(X)
        if X.dtype.kind == "c":  # scikit-learn's words, without all of the numbers
            raise InputError(f"Complex data not supported: {MENDS['c']} makes numbers of them.")
        if X.ndim < 2:
            raise InputError(
                f"Observations have shape {X.shape}, expected vectors or series [n, d], or images. "
                "Reshape your data: X.reshape(1, -1) is one observation."
            )
        plain: dict[str, Any] = {"ensure_all_finite": False, "ensure_min_samples": least}
        if X.ndim == 2:
            return validate_data(estimator, X, reset=fitting, **plain)
        if fitting:
            note_features(estimator, X.shape[1:])
        return check_array(X, allow_nd=True, estimator=estimator, **plain)
    except ValueError as error:
        said = " ".join(str(error).split())
        unnamed = (
            [name for name in X.columns if str(name).startswith("Unnamed: ")]
            if isinstance(X, pd.DataFrame)
            else []
        )
        if unnamed and not {*unnamed} <= {*getattr(estimator, "feature_names_in_", ())}:
            said += " (pandas calls a column without a name so: if it names the rows, read the file with index_col=0)."
        if lone:
            said += " A Series is taken for a column: one row of a table is table.iloc[[0]]."
        raise InputError(said) from None


def _trained(estimator: Any, table: pd.DataFrame) -> pd.DataFrame:
    """A table without the columns that a model read from a run was not trained on, which the run's own file has."""
    known = {*getattr(estimator, "feature_names_in_", ())}
    without = {*estimator._form.kind.left_out, *estimator.about_.get("factors", ())} - known
    return table.loc[:, [str(column) not in without for column in table.columns]]


def note_features(estimator: Any, shape: tuple[int, ...], columns: tuple[str, ...] = ()) -> None:
    """Features of what scikit-learn does not count: the columns of a world's table, else all elements."""
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = len(columns) or prod(shape)
    if columns:
        estimator.feature_names_in_ = np.asarray(columns, dtype=object)
