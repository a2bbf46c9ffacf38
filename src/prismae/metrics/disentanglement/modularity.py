"""Modularity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.errors import InputError
from prismae.fields import AtLeastTwo
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._information import binned
from prismae.metrics._inputs import as_codes


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
)
def modularity(codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 20) -> float:
    """Modularity: does each code know about one factor only?

    mean_i 1 - (sum_k I_ik^2 - max_k I_ik^2) / (max_k I_ik^2 (k - 1)), with I [m, k] the mutual information;
    0 for a code that knows nothing at all. Ridgeway & Mozer 2018, arXiv:1802.05312.

    Parameters
    ----------
    codes
        [n, m]; each code is cut into `bins` equal-width bins over its own range.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into `bins` bins. NaN: the row is
        left out for that factor.
    bins
        How many bins.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    Every code counts the same, so dead codes, whose information is noise, decide the score with the others;
    chance is far above 0 (0.7 on a dSprites grid). Duplication is not punished.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(modularity(factors, factors), 3)
    1.0
    """
    z = as_codes(codes, least_points=bins)
    return modularity_of(binned(z, factors, bins, least_factors=2).information)


def modularity_of(information: NDArray) -> float:
    """Modularity of a matrix [m, k] of mutual information."""
    if information.shape[1] < 2:
        raise InputError("Modularity compares factors with each other and needs at least 2, got 1.")
    # Rounding leaves some 1e-16 nats for a constant code.
    squared = np.where(information > 1e-12, information, 0.0) ** 2
    largest = squared.max(axis=1)
    others = squared.sum(axis=1) - largest
    share = np.divide(others, largest, out=np.full(len(largest), np.inf), where=largest > 0)
    return float(np.mean(np.where(largest > 0, 1 - share / (information.shape[1] - 1), 0.0)))
