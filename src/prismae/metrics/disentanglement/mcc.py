"""Mean correlation coefficient."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from prismae.metrics._base import AFFINE, metric
from prismae.metrics._inputs import as_codes, as_factors, as_labels, standardised


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=(*AFFINE, "permute_factors"),
)
def mcc(
    codes: ArrayLike, factors: ArrayLike, *, correlation: Literal["pearson", "spearman"] = "pearson"
) -> float:
    """MCC: mean correlation coefficient of factors with codes, each factor with a code of its own.

    |corr(z_i, v_k)|, of the one-to-one assignment of codes to factors whose sum is largest, mean over factors. The
    score of identifiability; Hyvärinen & Morioka 2016, arXiv:1605.06336; so in Klindt et al. 2021, arXiv:2007.10930.

    Parameters
    ----------
    codes
        [n, m]; with fewer codes than factors the factors that are left over count 0.
    factors
        [n, k] values. NaN: the row is left out for that factor.
    correlation
        "spearman" is of ranks: it takes codes that grow with a factor in any way.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    It sees relations that grow or fall, and is meaningless for a factor whose values have no order. What other codes
    carry does not count, nor what else the assigned code does beyond its correlation: two factors rotated by 45
    degrees score 0.71 each. Chance is about sqrt(2 log(m) / n). The authors fill up missing codes with noise; here
    they count 0.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 4)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(mcc(factors @ [[1, 1], [1, -1]], factors), 4)  # rotated by 45 degrees
    0.7071
    """
    z = as_codes(codes, least_points=3)
    v = as_factors(factors, n=len(z)).astype(np.float64)
    as_labels(v, n=len(z))  # refuses a factor of one value
    found = np.zeros((z.shape[1], v.shape[1]))
    for k, column in enumerate(v.T):
        known = ~np.isnan(column)
        a, b = z[known], column[known]
        if correlation == "spearman":
            a, b = rankdata(a, axis=0), rankdata(b)
        found[:, k] = np.abs(standardised(b) @ standardised(a)) / len(b)
    rows, columns = linear_sum_assignment(found, maximize=True)
    return float(np.minimum(found[rows, columns], 1.0).sum() / v.shape[1])
