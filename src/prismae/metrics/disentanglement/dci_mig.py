"""DCI-MIG."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._information import binned, factor_entropy, gap
from prismae.metrics._inputs import as_codes


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
)
def dci_mig(codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 20) -> float:
    """DCI-MIG: for each factor the clearest code that stands for it.

    Code i stands for the factor k(i) that it knows most about, as clearly as its gap R_i = I(z_i; v_k(i)) -
    (the next largest over factors); each factor takes the largest R of its codes, or 0. Score = sum_k R_k /
    sum_k H(v_k). Sepliarskaia et al. 2019, arXiv:1910.05587.

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
    It punishes one code for several factors, and factors that no code stands for; duplication is not
    punished.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(dci_mig(factors, factors), 3)
    1.0
    >>> round(dci_mig(np.column_stack([factors[:, 0]] * 2), factors), 3)  # one factor twice, the other not at all
    0.463
    """
    z = as_codes(codes, least_points=bins)
    cut = binned(z, factors, bins, least_factors=2)
    clearest = np.zeros(cut.labels.shape[1])
    np.maximum.at(clearest, np.argmax(cut.information, axis=1), gap(cut.information, axis=1))
    return float(clearest.sum() / factor_entropy(cut.labels).sum())
