"""Mutual information of observations and codes."""

from __future__ import annotations

from math import inf, log

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from prismae.fields import Count, Seed
from prismae.latent.likelihood import index_code_information
from prismae.metrics._base import metric
from prismae.metrics.likelihood._observations import MeanScore, as_posterior, mean_score


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=(-inf, inf),
    better="neither",
    invariant=("permute_observations", "permute_codes", "flip_codes", "shift_codes", "scale_codes"),
)
def mutual_information(
    mean: ArrayLike | Tensor, log_var: ArrayLike | Tensor, *, samples: Count = 4, seed: Seed = 0
) -> MeanScore:
    """Mutual information I_q(x; z) of observations and codes under the posterior, nats.

    E log q(z|x) - E log q(z), with q(z) = 1/n sum_j q(z|x_j) of all n observations that are given, at samples
    z ~ q(z|x) (Hoffman and Johnson 2016, "ELBO surgery"; He et al. 2019, arXiv:1901.05534, Sec. 3.3). It is the `kl`
    without the divergence of q(z) from the prior, so that a KL spent on a shift of all codes does not count.

    Parameters
    ----------
    mean, log_var
        [n, m] of the posteriors of n observations.
    samples
        Codes drawn from each posterior.
    seed
        Seed of the draws.

    Returns
    -------
    MeanScore
        `float(...)` is the score; neither end is better. With the value of each observation, and in its settings
        log n, the most that n observations can show: a score near it says that more are needed.

    Notes
    -----
    Both densities are taken at the same samples (He et al. take the first in closed form), which leaves less noise:
    equal posteriors give 0, and codes that lie apart give log n, exactly. Near 0 the noise may still be below 0, and
    nothing is clipped.

    Examples
    --------
    >>> round(float(mutual_information(np.zeros((50, 2)), np.zeros((50, 2)))), 6)  # all posteriors are the same
    0.0
    """
    q = as_posterior(mean, log_var)
    rng = np.random.default_rng(seed)
    each = torch.zeros(len(q.mean), dtype=torch.float64)
    for _ in range(samples):
        noise = torch.from_numpy(rng.standard_normal(q.mean.shape))
        each += index_code_information(q, q.mean + torch.exp(0.5 * q.log_var) * noise) / samples
    return mean_score(each, log_n=log(len(each)))
