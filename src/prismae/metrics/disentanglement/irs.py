"""Interventional robustness score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.fields import AtLeastTwo, Fraction
from prismae.metrics._base import Result, metric
from prismae.metrics._inputs import as_codes, as_labels, centred, cut, varying

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IRS(Result):
    """The score, and the matrix [m, k] of how little code i moves while factor k is held; 0 if constant."""

    score: float
    matrix: Floats


@metric(
    bounds=(-1.0, 1.0),
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def irs(codes: ArrayLike, factors: ArrayLike, *, quantile: Fraction = 0.99, bins: AtLeastTwo = 20) -> IRS:
    """Interventional robustness score: does each code stay put while its factor is held and all others move?

    For each value of factor k: the `quantile` of |z_i - mean of z_i given that value|; averaged over values
    and divided by the code's largest deviation from its mean; M[i, k] = 1 - that. IRS = mean over codes of
    max_k M[i, k], weighted by the code's largest deviation. Suter et al. 2019, arXiv:1811.00007.

    Parameters
    ----------
    codes
        [n, m]; constant codes are left out, and if none remains the score is 0.
    factors
        [n, k] class indices or values, cut into `bins` equal-width bins where there are more values. NaN:
        the row is left out for that factor.
    quantile
        Which quantile of the deviations stands for their maximum.
    bins
        How many bins.

    Returns
    -------
    IRS
        `float(...)` is the score, at most 1, higher is better; with the matrix [m, k].

    Notes
    -----
    Observed points with equal values stand for the intervention. Chance depends on the codes' tails, since a quantile
    is compared with a maximum: 0 for uniform codes of a dSprites grid, 0.4 for normal ones. It may fall below 0 (never
    below -1), where codes deviate more from a conditional mean than from their own. Duplication is not punished.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(float(irs(factors, factors)), 3)
    1.0
    """
    z = as_codes(codes, least_points=bins).astype(np.float64)
    labels = as_labels(factors, n=len(z), bins=bins)
    active = varying(z)
    matrix = np.zeros((z.shape[1], labels.shape[1]))
    if not active.any():
        return IRS(0.0, matrix)
    z = centred(z[:, active])
    largest = np.abs(z).max(axis=0)
    for k, column in enumerate(labels.T):
        known = column >= 0
        group = cut(column[known].astype(np.float64), bins)
        order = np.argsort(group, kind="stable")
        parts = np.split(z[known][order], np.flatnonzero(np.diff(group[order])) + 1)
        deviation = np.mean(
            [np.quantile(np.abs(part - part.mean(axis=0)), quantile, axis=0) for part in parts], axis=0
        )
        matrix[active, k] = 1 - deviation / largest
    return IRS(float(np.average(matrix[active].max(axis=1), weights=largest)), matrix)
