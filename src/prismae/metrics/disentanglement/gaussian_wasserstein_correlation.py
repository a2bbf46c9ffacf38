"""Wasserstein distance between the codes' covariance and its diagonal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.metrics._base import metric
from prismae.metrics._inputs import as_codes, centred


@metric(
    needs="codes",
    bounds=(0.0, 2.0),
    better="lower",
    known={"identity": 0.0, "constant": 0.0},
    invariant=("permute_codes", "shift_codes", "flip_codes"),
)
def gaussian_wasserstein_correlation(codes: ArrayLike, *, normalise: bool = True) -> float:
    """Squared Wasserstein distance between Gaussians with the codes' covariance S and with its diagonal D.

    2 tr S - 2 tr (D^1/2 S D^1/2)^1/2, divided by tr S if normalised. How far the codes are from
    uncorrelated; needs no factors. As a score of codes in Locatello et al. 2019, arXiv:1811.12359; see
    Watters et al. 2019.

    Parameters
    ----------
    codes
        [n, m].
    normalise
        Divide by the total variance, so that the common scale does not matter.

    Returns
    -------
    float
        In [0, 2] if normalised, lower is better; 0 if all codes are constant.

    Notes
    -----
    Unlike the total correlation it weighs codes by their variance, and stays finite for duplicates.

    Examples
    --------
    >>> codes = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])  # uncorrelated
    >>> round(gaussian_wasserstein_correlation(codes), 6)
    0.0
    """
    z = centred(as_codes(codes, least_points=3))
    unit = float(np.abs(z).max())
    if unit == 0:
        return 0.0
    covariance = np.atleast_2d(np.cov(z / unit, rowvar=False))
    total = float(np.trace(covariance))
    root = np.sqrt(np.diag(covariance))
    eigenvalues = np.linalg.eigvalsh(root[:, None] * covariance * root)
    distance = 2 * total - 2 * float(np.sqrt(np.maximum(eigenvalues, 0.0)).sum())
    return max(0.0, distance / total if normalise else distance * unit**2)
