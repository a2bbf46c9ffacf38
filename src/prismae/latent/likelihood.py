"""The likelihood of observations under a model with latents, and what codes tell of them, from posterior samples."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from prismae.latent.decomposition import PAIRS, standard_log_prob
from prismae.latent.gaussian import Gaussian


def log_importance_weights(nll: Tensor, q: Gaussian, z: Tensor) -> Tensor:
    """log p(x, z) - log q(z|x) for samples z [..., m] of q and the prior N(0, I): [...], nats.

    `nll` [...] is -log p(x|z). The weights' mean over samples is an unbiased estimate of p(x); see `log_mean_exp`.
    """
    return standard_log_prob(z).sum(-1) - q.log_prob(z).sum(-1) - nll


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """Logarithm of the mean of weights over the samples in the last axis, [..., k] → [...], without overflow.

    For importance weights it is the bound L_k on log p(x) (Burda et al. 2016, arXiv:1509.00519, Eq. 8): below it in
    expectation, k = 1 is the ELBO, more samples never loosen it, and it converges to log p(x).
    """
    return torch.logsumexp(log_weights, -1) - log(log_weights.shape[-1])


def effective_samples(log_weights: Tensor) -> Tensor:
    """How many equal weights would say as much, (sum w)^2 / sum w^2: [..., k] → [...], in [1, k] (Kong 1992)."""
    return torch.exp(2 * torch.logsumexp(log_weights, -1) - torch.logsumexp(2 * log_weights, -1))


def log_mean_density(q: Gaussian, z: Tensor) -> Tensor:
    """Log-density of codes z [k, m] under the equal mixture of the rows of q [n, m]: [k], nats.

    With the posteriors of a data set this is its aggregate posterior, log 1/n sum_j q(z|x_j). Codes are taken in parts
    of at most `PAIRS` densities.
    """
    rows = max(1, PAIRS // q.mean.numel())
    return torch.cat([log_mean_exp(q.log_prob(part.unsqueeze(1)).sum(2)) for part in z.split(rows)])


def index_code_information(q: Gaussian, z: Tensor) -> Tensor:
    """log q(z_i|x_i) - log q(z_i) at one sample z_i of each row of q [n, m]: [n], nats, at most log n.

    q(z) is the aggregate posterior of these n observations, and the expectation is their index-code mutual information
    (Hoffman & Johnson 2016, "ELBO surgery"). Unlike `decompose_kl` it is not of a batch of more data.
    """
    return q.log_prob(z).sum(1) - log_mean_density(q, z)
