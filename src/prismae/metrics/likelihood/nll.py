"""Negative log-likelihood."""

from __future__ import annotations

from math import inf

from numpy.typing import ArrayLike
from torch import Tensor

from prismae.metrics._base import metric
from prismae.metrics.likelihood._observations import MeanScore, importance_weighted, mean_score


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=(-inf, inf),
    better="lower",
    invariant=("permute_observations", "permute_samples"),
)
def nll(log_weights: ArrayLike | Tensor) -> MeanScore:
    """Negative log-likelihood of observations, nats each, by importance sampling.

    The mean over observations of -log 1/k sum_s w_s with w_s = p(x|z_s) p(z_s) / q(z_s|x), z_s ~ q(z|x): the bound of
    Burda et al. 2016, arXiv:1509.00519, Eq. 8, whose expectation is never below -log p(x) and falls to it with the
    number of samples k. With k = 1 it is the negative ELBO.

    Parameters
    ----------
    log_weights
        [n, k], log p(x, z) - log q(z|x) of n observations at k samples of their posteriors each, nats.

    Returns
    -------
    MeanScore
        `float(...)` is the score, lower is better; of continuous data a density may be above 1, and the score below 0.
        With the value of each observation, and in its settings the median number of effective samples: where
        that is near 1, a single sample makes the estimate, and more are needed.

    Examples
    --------
    >>> float(nll(np.full((4, 8), -90.0)))  # 8 samples of each of 4 observations, all of weight exp(-90)
    90.0
    """
    each, said = importance_weighted(log_weights)
    return mean_score(each, **said)
