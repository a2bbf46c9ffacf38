"""Disentanglement, completeness, informativeness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import GradientBoostingClassifier

from prismae.errors import InputError
from prismae.fields import Count, Seed
from prismae.metrics._base import AFFINE, Learned, metric
from prismae.metrics._boosting import fit_boosted, normalised
from prismae.metrics._information import entropy
from prismae.metrics._inputs import Test, split
from prismae.metrics._standard import Standard

Booster = Literal["compiled", "sklearn"]
Floats = NDArray[np.float64]


def disentanglement(importance: NDArray) -> float:
    """Mean over codes, weighted by importance [m, k], of 1 - entropy (base k) of the code's importances.

    Zero importance everywhere counts as evenly spread, hence 0.
    """
    importance = np.asarray(importance, dtype=np.float64)
    if importance.shape[1] < 2:
        raise InputError("Disentanglement compares factors with each other and needs at least 2, got 1.")
    if importance.sum() == 0:
        return 0.0
    weights = importance.sum(axis=1) / importance.sum()
    return float(np.sum(weights * (1 - entropy(importance + 1e-11) / np.log(importance.shape[1]))))


def completeness(importance: NDArray) -> float:
    """Mean over factors, weighted by importance, of 1 - entropy (base m) over codes; [m, k] → [0, 1]."""
    importance = np.asarray(importance, dtype=np.float64)
    if importance.shape[0] < 2:
        raise InputError("Completeness compares codes with each other and needs at least 2, got 1.")
    return disentanglement(importance.T)


@dataclass(frozen=True)
class DCI(Learned):
    """The three scores, and what they come from.

    Parameters
    ----------
    disentanglement, completeness, informativeness
        The scores; informativeness is the mean accuracy on the points kept for testing.
    informativeness_train
        Mean accuracy on the training points.
    importance
        [m, k] share of each code in the prediction of each factor; columns sum to 1.
    booster
        Which implementation fitted the trees: scores of different boosters do not compare.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    informativeness_train: float
    importance: Floats
    booster: str
    contributions: list[Floats] = field(repr=False)  # per factor [n, m], empty for scikit-learn's booster
    correct: list[NDArray[np.bool_]] = field(repr=False)  # per factor [n_test]

    @property
    def scores(self) -> dict[str, float]:
        return {"d": self.disentanglement, "c": self.completeness, "i": self.informativeness}

    def resample(self, rng: Generator) -> dict[str, float]:
        drawn = {"i": float(np.mean([rng.choice(each, size=len(each)).mean() for each in self.correct]))}
        if not self.contributions:
            return drawn
        columns = []
        for each in self.contributions:
            weights = np.bincount(rng.integers(len(each), size=len(each)), minlength=len(each))
            columns.append(normalised(np.maximum(weights @ each, 0.0)))
        importance = np.column_stack(columns)
        return drawn | {"d": disentanglement(importance), "c": completeness(importance)}


@metric(
    needs="split",
    known={
        "identity": {"d": 1.0, "c": 1.0, "i": 1.0},
        "constant": {"d": 0.0, "c": 0.0},
        "duplicated": {"d": 1.0},
    },
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
)
def dci(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test: Test | None = None,
    booster: Booster = "compiled",
    seed: Seed = 0,
    n_jobs: Count | Literal[-1] = 1,
) -> DCI:
    """DCI: does each code matter to one factor, each factor to one code, and do they predict at all?

    A gradient-boosted classifier (100 rounds, depth 3, rate 0.1) predicts each factor from all codes; R [m,
    k] are its importances, columns normalised. D = sum_i rho_i (1 - H_k(R_i)), rho_i the share of code i in
    all importance and H_k the entropy to base k; C = the same for columns, to base m; I = mean test accuracy.
    Eastwood & Williams 2018 (ICLR); with boosting as in Locatello et al. 2019, arXiv:1811.12359.

    Parameters
    ----------
    codes
        [n, m] with m >= 2.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. NaN: the row is
        left out for that factor.
    test
        (codes, factors) to score informativeness on; without it, a third of the points is kept apart.
    booster
        "compiled": scikit-learn's algorithm, exact splits, compiled; "sklearn": scikit-learn itself, some
        twenty times slower. They differ only in how ties between splits fall (a few 1e-4 in D and C).
    seed
        Seed of the ties, and of the split without `test`.
    n_jobs
        Threads over factors; the result does not depend on it.

    Returns
    -------
    DCI
        All in [0, 1], higher is better.

    Notes
    -----
    D is untouched by duplication, C by one code for several factors; both punish rotation. Values depend on
    the booster: gain importances of other libraries are another quantity. Chance is near 0 for D and C, and
    the share of the most frequent class for I. When scores are resampled, the fitted trees are held fixed:
    every point brings along its own share of the squared error that each code's splits removed, whose mean
    is the importance.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> {name: round(score, 2) for name, score in dci(factors, factors).scores.items()}
    {'d': 1.0, 'c': 1.0, 'i': 1.0}
    """
    train_z, train_v, test_z, test_v = split(codes, factors, test, seed, least_codes=2, least_factors=2)
    fit = _fit_compiled if booster == "compiled" else _fit_sklearn
    fits = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(fit)(train_z[v >= 0], v[v >= 0], test_z[w >= 0], w[w >= 0], seed)
        for v, w in zip(train_v.T, test_v.T, strict=True)
    )
    importance = np.column_stack([each[0] for each in fits])
    return DCI(
        disentanglement=disentanglement(importance),
        completeness=completeness(importance),
        informativeness=float(np.mean([each[2].mean() for each in fits])),
        informativeness_train=float(np.mean([each[1] for each in fits])),
        importance=importance,
        booster=booster,
        contributions=[each[3] for each in fits if each[3] is not None],
        correct=[each[2] for each in fits],
    )


def _fit_compiled(x: Floats, y: NDArray, x_test: Floats, y_test: NDArray, seed: int) -> tuple[Any, ...]:
    model = fit_boosted(x, y, seed=seed)
    train = float(np.mean(model.label(model.train_scores) == y))
    return model.importance, train, model.predict(x_test) == y_test, model.contributions


def _fit_sklearn(x: Floats, y: NDArray, x_test: Floats, y_test: NDArray, seed: int) -> tuple[Any, ...]:
    # The trees do not see scale and offset; the float32 that scikit-learn computes with does.
    standard = Standard.of(x)
    train, test = standard.narrow(x), standard.narrow(x_test)
    model = GradientBoostingClassifier(random_state=seed).fit(train, y)
    return np.abs(model.feature_importances_), model.score(train, y), model.predict(test) == y_test, None
