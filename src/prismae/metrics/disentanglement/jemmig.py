"""Joint entropy minus mutual information gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._information import binned, entropy, factor_entropy, gap
from prismae.metrics._inputs import as_codes


@metric(
    known={"identity": 1.0},
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
)
def jemmig(codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 20) -> float:
    """JEMMIG, normalised: does one code know the factor, and nothing else?

    mean_k 1 - (H(z_a, v_k) - I(z_a; v_k) + I(z_b; v_k)) / (H(v_k) + log bins), with a and b the two codes
    that know most about factor k. Do & Tran 2020, arXiv:1908.09961.

    Parameters
    ----------
    codes
        [n, m] with m >= 2; each code is cut into `bins` equal-width bins over its own range.
    factors
        [n, k] class indices; a column of other numbers is cut into `bins` bins. NaN: the row is left out for
        that factor.
    bins
        How many bins.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    Beyond MIG it punishes a code that also carries anything but its factor. A code with low entropy scores
    well without knowing anything: constant codes reach log bins / (H(v) + log bins), so read it beside its
    chance level.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(jemmig(factors, factors), 3)
    1.0
    """
    z = as_codes(codes, least_codes=2, least_points=bins)
    cut = binned(z, factors, bins)
    joint_entropy = entropy(cut.joint.reshape(*cut.joint.shape[:2], -1))
    best = np.argmax(cut.information, axis=0), np.arange(cut.labels.shape[1])
    excess = joint_entropy[best] - gap(cut.information, axis=0)
    return float(np.mean(1 - excess / (factor_entropy(cut.labels) + np.log(bins))))
