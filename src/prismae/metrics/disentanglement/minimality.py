"""Minimality and sufficiency: what codes carry beside a factor, and what of a factor one code carries."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.fields import AtLeastTwo
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._information import binned, entropy, factor_entropy
from prismae.metrics._inputs import as_codes, varying

INVARIANT = (*AFFINE, "permute_factors", "relabel_factors")


@metric(known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0}, invariant=INVARIANT)
def minimality(codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 15) -> float:
    """Minimality: how much of what a code carries is about the one factor that it knows best.

    mean_j max_i I(y_i; z_j) / H(z_j), with codes in bins; over codes that vary. For factors that may depend on each
    other. Almudévar, Ortega, Vicente, Miguel & Lleida 2024, arXiv:2408.07016.

    Parameters
    ----------
    codes
        [n, m]; each code is cut into `bins` equal-width bins over its own range.
    factors
        [n, k] class indices; a column of other numbers is cut into `bins` bins. NaN: the row is left out for that
        factor.
    bins
        How many bins.

    Returns
    -------
    float
        In [0, 1], higher is better; 0 where no code varies.

    Notes
    -----
    A dead code has no entropy and is left out; one that is noise counts, as 0. Information is biased upwards by about
    (bins - 1)(values - 1) / 2n nats. A rotation, or two factors in one code, lowers it; duplicates do not.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 4)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> both = factors @ [[4], [1]]  # one code for two factors
    >>> round(minimality(factors, factors), 2), round(minimality(both, factors, bins=16), 2)
    (1.0, 0.5)
    """
    z = as_codes(codes, least_points=bins)
    found = binned(z, factors, bins)
    alive = varying(z)
    if not alive.any():
        return 0.0
    carried = entropy(found.joint.sum(axis=-1))  # [m, k], over the points where that factor is known
    return float(np.mean(_share(found.information, carried)[alive].max(axis=1)))


@metric(known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0}, invariant=INVARIANT)
def sufficiency(codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 15) -> float:
    """Sufficiency: how much of a factor the one code carries that knows most of it.

    mean_i max_j I(y_i; z_j) / H(y_i), with codes in bins. Almudévar, Ortega, Vicente, Miguel & Lleida 2024,
    arXiv:2408.07016.

    Parameters
    ----------
    codes
        [n, m]; each code is cut into `bins` equal-width bins over its own range.
    factors
        [n, k] class indices; a column of other numbers is cut into `bins` bins. NaN: the row is left out for that
        factor.
    bins
        How many bins: a factor of more values than these has a ceiling below 1.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    It does not ask what else the code carries: read it beside `minimality`.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 4)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> both = factors @ [[4], [1]]  # one code for two factors
    >>> round(sufficiency(both, factors, bins=16), 2)
    1.0
    """
    found = binned(as_codes(codes, least_points=bins), factors, bins)
    return float(np.mean(_share(found.information, factor_entropy(found.labels)).max(axis=0)))


def _share(information: NDArray, of: NDArray) -> NDArray[np.float64]:
    """Information [m, k] as a share of entropies, at most 1 of each; 0 where there is none."""
    of = np.broadcast_to(of, information.shape)
    return np.minimum(np.divide(information, of, out=np.zeros(information.shape), where=of > 1e-12), 1.0)
