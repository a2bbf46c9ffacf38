"""Mutual information gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo, NonNegative, Seed
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._information import binned, factor_entropy, gap
from prismae.metrics._inputs import as_codes


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 0.0},
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
)
def mig(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: AtLeastTwo = 20,
    channel: NonNegative = 0.0,
    seed: Seed = 0,
) -> float:
    """Mutual information gap: how much more the best code knows about a factor than the second best.

    MIG = mean_k (I(z_a; v_k) - I(z_b; v_k)) / H(v_k), with a and b the two codes that know most about factor
    k. Chen et al. 2018, arXiv:1802.04942, eq. 6; bins as in Locatello et al. 2019, arXiv:1811.12359.

    Parameters
    ----------
    codes
        [n, m] with m >= 2; each code is cut into `bins` equal-width bins over its own range.
    factors
        [n, k] class indices; a column of other numbers is cut into `bins` bins. NaN: the row is left out for
        that factor.
    bins
        How many bins.
    channel
        Standard deviation of Gaussian noise added to the codes first: the information that gets through a
        noisy channel z + channel * eps. (Our own addition, for methods that add such noise in training.)
    seed
        Seed of the channel's noise.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    It rewards one code per factor and punishes duplication (0) and rotation; it ignores codes that speak of
    no factor, and does not see one code that speaks of several. Its ceiling is below 1 where a factor has
    more values than there are bins. Few points bias every information upwards, but the gap much less so.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(mig(factors, factors), 3)
    1.0
    >>> round(mig(np.repeat(factors, 2, axis=1), factors), 3)  # every factor in two codes
    0.0
    """
    z = as_codes(codes, least_codes=2, least_points=bins)
    if channel > 0:
        z = z + channel * np.random.default_rng(seed).standard_normal(z.shape)
    cut = binned(z, factors, bins)
    return float(np.mean(gap(cut.information, axis=0) / factor_entropy(cut.labels)))
