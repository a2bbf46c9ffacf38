"""Reconstruction term."""

from __future__ import annotations

from math import inf

from numpy.typing import ArrayLike
from torch import Tensor

from prismae.metrics._base import metric
from prismae.metrics.likelihood._observations import MeanScore, as_samples, mean_score


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=(-inf, inf),
    better="lower",
    invariant=("permute_observations", "permute_samples"),
)
def reconstruction(losses: ArrayLike | Tensor) -> MeanScore:
    """Reconstruction term of the ELBO, nats an observation: -log p(x|z) at posterior samples, not at the mean code.

    The first term of the bound of Kingma and Welling 2014, arXiv:1312.6114, Eq. 3; with `kl` it adds up to the negative
    ELBO.

    Parameters
    ----------
    losses
        [n, k], -log p(x|z) of n observations at k samples of their posteriors each, nats.

    Returns
    -------
    MeanScore
        `float(...)` is the score, lower is better (at the same KL), with the value of each observation.

    Examples
    --------
    >>> float(reconstruction([[80.0], [100.0]]))
    90.0
    """
    at_samples = as_samples(losses, "losses")
    return mean_score(at_samples.mean(1), n_samples=at_samples.shape[1])
