"""The aggregate posterior q(z) = E_x q(z|x), and the parts of the KL that it splits, from one batch.

Densities of q(z) are weighted sums of the batch's own posteriors, ``q(z_i) ≈ sum_j w_ij q(z_i | x_j)``. What the
weights are is the whole difference between the estimators; see `log_weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log
from typing import Literal

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from prismae.errors import InputError
from prismae.latent.gaussian import Gaussian

Estimator = Literal["stratified", "weighted", "leave-one-out"]

PAIRS = 2**20  # densities of a sample under another's posterior that are in memory at once: 4 MB in float32


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


@lru_cache(maxsize=4)  # the same at every step, and a copy to a GPU would make each of them wait
def _placed_weights(
    batch: int, n_data: int, estimator: Estimator, dtype: torch.dtype, device: torch.device
) -> Tensor:
    return log_weights(batch, n_data, estimator).to(device, dtype)


def log_aggregates(
    q: Gaussian, z: Tensor, n_data: int, sizes: Sequence[int], estimator: Estimator
) -> tuple[Tensor, ...]:
    """Log-densities of q(z) over each group of consecutive dimensions, for several sizes: [batch, groups] each, nats.

    Size m is the joint log q(z), size 1 the marginals log q(z_d); a last group may be smaller. There are batch x
    batch x m densities, computed once; above `PAIRS` of them samples are taken in parts, whose densities are computed
    again for the gradient instead of being kept.
    """
    weights = _placed_weights(len(z), n_data, estimator, z.dtype, z.device)

    def part(z: Tensor, weights: Tensor, mean: Tensor, log_var: Tensor) -> tuple[Tensor, ...]:
        pairs = Gaussian(mean, log_var).log_prob(z.unsqueeze(1))  # z_i under q_j
        return tuple(torch.logsumexp(weights.unsqueeze(2) + _group_sums(pairs, size), 1) for size in sizes)

    rows = max(1, PAIRS // q.mean.numel())
    if len(z) <= rows:
        return part(z, weights, q.mean, q.log_var)
    parts = [
        checkpoint(part, *each, q.mean, q.log_var, use_reentrant=False, preserve_rng_state=False)
        for each in zip(z.split(rows), weights.split(rows), strict=True)
    ]
    return tuple(torch.cat(each) for each in zip(*parts, strict=True))


def _group_sums(pairs: Tensor, size: int) -> Tensor:
    """Sums over each `size` consecutive entries of the last of three axes; a last group may be smaller."""
    groups, rest = divmod(pairs.shape[2], size)
    whole, last = pairs.split([groups * size, rest], 2)
    sums = whole.unflatten(2, (groups, size)).sum(3)
    return sums if rest == 0 else torch.cat([sums, last.sum(2, keepdim=True)], 2)


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
    mi, tc, _, dwkl = decompose_kl_by_groups(q, z, n_data, 1, estimator)
    return mi, tc, dwkl


def decompose_kl_by_groups(
    q: Gaussian, z: Tensor, n_data: int, size: int, estimator: Estimator = "stratified"
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The KL's parts over two levels, groups of `size` consecutive latents and single latents (Esmaeili et al. 2019):
    each [batch], nats.

    Returns
    -------
    mi
        Index-code mutual information, log q(z|x) - log q(z).
    tc
        Total correlation between groups, log q(z) - sum_g log q(z_g).
    inner_tc
        Total correlation inside groups, sum_g [log q(z_g) - sum_{d in g} log q(z_d)]; 0 for size = 1.
    dwkl
        Dimension-wise KL, sum_d [log q(z_d) - log p(z_d)].
    """
    joint, groups, singles = (
        each.sum(1) for each in log_aggregates(q, z, n_data, (z.shape[1], size, 1), estimator)
    )
    mi = q.log_prob(z).sum(1) - joint
    return mi, joint - groups, groups - singles, singles - standard_log_prob(z).sum(1)


def standard_log_prob(z: Tensor) -> Tensor:
    """Log-density of N(0, 1) at each element of z, nats."""
    zero = torch.zeros((), dtype=z.dtype, device=z.device)
    return Gaussian(zero, zero).log_prob(z)


def permute_columns(z: Tensor) -> Tensor:
    """z [batch, m] with each column shuffled over the batch by itself: samples of the product of marginals."""
    return z.gather(0, torch.rand_like(z).argsort(0))
