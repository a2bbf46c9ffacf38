"""R² of factors that are read from codes, in regions that the reader has not seen too."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from prismae.errors import InputError
from prismae.fields import Seed
from prismae.metrics._base import AFFINE, Learned, metric
from prismae.metrics._inputs import Test, apart, as_codes, as_factors, as_labels
from prismae.metrics._standard import Standard

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FactorR2(Learned):
    """R² of each factor [k], and their mean."""

    per_factor: Floats
    missed: Floats = field(
        repr=False
    )  # [n_test, k] squared error over the factor's variance, NaN where unknown

    @property
    def score(self) -> float:  # type: ignore[override]
        return float(self.per_factor.mean())

    @property
    def scores(self) -> dict[str, float]:
        return {"": self.score}

    def resample(self, rng: Generator) -> dict[str, float]:
        rows = rng.integers(len(self.missed), size=len(self.missed))
        return {"": float(np.mean(1 - np.nanmean(self.missed[rows], axis=0)))}


@metric(
    needs="split",
    bounds=(-inf, 1.0),
    known={"identity": 1.0, "duplicated": 1.0},
    invariant=(*AFFINE, "permute_factors"),
    protocol="classification",
)
def factor_r2(codes: ArrayLike, factors: ArrayLike, *, test: Test | None = None, seed: Seed = 0) -> FactorR2:
    """R² of factors: how well a linear regression on codes reads factors, also where they take values not seen before.

    1 - mean squared error / variance, mean over factors; the variance is that of each factor's values, all of them
    equally frequent, those of `test` among them. Schott et al. 2022, arXiv:2107.08221, whose networks are trained on
    the factors themselves.

    Parameters
    ----------
    codes
        [n, m] to learn on.
    factors
        [n, k] values. NaN: the row is left out for that factor.
    test
        (codes, factors) to score on, such as the region that was kept out of training; without it, a third of the
        points is kept apart.
    seed
        Seed of the split without `test`.

    Returns
    -------
    FactorR2
        `float(...)` is the score, at most 1, higher is better, with `per_factor`. Reading nothing is 0 where test
        points are like the others, and may be far below 0 where they are not.

    Notes
    -----
    Meaningless for a factor whose values have no order.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (10, 1))
    >>> high = factors[:, 1] == 4  # never seen in training
    >>> round(float(factor_r2(factors[~high], factors[~high], test=(factors[high], factors[high]))), 3)
    1.0
    """
    z = as_codes(codes, least_points=6)
    points, v, n_train = apart(z, as_factors(factors, n=len(z)), test, seed)
    as_labels(v, n=len(v))  # refuses a factor of one value
    v = v.astype(np.float64)
    x = np.column_stack([np.ones(len(points)), Standard.of(points[:n_train])(points)])
    missed = np.full((len(v) - n_train, v.shape[1]), np.nan)
    for k, column in enumerate(v.T):
        known = ~np.isnan(column)
        learnt, asked = known[:n_train], known[n_train:]
        if not learnt.any() or not asked.any():
            raise InputError(f"Factor {k} is unknown at every training or test point: leave it out.")
        values = np.unique(column[known])
        slope = np.linalg.lstsq(x[:n_train][learnt], column[:n_train][learnt], rcond=None)[0]
        error = x[n_train:][asked] @ slope - column[n_train:][asked]
        missed[asked, k] = error**2 / values.var()
    return FactorR2(1 - np.nanmean(missed, axis=0), missed)
