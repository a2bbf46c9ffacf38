"""KL of posteriors to the prior."""

from __future__ import annotations

from numpy.typing import ArrayLike
from torch import Tensor

from prismae.metrics._base import UNBOUNDED, metric
from prismae.metrics.likelihood._observations import MeanScore, as_posterior, mean_score


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=UNBOUNDED,
    better="neither",
    invariant=("permute_observations", "permute_codes", "flip_codes"),
)
def kl(mean: ArrayLike | Tensor, log_var: ArrayLike | Tensor) -> MeanScore:
    """KL of the posterior to the prior, KL(q(z|x) || N(0, I)), nats an observation, in closed form.

    The rate of the bound of Kingma and Welling 2014, arXiv:1312.6114, Eq. 10: 0 where posteriors have collapsed onto
    the prior.

    Parameters
    ----------
    mean, log_var
        [n, m] of the posteriors of n observations.

    Returns
    -------
    MeanScore
        `float(...)` is the score, summed over codes; neither end is better. With the value of each observation.

    Examples
    --------
    >>> float(kl(np.ones((5, 2)), np.zeros((5, 2))))  # half a nat of each code
    1.0
    """
    return mean_score(as_posterior(mean, log_var).kl_to_standard().sum(1))
