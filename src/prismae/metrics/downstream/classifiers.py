"""Accuracy of classifiers on codes: support vector machines, logistic regression, nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from prismae.errors import Unavailable
from prismae.fields import AtLeastTwo, Count, Positive, Seed
from prismae.metrics._base import AFFINE, Learned, metric
from prismae.metrics._inputs import Test, split
from prismae.metrics._standard import Standard

INVARIANT = (*AFFINE, "permute_factors")


@dataclass(frozen=True)
class ClassAccuracy(Learned):
    """Mean test accuracy over factors; per factor; and which test points were right."""

    score: float
    per_factor: list[float]
    correct: list[NDArray[np.bool_]] = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": float(np.mean([rng.choice(each, size=len(each)).mean() for each in self.correct]))}


@metric(needs="split", protocol="classification", invariant=INVARIANT)
def linear_svm_accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    penalty: Positive = 1.0,
    seed: Seed = 0,
) -> ClassAccuracy:
    """How well a linear support vector machine tells classes by their codes.

    Test accuracy, the mean over factors where there are several. One hyperplane per class against the rest, squared
    hinge loss, C = `penalty`: scikit-learn's `LinearSVC` (Fan et al. 2008, https://jmlr.org/papers/v9/fan08a.html).
    Codes are standardised by the training points.

    Parameters
    ----------
    codes
        [n, m].
    factors
        [n, k] class indices; a column of other numbers is cut into 20 bins. NaN: the row is left out for
        that factor.
    test
        (codes, factors) to score on; without it, a third of the points is kept apart.
    penalty
        C: how much a point on the wrong side costs.
    seed
        Seed of the split without `test`.

    Returns
    -------
    ClassAccuracy
        `float(...)` is the score, in [0, 1], higher is better.

    Notes
    -----
    Chance is the share of the most frequent class. The machine that takes classes in pairs ("one against one") has
    more hyperplanes and scores higher on the same codes: papers that say "SVM" may mean either, or RBF kernels.

    Examples
    --------
    >>> codes = np.repeat([[-1.0, 0.0], [1.0, 0.0]], 50, axis=0)
    >>> float(linear_svm_accuracy(codes, np.repeat([[0], [1]], 50, axis=0)))
    1.0
    """
    return _accuracy(codes, factors, test, seed, LinearSVC(C=penalty, dual=False))


@metric(needs="split", protocol="classification", invariant=INVARIANT)
def rbf_svm_accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    penalty: Positive = 1.0,
    points: AtLeastTwo = 10_000,
    seed: Seed = 0,
) -> ClassAccuracy:
    """How well a support vector machine with Gaussian (RBF) kernels tells classes by their codes.

    As `linear_svm_accuracy`, with kernel exp(-|z - z'|^2 / m) on standardised codes and classes in pairs:
    scikit-learn's `SVC` with gamma "scale" (Chang and Lin 2011, doi:10.1145/1961189.1961199).

    Parameters
    ----------
    codes, factors, test, penalty
        As for `linear_svm_accuracy`.
    points
        The most training points, since the work grows faster than their square; of more, these are drawn by `seed`.
    seed
        Seed of that draw, and of the split without `test`.

    Returns
    -------
    ClassAccuracy
        `float(...)` is the score, in [0, 1], higher is better.

    Examples
    --------
    >>> codes = np.repeat([[-1.0], [0.0], [1.0]], 50, axis=0)
    >>> float(rbf_svm_accuracy(codes, np.repeat([[0], [1], [0]], 50, axis=0)))  # no line tells these apart
    1.0
    """
    return _accuracy(codes, factors, test, seed, SVC(C=penalty, kernel="rbf", gamma="scale"), most=points)


@metric(needs="split", protocol="classification", invariant=INVARIANT)
def logistic_regression_accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    penalty: Positive = 1.0,
    seed: Seed = 0,
) -> ClassAccuracy:
    """How well logistic regression on all training points tells classes by their codes.

    As `linear_svm_accuracy`, with multinomial logistic regression of inverse penalty C = `penalty`; the "linear
    evaluation" of representation learning (Chen et al. 2020, arXiv:2002.05709, there by other optimisers).
    `logistic_accuracy` is the same learner with few labels.

    Parameters
    ----------
    codes, factors, test, penalty, seed
        As for `linear_svm_accuracy`.

    Returns
    -------
    ClassAccuracy
        `float(...)` is the score, in [0, 1], higher is better.

    Examples
    --------
    >>> codes = np.repeat([[-1.0, 0.0], [1.0, 0.0]], 50, axis=0)
    >>> float(logistic_regression_accuracy(codes, np.repeat([[0], [1]], 50, axis=0)))
    1.0
    """
    return _accuracy(codes, factors, test, seed, LogisticRegression(C=penalty, max_iter=1_000))


@metric(needs="split", protocol="classification", invariant=INVARIANT)
def knn_accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    neighbours: Count = 5,
    seed: Seed = 0,
) -> ClassAccuracy:
    """How well the nearest neighbours' classes tell a point's class.

    As `linear_svm_accuracy`, with the majority among the `neighbours` nearest training points, by Euclidean distance
    of standardised codes (Cover and Hart 1967, doi:10.1109/TIT.1967.1053964).

    Parameters
    ----------
    codes, factors, test, seed
        As for `linear_svm_accuracy`.
    neighbours
        How many training points vote.

    Returns
    -------
    ClassAccuracy
        `float(...)` is the score, in [0, 1], higher is better.

    Notes
    -----
    Standardising makes dead codes as loud as live ones: noise dimensions lower this score, and no other here as much.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> float(knn_accuracy(factors, factors[:, [0]]))
    1.0
    """
    return _accuracy(codes, factors, test, seed, KNeighborsClassifier(neighbours), least=neighbours)


def _accuracy(
    codes: ArrayLike,
    factors: ArrayLike,
    test: Test | None,
    seed: int,
    classifier: Any,
    *,
    most: int | None = None,
    least: int = 1,
) -> ClassAccuracy:
    """Learn on up to `most` training points of each factor that is known there, and score on the test points."""
    train_z, train_v, test_z, test_v = split(codes, factors, test, seed)
    drawn = np.random.default_rng(seed).permutation(len(train_z))
    correct = []
    for k, (v, w) in enumerate(zip(train_v.T, test_v.T, strict=True)):
        rows, known = drawn[v[drawn] >= 0][:most], w >= 0
        if len(rows) < least or not known.any() or len(np.unique(v[rows])) < 2:
            raise Unavailable(
                f"Factor {k} has {len(rows)} training and {known.sum()} test points, too few to learn from."
            )
        scale = Standard.of(train_z[rows])
        model = classifier.fit(scale(train_z[rows]), v[rows])
        correct.append(model.predict(scale(test_z[known])) == w[known])
    per_factor = [float(each.mean()) for each in correct]
    return ClassAccuracy(float(np.mean(per_factor)), per_factor, correct)
