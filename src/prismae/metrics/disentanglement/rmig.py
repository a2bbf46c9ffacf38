"""Robust mutual information gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from prismae.fields import AtLeastTwo, Positive
from prismae.metrics._base import metric
from prismae.metrics._information import factor_entropy, gap, mutual_information
from prismae.metrics._inputs import Labels, as_codes, as_deviations, as_labels


@metric(
    known={"identity": 1.0, "constant": 0.0, "duplicated": 0.0},
    invariant=("permute_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def rmig(
    codes: ArrayLike,
    factors: ArrayLike,
    stds: ArrayLike | None = None,
    *,
    bins: AtLeastTwo = 100,
    reach: Positive = 4.0,
) -> float:
    """RMIG, normalised: MIG whose information is that of the whole distribution q(z|x), on fixed bins.

    Each point spreads over `bins` equal-width bins of [-reach, reach] as its Gaussian N(codes, stds^2) does;
    what lies beyond counts for the outermost bins. RMIG = mean_k (I(z_a; v_k) - I(z_b; v_k)) / H(v_k) of
    these joint distributions. Do & Tran 2020, arXiv:1908.09961.

    Parameters
    ----------
    codes
        [n, m] with m >= 2: means of q(z|x), on the scale of a standard normal prior.
    factors
        [n, k] class indices; a column of other numbers is cut into 20 bins. NaN: the row is left out for
        that factor.
    stds
        [n, m] standard deviations of q(z|x); None: 0, codes without a density, every point falls into one bin.
        (`prismae.evaluate` takes them from the model, and leaves the score out where they are not known.)
    bins, reach
        The grid.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    Unlike MIG it depends on the codes' scale, and a dead code (mean 0, standard deviation 1) knows nothing,
    as it should. The division by H(v_k) is ours, to bring it to [0, 1].

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(rmig(factors, factors, stds=np.full((1000, 2), 0.01)), 2)
    1.0
    """
    z = as_codes(codes, least_codes=2, least_points=20)
    labels = as_labels(factors, n=len(z))
    spread = np.zeros_like(z) if stds is None else as_deviations(stds, z)
    inner = np.linspace(-reach, reach, bins + 1)[1:-1]
    information = np.stack(
        [
            mutual_information(_joint(_masses(mean, std, inner), labels))
            for mean, std in zip(z.T, spread.T, strict=True)
        ]
    )
    return float(np.mean(gap(information, axis=0) / factor_entropy(labels)))


def _masses(mean: NDArray, std: NDArray, inner: NDArray) -> NDArray[np.float64]:
    """Probability [n, bins] of each bin between the inner edges, under N(mean, std^2)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        standard = (inner - mean[:, None]) / std[:, None]
    below = np.where(std[:, None] > 0, ndtr(standard), inner > mean[:, None])
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def _joint(masses: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Joint weights [k, bins, values] of bins and labels."""
    joint = np.zeros((labels.shape[1], masses.shape[1], int(labels.max()) + 1))
    for k, column in enumerate(labels.T):
        known = np.flatnonzero(column >= 0)
        order = known[np.argsort(column[known], kind="stable")]
        start = np.flatnonzero(np.diff(column[order], prepend=-1))
        joint[k][:, column[order][start]] = np.add.reduceat(masses[order], start).T
    return joint
