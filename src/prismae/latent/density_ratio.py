"""Densities of codes from critics, by the density-ratio trick (Yeats et al. 2023, arXiv:2302.04362).

A critic D tells a code z from `copies` copies of it whose i-th column was drawn anew from Uniform(-bound, bound).
At its optimum, p(z_i | z_rest) = copies / (2 bound) * D / (1 - D) = copies / (2 bound) * exp(logit).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, log, pi, sqrt
from typing import Literal

import torch
from torch import Tensor

LOG_RATIO_LIMIT = 5.0  # nats; the authors clamp the log ratio of conditional to marginal density
DENSITY_FLOOR = 0.01  # below it a marginal density counts as empty in the entropy
DENSITY_SLACK = (
    2.0  # nats by which a critic may err beyond the highest density that can be, before it is held there
)


def uniform_nodes(
    m: int, n_nodes: int, bound: float, rule: Literal["independent", "stratified"], like: Tensor
) -> Tensor:
    """Draw nodes on (-bound, bound) for a Monte Carlo integral per latent: [m, n_nodes].

    "independent": i.i.d. uniforms (the paper's). "stratified": one uniform in each of n_nodes equal cells, which
    has the same mean and a smaller variance.
    """
    u = torch.rand(m, n_nodes, dtype=like.dtype, device=like.device)
    if rule == "stratified":
        u = (u + torch.arange(n_nodes, dtype=like.dtype, device=like.device)) / n_nodes
    return bound * (2 * u - 1)


@dataclass(frozen=True)
class NodeSums:
    """Sums over the nodes of one block, and the derivative of `information` with respect to the logits.

    information
        [...], sum over nodes and batch mean of 2b rho clamp(log rho - log M), nats times the number of nodes.
    entropy
        [...], minus the sum over nodes of 2b M log M, nats times the number of nodes.
    slope
        [..., s, batch], d information / d logit. The clamped log ratio carries no gradient, so this is
        2b rho clamp(...) / batch.
    """

    information: Tensor
    entropy: Tensor
    slope: Tensor


def highest_log_density(sigma: Tensor) -> Tensor:
    """Log of 1 / (sigma sqrt(2 pi)), which no density of a code with Gaussian noise exceeds, whatever it depends on.

    A density of z + sigma eps is a mean of Gaussian densities of deviation sigma. Without noise there is no limit: inf.
    """
    return -(sigma * sqrt(2 * pi)).log()


def node_sums(logits: Tensor, copies: int, bound: float, highest: Tensor | None = None) -> NodeSums:
    """From critic logits [..., s, batch] at s nodes to the sums behind entropy and dependence.

    rho = copies / 2b exp(logit) is the conditional density at a node for each sample, M its batch mean (the
    marginal density). The density comes from exp(logit): D / (1 - D) of a sigmoid is infinite above a logit of 16.

    `highest` is what log rho can be, [..., 1, 1]. A critic that has lost its way gives densities of e^1000, and with
    them infinities; rho is held at e^2 times what can be, a limit that sampling errors of critics in order do not
    reach, and keeps its slope there, which leads back.
    """
    log_rho = logits + log(copies / (2 * bound))
    if highest is not None:
        log_rho = torch.minimum(log_rho, highest + DENSITY_SLACK)
    rho = log_rho.exp()
    marginal = rho.mean(-1, keepdim=True)
    log_marginal = marginal.log()
    ratio = (log_rho - log_marginal).clamp_(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)
    slope = rho.mul_(ratio).mul_(2 * bound / logits.shape[-1])
    density = marginal.squeeze(-1)
    plogp = torch.where(density < DENSITY_FLOOR, 0.0, density * log_marginal.squeeze(-1))
    return NodeSums(slope.sum((-2, -1)), -2 * bound * plogp.sum(-1), slope)


def excess_entropy_power(information: Tensor, entropy: Tensor) -> Tensor:
    """Dependence of each latent on the others, weighted by its entropy power: I exp(2h) / (2 pi e), [m].

    The weight carries no gradient. The paper's form; the authors' code divides by pi e, twice this value.
    """
    return information * (2 * entropy.detach()).exp() / (2 * pi * e)


def histogram_entropy(z: Tensor, bound: float, bins: int = 30) -> Tensor:
    """Differential entropy of each column of z [batch, m] from a histogram on (-bound, bound): [m], nats.

    Biased downwards for small batches, and without gradient.
    """
    cells = ((z.detach() + bound) * (bins / (2 * bound))).long().clamp_(0, bins - 1)
    counts = torch.zeros(bins, z.shape[1], dtype=z.dtype, device=z.device)
    counts.scatter_add_(0, cells, torch.ones_like(z))
    p = counts / z.shape[0]
    return -torch.xlogy(p, p).sum(0) + log(2 * bound / bins)
