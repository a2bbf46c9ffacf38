"""Active units of the observations whose likelihood is measured."""

from __future__ import annotations

from numpy.typing import ArrayLike
from torch import Tensor

from prismae.metrics._base import UNBOUNDED, metric
from prismae.metrics.disentanglement.active_units import active_units


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=UNBOUNDED,
    better="neither",
    invariant=("permute_observations", "permute_codes", "flip_codes", "shift_codes"),
)
def active_units_posterior(mean: ArrayLike | Tensor, *, threshold: float = 0.01) -> float:
    """Active units by the posterior means of the same observations as the likelihood; see `active-units`.

    The number of codes with Var_x E[z|x] above `threshold`. Burda et al. 2016, arXiv:1509.00519, Sec. 5.2.

    Parameters
    ----------
    mean
        [n, m] means of q(z|x), on the scale of a standard normal prior.
    threshold
        The least variance.

    Returns
    -------
    float
        In [0, m]. Neither end is better.
    """
    return active_units(mean, threshold=threshold)
