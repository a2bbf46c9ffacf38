"""Unfairness of predictions from codes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from prismae.fields import Seed
from prismae.metrics._base import AFFINE, Learned, metric
from prismae.metrics._boosting import fit_boosted
from prismae.metrics._inputs import Labels, Test, split

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unfairness(Learned):
    """The score and the matrix [k, k]: target factor by sensitive factor, NaN on the diagonal."""

    score: float
    matrix: Floats
    predicted: Labels = field(repr=False)
    sensitive: Labels = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        rows = rng.integers(len(self.predicted), size=len(self.predicted))
        return {"": float(np.nanmean(_unfairness(self.predicted[rows], self.sensitive[rows])))}


@metric(
    needs="split",
    better="lower",
    known={"constant": 0.0},
    invariant=(*AFFINE, "permute_factors"),
)
def unfairness(
    codes: ArrayLike, factors: ArrayLike, *, test: Test | None = None, seed: Seed = 0
) -> Unfairness:
    """Unfairness: do predictions of one factor shift with another, which they should not depend on?

    Boosted trees predict the target factor from the codes; unfairness towards a sensitive factor s = mean
    over its values of the total variation between p(prediction) and p(prediction | s). Mean over all pairs
    of target and sensitive factor. Locatello et al. 2019, arXiv:1905.13662.

    Parameters
    ----------
    codes
        [n, m].
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. NaN: the row is
        left out for that factor.
    test
        (codes, factors) to predict; without it, a third of the points is kept apart.
    seed
        Seed of ties between splits, and of the split without `test`.

    Returns
    -------
    Unfairness
        `float(...)` is the score, in [0, 1], lower is better; with the matrix [k, k].

    Notes
    -----
    Biased upwards where few test points share a sensitive value: compare with its chance level, and only at
    equal numbers of points. Codes that predict nothing are perfectly fair.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(float(unfairness(factors, factors)), 3)  # what tells one factor says nothing of the other
    0.057
    """
    train_z, train_v, test_z, test_v = split(codes, factors, test, seed, least_factors=2)
    predicted = np.column_stack(
        [fit_boosted(train_z[v >= 0], v[v >= 0], seed=seed).predict(test_z) for v in train_v.T]
    ).astype(np.int32)
    matrix = _unfairness(predicted, test_v)
    return Unfairness(float(np.nanmean(matrix)), matrix, predicted, test_v)


def _unfairness(predicted: Labels, sensitive: Labels) -> Floats:
    k = predicted.shape[1]
    matrix = np.full((k, k), np.nan)
    for target in range(k):
        for other in range(k):
            if other != target:
                known = sensitive[:, other] >= 0
                matrix[target, other] = _shift(predicted[known, target], sensitive[known, other])
    return matrix


def _shift(predicted: NDArray, group: NDArray) -> float:
    """Mean over groups of the total variation between all predictions and the group's."""
    width = int(predicted.max()) + 1
    counts = np.bincount(group.astype(np.int64) * width + predicted, minlength=(int(group.max()) + 1) * width)
    counts = counts.reshape(-1, width)
    counts = counts[counts.sum(axis=1) > 0]
    shares = counts / counts.sum(axis=1, keepdims=True)
    everyone = counts.sum(axis=0) / counts.sum()
    return float(np.mean(np.abs(shares - everyone).sum(axis=1) / 2))
