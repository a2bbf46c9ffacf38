"""beta-VAE score."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from prismae.errors import InputError
from prismae.fields import Count, Seed
from prismae.metrics._base import Learned, metric
from prismae.metrics._inputs import as_codes, as_labels
from prismae.metrics._votes import CHUNK, Groups, groups_by_factor


@dataclass(frozen=True)
class BetaVAEScore(Learned):
    """Accuracy of the classifier that tells the shared factor, on fresh pairs and on its training pairs."""

    score: float
    train_score: float
    correct: NDArray[np.bool_] = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": float(rng.choice(self.correct, size=len(self.correct)).mean())}


@metric(
    needs="table",
    known={"identity": 1.0, "duplicated": 1.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def beta_vae_score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    pairs: Count = 64,
    train_size: Count = 10_000,
    test_size: Count = 5_000,
    seed: Seed = 0,
) -> BetaVAEScore:
    """beta-VAE score: can a linear classifier tell which factor pairs of points share?

    One example takes a random factor and `pairs` pairs of random points that share its value (each pair its
    own value); its features are the mean absolute differences of the codes. Logistic regression learns on
    `train_size` examples to name the factor; the score is its accuracy on `test_size` fresh ones.
    Higgins et al. 2017 (ICLR); numbers as in Locatello et al. 2019, arXiv:1811.12359.

    Parameters
    ----------
    codes
        [n, m] the whole table: pairs are looked up in it, with no assumption that it is a full grid.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. Rows are drawn for a
        factor only where it is known and shared with another row.
    pairs, train_size, test_size
        Pairs of an example, examples to learn on, examples to score.
    seed
        Seed of all draws.

    Returns
    -------
    BetaVAEScore
        `float(...)` is the score, in [0, 1], higher is better.

    Notes
    -----
    Chance is 1/k where many rows share a value. Where few do, pairs often repeat a row, whose codes then do not differ
    at all, and even shuffled codes tell the factor: see the chance level. It does not punish duplication, and rotation
    hardly: the classifier may use all codes at once.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> float(beta_vae_score(factors, factors, train_size=500, test_size=500))
    1.0
    """
    z = as_codes(codes)
    groups = groups_by_factor(as_labels(factors, n=len(z), least_factors=2))
    rng = np.random.default_rng(seed)
    train, test = (_examples(z, groups, size, pairs, rng) for size in (train_size, test_size))
    if len(np.unique(train[1])) < 2:
        raise InputError(
            f"The pairs to learn on all share one factor: expected a train_size above {train_size}."
        )
    return pair_score(*train, *test)


def pair_score(x: NDArray, y: NDArray, x_test: NDArray, y_test: NDArray) -> BetaVAEScore:
    """The score, given features [n, m] and shared factors [n] of examples to learn on and to score."""
    model = LogisticRegression().fit(x, y)
    correct = model.predict(x_test) == y_test
    return BetaVAEScore(float(correct.mean()), float(model.score(x, y)), correct)


def _examples(
    z: NDArray, groups: list[Groups], size: int, pairs: int, rng: Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features [size, m] of examples, and the factor [size] that the pairs of each share."""
    shared = np.sort(rng.integers(len(groups), size=size))
    # Every factor occurs, or there would be nothing to learn: few factors, thousands of examples.
    features = []
    for k, group in enumerate(groups):
        left = int(np.sum(shared == k))
        while left:
            now = min(left, CHUNK)
            first, second = group.draw(now * pairs, 2, rng).T
            difference = np.abs(z[first] - z[second]).reshape(now, pairs, -1)
            features.append(difference.mean(axis=1, dtype=np.float64))
            left -= now
    return np.concatenate(features), shared
