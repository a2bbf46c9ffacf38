"""Explicitness."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from prismae.fields import Seed
from prismae.metrics._base import AFFINE, Learned, metric
from prismae.metrics._inputs import Test, split
from prismae.metrics._standard import Standard

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explicitness(Learned):
    """The score on test points, on training points, and per factor."""

    score: float
    train_score: float
    per_factor: Floats  # [k], test points
    probabilities: list[Floats] = field(repr=False)  # per factor [n_test, classes]
    labels: list[NDArray] = field(repr=False)  # per factor [n_test], as columns of the probabilities

    def resample(self, rng: Generator) -> dict[str, float]:
        drawn = []
        for p, y in zip(self.probabilities, self.labels, strict=True):
            rows = rng.integers(len(y), size=len(y))
            drawn.append(area_under_curve(p[rows], y[rows]))
        return {"": float(np.mean(drawn))}


@metric(
    needs="split",
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
    known={"constant": 0.5},
)
def explicitness(
    codes: ArrayLike, factors: ArrayLike, *, test: Test | None = None, seed: Seed = 0
) -> Explicitness:
    """Explicitness: can a linear classifier read each factor's values from all codes?

    mean_k of the area under the ROC curve, averaged over the factor's classes, of a logistic regression on
    standardised codes. Ridgeway & Mozer 2018, arXiv:1802.05312.

    Parameters
    ----------
    codes
        [n, m].
    factors
        [n, k] class indices; a column of other numbers is cut into 20 bins. NaN: the row is left out for
        that factor.
    test
        (codes, factors) to score on; without it, a third of the points is kept apart.
    seed
        Seed of the split without `test`.

    Returns
    -------
    Explicitness
        `float(...)` is the score on test points; in [0, 1], higher is better.

    Notes
    -----
    Chance is 0.5. It says that the information is there, not that it is disentangled: any rotation scores
    the same. The middle values of an ordered factor can be ranked by no linear score, so 1 is not reached.
    One regression over all classes gives the scores of all (in the original: one per class); a class without
    test points is left out.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(float(explicitness(factors, factors)), 2)
    1.0
    """
    train_z, train_v, test_z, test_v = split(codes, factors, test, seed)
    standard = Standard.of(train_z)
    train_z, test_z = standard(train_z), standard(test_z)
    train, tested, probabilities, labels = [], [], [], []
    for v, w in zip(train_v.T, test_v.T, strict=True):
        seen = np.unique(v[v >= 0])
        model = LogisticRegression().fit(train_z[v >= 0], v[v >= 0])
        known = np.isin(w, seen)
        probabilities.append(model.predict_proba(test_z[known]))
        labels.append(np.searchsorted(seen, w[known]))
        tested.append(area_under_curve(probabilities[-1], labels[-1]))
        train.append(area_under_curve(model.predict_proba(train_z[v >= 0]), np.searchsorted(seen, v[v >= 0])))
    return Explicitness(
        float(np.mean(tested)), float(np.mean(train)), np.array(tested), probabilities, labels
    )


def area_under_curve(scores: Floats, labels: NDArray) -> float:
    """Mean over classes of the ROC area of column c [n, classes] for class c against the rest [n]."""
    n = len(labels)
    count = np.bincount(labels, minlength=scores.shape[1])
    usable = (count > 0) & (count < n)
    if not usable.any():
        return 0.5
    # The area is the fraction of (member, other) pairs in the right order: a sum of the members' ranks.
    ranks = rankdata(scores, axis=0)[np.arange(n), labels]
    count, sums = count[usable], np.bincount(labels, weights=ranks, minlength=scores.shape[1])[usable]
    return float(np.mean((sums - count * (count + 1) / 2) / (count * (n - count))))
