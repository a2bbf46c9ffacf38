"""MIG-sup: the mutual information gap, per code."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._information import binned, factor_entropy, gap
from prismae.metrics._inputs import as_codes, varying


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
)
def mig_sup(codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 20) -> float:
    """MIG-sup: how much more a code knows about its best factor than about its second best.

    mean_i (largest - second largest over k of I(z_i; v_k) / H(v_k)). Li et al. 2020, arXiv:2002.10549, as a
    supplement to MIG, which cannot see one code that speaks of several factors.

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
    The mean runs over codes that vary at all (our reading: a constant code speaks of nothing); a nearly dead
    code counts, and pulls the score down. Duplication is not punished.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(mig_sup(np.repeat(factors, 2, axis=1), factors), 3)  # two codes for a factor, and none for two
    1.0
    """
    z = as_codes(codes, least_points=bins)
    cut = binned(z, factors, bins, least_factors=2)
    alive = varying(z)
    if not alive.any():
        return 0.0
    return float(np.mean(gap(cut.information[alive] / factor_entropy(cut.labels), axis=1)))
