"""Accuracy of predicting factors from codes, with few labels and with many."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from prismae.errors import Unavailable
from prismae.fields import Count, Seed
from prismae.metrics._base import AFFINE, Learned, metric
from prismae.metrics._boosting import fit_boosted
from prismae.metrics._inputs import Test, split
from prismae.metrics._standard import Standard

Predict = Callable[[NDArray, NDArray, NDArray], NDArray]
LABELS = (10, 100, 1_000, 10_000)


@dataclass(frozen=True)
class Accuracy(Learned):
    """Mean test accuracy over factors, by number of labels; and per factor."""

    accuracy: dict[int, float]
    per_factor: dict[int, list[float]]
    correct: dict[int, list[NDArray[np.bool_]]] = field(repr=False)

    @property
    def scores(self) -> dict[str, float]:
        return {str(size): value for size, value in self.accuracy.items()}

    def resample(self, rng: Generator) -> dict[str, float]:
        return {
            str(size): float(np.mean([rng.choice(each, size=len(each)).mean() for each in correct]))
            for size, correct in self.correct.items()
        }


@metric(needs="split", invariant=(*AFFINE, "permute_factors"))
def logistic_accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    labels: Sequence[Count] = LABELS,
    seed: Seed = 0,
) -> Accuracy:
    """How well logistic regression predicts factors from codes, with 10, 100, 1,000 and 10,000 labels.

    Mean over factors of the test accuracy; codes are standardised by the training points. As a use of
    disentangled codes in Locatello et al. 2019, arXiv:1811.12359 (there with cross-validated penalty; here
    with scikit-learn's).

    Parameters
    ----------
    codes
        [n, m].
    factors
        [n, k] class indices; a column of other numbers is cut into 20 bins. NaN: the row is left out for
        that factor.
    test
        (codes, factors) to score on; without it, a third of the points is kept apart.
    labels
        Numbers of labelled points to learn on; those beyond the training points are left out.
    seed
        Seed of the split without `test`.

    Returns
    -------
    Accuracy
        By number of labels, each in [0, 1], higher is better.

    Notes
    -----
    Chance is the share of the most frequent class. Few labels show how little a learner has to search for.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> logistic_accuracy(factors, factors, labels=[100]).scores
    {'100': 0.9474474474474475}
    """
    return _accuracy(codes, factors, test, labels, seed, _logistic)


@metric(needs="split", invariant=(*AFFINE, "permute_factors"))
def boosted_accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    labels: Sequence[Count] = LABELS,
    seed: Seed = 0,
) -> Accuracy:
    """How well boosted trees predict factors from codes, with 10, 100, 1,000 and 10,000 labels.

    As `logistic_accuracy`, with gradient-boosted trees (100 rounds, depth 3, rate 0.1), which see one code
    at a time and so gain from codes that are aligned with factors. Locatello et al. 2019, arXiv:1811.12359.

    Parameters
    ----------
    codes, factors, test, labels
        As for `logistic_accuracy`.
    seed
        Seed of ties between splits, and of the split without `test`.

    Returns
    -------
    Accuracy
        By number of labels, each in [0, 1], higher is better.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> boosted_accuracy(factors, factors, labels=[100]).scores
    {'100': 1.0}
    """
    return _accuracy(
        codes, factors, test, labels, seed, lambda x, y, x_test: fit_boosted(x, y, seed=seed).predict(x_test)
    )


def _logistic(x: NDArray, y: NDArray, x_test: NDArray) -> NDArray:
    standard = Standard.of(x)
    with warnings.catch_warnings():
        # A handful of labels is the point here: that most classes occur once needs no warning.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model = LogisticRegression().fit(standard(x), y)
    return model.predict(standard(x_test))


def _accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    test: Test | None,
    labels: Sequence[int],
    seed: int,
    predict: Predict,
) -> Accuracy:
    train_z, train_v, test_z, test_v = split(codes, factors, test, seed)
    sizes = sorted({int(size) for size in labels if size <= len(train_z)})
    if not sizes or sizes[0] < 1:
        raise Unavailable(
            f"Accuracy with {', '.join(map(str, labels)) or 'no'} labels cannot be had from {len(train_z)} training "
            f"points: name numbers of labels from 1 to {len(train_z)}."
        )
    correct: dict[int, list[NDArray[np.bool_]]] = {}
    for size in sizes:
        correct[size] = []
        for v, w in zip(train_v.T, test_v.T, strict=True):
            rows = np.flatnonzero(v >= 0)[:size]
            # A handful of labels may all be the same: then that is the prediction.
            one = len(np.unique(v[rows])) == 1
            known = w >= 0
            found = v[rows[0]] if one else predict(train_z[rows], v[rows], test_z[known])
            correct[size].append(found == w[known])
    per_factor = {size: [float(each.mean()) for each in found] for size, found in correct.items()}
    return Accuracy({size: float(np.mean(each)) for size, each in per_factor.items()}, per_factor, correct)
