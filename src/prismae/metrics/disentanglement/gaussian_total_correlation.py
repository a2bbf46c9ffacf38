"""Total correlation of a Gaussian fitted to the codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.metrics._base import AFFINE, UNBOUNDED, metric
from prismae.metrics._inputs import as_codes, standardised, varying


@metric(
    needs="codes",
    bounds=UNBOUNDED,
    better="lower",
    known={"identity": 0.0, "constant": 0.0, "duplicated": float("inf")},
    invariant=AFFINE,
)
def gaussian_total_correlation(codes: ArrayLike) -> float:
    """Total correlation, in nats, of a Gaussian with the codes' covariance: -log det(correlation matrix) / 2.

    How far the codes are from uncorrelated; needs no factors. Watanabe 1960; as a score of codes in
    Locatello et al. 2019, arXiv:1811.12359.

    Parameters
    ----------
    codes
        [n, m]; constant codes are left out.

    Returns
    -------
    float
        In [0, inf], lower is better; infinite where one code is a linear function of others (a duplicate).

    Notes
    -----
    Biased upwards by about m (m - 1) / 4n. Blind to all dependence that is no correlation.

    Examples
    --------
    >>> codes = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])  # uncorrelated
    >>> round(gaussian_total_correlation(codes), 6)
    0.0
    """
    z = as_codes(codes, least_points=3)
    z = standardised(z[:, varying(z)])
    if z.shape[1] < 2:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(z.T @ z / len(z))
    if eigenvalues[0] <= 10 * len(eigenvalues) * np.finfo(np.float64).eps:
        return float("inf")
    return max(0.0, float(-np.log(eigenvalues).sum() / 2))
