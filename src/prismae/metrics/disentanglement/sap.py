"""Separated attribute predictability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.svm import LinearSVC

from prismae.fields import Seed
from prismae.metrics._base import Learned, metric
from prismae.metrics._information import gap
from prismae.metrics._inputs import Test, as_codes, as_factors, as_kinds, split, standardised

Floats = NDArray[np.float64]
INVARIANT = ("permute_codes", "flip_codes", "permute_factors")


@dataclass(frozen=True)
class SAP(Learned):
    """The score and the matrix [m, k] of how well each code alone predicts each factor."""

    score: float
    matrix: Floats
    draw: tuple[Column, ...] = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": float(np.mean([gap(column.resample(rng), axis=0) for column in self.draw]))}


@dataclass(frozen=True)
class Column:
    """One factor's column of the score matrix, and the points that it can be drawn again from."""

    scores: Floats  # [m]
    correct: NDArray[np.bool_] | None = None  # [n_test, m], for a categorical factor
    points: tuple[Floats, Floats] | None = None  # codes [n, m] and values [n], for a continuous one

    def resample(self, rng: Generator) -> Floats:
        """The column on points drawn again, the classifiers held fixed."""
        if self.points is not None:
            codes, values = self.points
            rows = rng.integers(len(values), size=len(values))
            return squared_correlation(codes[rows], values[rows])
        assert self.correct is not None
        return self.correct[rng.integers(len(self.correct), size=len(self.correct))].mean(axis=0)


def squared_correlation(codes: NDArray, values: NDArray) -> Floats:
    """Squared correlation [m] of each code with the values [n]; 0 where either does not vary."""
    correlation = standardised(values) @ standardised(codes) / len(values)
    return np.minimum(correlation**2, 1.0)


def _accuracy(x: Floats, y: NDArray, x_test: Floats, y_test: NDArray) -> Column:
    correct = np.empty(x_test.shape, dtype=bool)
    for i in range(x.shape[1]):
        svm = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        correct[:, i] = svm.fit(x[:, [i]], y).predict(x_test[:, [i]]) == y_test
    return Column(correct.mean(axis=0), correct=correct)


def _correlation(codes: NDArray, values: NDArray) -> Column:
    known = ~np.isnan(values)
    z, v = codes[known].astype(np.float64), values[known].astype(np.float64)
    return Column(squared_correlation(z, v), points=(z, v))


def _of_columns(columns: Sequence[Column]) -> SAP:
    matrix = np.column_stack([each.scores for each in columns])
    return SAP(float(np.mean(gap(matrix, axis=0))), matrix, tuple(columns))


@metric(needs="split", known={"constant": 0.0, "duplicated": 0.0}, invariant=INVARIANT)
def sap(codes: ArrayLike, factors: ArrayLike, *, test: Test | None = None, seed: Seed = 0) -> SAP:
    """SAP, discrete: how much better the best single code classifies a factor than the second best.

    S[i, k] is the test accuracy of a linear support vector machine (C 0.01, classes balanced) that predicts
    factor k from code i alone; SAP = mean_k (largest - second largest of S[:, k]).
    Kumar et al. 2018, arXiv:1711.00848; constants as in Locatello et al. 2019, arXiv:1811.12359.

    Parameters
    ----------
    codes
        [n, m] with m >= 2.
    factors
        [n, k] class indices; a column of other numbers is cut into 20 bins. NaN: the row is left out for
        that factor.
    test
        (codes, factors) to score on; without it, a third of the points is kept apart.
    seed
        Seed of the split without `test`.

    Returns
    -------
    SAP
        `float(...)` is the score, in [0, 1], higher is better; with the matrix [m, k].

    Notes
    -----
    One linear cut per class hardly separates the middle values of an ordered factor, so the ceiling is far
    below 1 (0.24 on a dSprites grid). The penalty makes it depend on the codes' scale.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(float(sap(factors, factors)), 2)
    0.48
    """
    train_z, train_v, test_z, test_v = split(codes, factors, test, seed, least_codes=2)
    return _of_columns(
        [
            _accuracy(train_z[v >= 0], v[v >= 0], test_z[w >= 0], w[w >= 0])
            for v, w in zip(train_v.T, test_v.T, strict=True)
        ]
    )


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 0.0},
    invariant=(*INVARIANT, "scale_codes", "shift_codes"),
)
def sap_continuous(codes: ArrayLike, factors: ArrayLike) -> SAP:
    """SAP, continuous: the gap between the two largest squared correlations of single codes with a factor.

    SAP = mean_k (largest - second largest of r^2(z_i, v_k) over codes i), r^2 = 0 for a constant code or
    factor. Kumar et al. 2018, arXiv:1711.00848, for factors whose values have an order.

    Parameters
    ----------
    codes
        [n, m] with m >= 2.
    factors
        [n, k] values. NaN: the row is left out for that factor.

    Returns
    -------
    SAP
        `float(...)` is the score, in [0, 1], higher is better; with the matrix [m, k].

    Notes
    -----
    It sees linear relations only, and is meaningless for a factor whose values have no order. The reference
    implementation gives a code of variance below 1e-12 an r^2 of 0; here the score does not depend on scale.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(float(sap_continuous(factors, factors)), 3)
    1.0
    """
    z = as_codes(codes, least_codes=2, least_points=3)
    v = as_factors(factors, n=len(z))
    return _of_columns([_correlation(z, column) for column in v.T.astype(np.float64)])


@metric(needs="split", known={"constant": 0.0, "duplicated": 0.0}, invariant=INVARIANT)
def sap_mixed(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    factor_kinds: Sequence[str] | None = None,
    test: Test | None = None,
    seed: Seed = 0,
) -> SAP:
    """SAP, mixed: accuracy (`sap`) for categorical factors, squared correlation for continuous ones.

    Kumar et al. 2018, arXiv:1711.00848, whose definition leaves the choice to the factor's kind.

    Parameters
    ----------
    codes
        [n, m] with m >= 2.
    factors
        [n, k] class indices or values. NaN: the row is left out for that factor.
    factor_kinds
        "categorical" or "continuous" per factor; not given, whole numbers are categorical.
    test
        (codes, factors) to score on; without it, a third of the points is kept apart.
    seed
        Seed of the split without `test`.

    Returns
    -------
    SAP
        `float(...)` is the score, in [0, 1], higher is better; with the matrix [m, k].

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(float(sap_mixed(factors, factors)), 2)
    0.48
    """
    z = as_codes(codes, least_codes=2)
    kinds = as_kinds(factor_kinds, as_factors(factors, n=len(z)))
    columns = list(sap_continuous(codes, factors).draw)
    wanted = [k for k, kind in enumerate(kinds) if kind == "categorical"]
    if wanted:
        part = as_factors(factors, n=len(z))[:, wanted]
        test = None if test is None else (test[0], np.asarray(test[1])[:, wanted])
        for k, column in zip(wanted, sap(codes, part, test=test, seed=seed).draw, strict=True):
            columns[k] = column
    return _of_columns(columns)
