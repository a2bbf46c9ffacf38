"""The aggregate posterior q(z) = E_x q(z|x), and the parts of the KL that it splits, from one batch.

Densities of q(z) are weighted sums of the batch's own posteriors, ``q(z_i) ≈ sum_j w_ij q(z_i | x_j)``. What the
weights are is the whole difference between the estimators; see `log_weights`.
"""

from __future__ import annotations

from math import log
from typing import Literal

import torch
from torch import Tensor

from prismae.errors import InputError
from prismae.latent.gaussian import Gaussian

Estimator = Literal["stratified", "weighted", "leave-one-out"]


def log_weights(batch: int, n_data: int, estimator: Estimator) -> Tensor:
    """Log-weights [batch, batch] of the batch's posteriors (columns) in the estimate of q(z_i) (rows).

    With N = n_data and M = batch - 1:

    - "stratified" (Chen et al. 2018, appendix C.2): the sample's own column 1/N, one other (N - M) / (N M), the rest
      1/M. Rows sum to 1. The own column is the *diagonal*: the authors' code and its copies fill column 0.
    - "leave-one-out" (Esmaeili et al. 2019): own column 1/N, every other (N - 1) / (N M). Rows sum to 1.
    - "weighted" (Chen et al. 2018, Eq. 5): 1 / (N batch) everywhere. Rows sum to 1/N, so log-densities are far too
      low: their gradient may be used, but their value must not be read, nor given to a controller.
    """
    others = batch - 1
    if estimator == "weighted":
        return torch.full((batch, batch), -log(n_data * batch))
    if not 1 <= others <= n_data:
        raise InputError(
            f"The decomposition of the KL needs batches of 2 to {n_data + 1} of the {n_data} observations, "
            f"got {batch}."
        )
    if estimator == "leave-one-out":
        weights = torch.full((batch, batch), (n_data - 1) / (n_data * others))
    else:
        weights = torch.full((batch, batch), 1 / others)
        rows = torch.arange(batch)
        weights[rows, (rows + 1) % batch] = (n_data - others) / (n_data * others)
    weights.fill_diagonal_(1 / n_data)
    return weights.log()


def log_aggregate(q: Gaussian, z: Tensor, n_data: int, size: int, estimator: Estimator) -> Tensor:
    """Log-density of q(z) over each group of `size` consecutive dimensions: [batch, groups], nats.

    size = m is the joint log q(z), size = 1 the marginals log q(z_d); a last group may be smaller.
    Takes batch x batch x m numbers of memory.
    """
    pairs = Gaussian(q.mean.unsqueeze(0), q.log_var.unsqueeze(0)).log_prob(z.unsqueeze(1))  # z_i under q_j
    groups = torch.stack([group.sum(2) for group in pairs.split(size, 2)], 2)
    weights = log_weights(len(z), n_data, estimator).to(groups)
    return torch.logsumexp(weights.unsqueeze(2) + groups, 1)


def decompose_kl(
    q: Gaussian, z: Tensor, n_data: int, estimator: Estimator = "stratified"
) -> tuple[Tensor, Tensor, Tensor]:
    """The KL's three parts (Chen et al. 2018, Eq. 2) at samples z [batch, m] of q: each [batch], nats.

    Returns
    -------
    mi
        Index-code mutual information, log q(z|x) - log q(z).
    tc
        Total correlation, log q(z) - sum_d log q(z_d).
    dwkl
        Dimension-wise KL, sum_d [log q(z_d) - log p(z_d)].

    Their sum is log q(z|x) - log p(z) sample by sample, whatever the estimator. Each part is biased in small
    batches; the stratified total correlation of independent codes is below 0 there.
    """
    joint = log_aggregate(q, z, n_data, z.shape[1], estimator).squeeze(1)
    marginals = log_aggregate(q, z, n_data, 1, estimator).sum(1)
    mi = q.log_prob(z).sum(1) - joint
    return mi, joint - marginals, marginals - standard_log_prob(z).sum(1)


def standard_log_prob(z: Tensor) -> Tensor:
    """Log-density of N(0, 1) at each element of z, nats."""
    zero = torch.zeros((), dtype=z.dtype, device=z.device)
    return Gaussian(zero, zero).log_prob(z)


def permute_columns(z: Tensor) -> Tensor:
    """z [batch, m] with each column shuffled over the batch by itself: samples of the product of marginals."""
    return z.gather(0, torch.rand_like(z).argsort(0))
