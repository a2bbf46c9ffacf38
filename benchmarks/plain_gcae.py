"""GCAE's critic and latent losses as a plain loop over latents: the reference for tests and benchmarks.

Written for clarity, with the waste that a first implementation has: every swapped row is built and passed through
the whole critic, latent by latent, and autograd keeps all activations.
"""

from __future__ import annotations

from math import log

import torch
import torch.nn.functional as F
from torch import Tensor

from prismae.nets.critics import ConditionalCritics


def logit(critics: ConditionalCritics, i: int, rows: Tensor) -> Tensor:
    """Critic i on rows [n, m]: [n]."""
    for place, layer in enumerate(critics.layers):
        own = i if len(layer.weight) > 1 else 0
        rows = F.linear(rows if place == 0 else F.selu(rows), layer.weight[own], layer.bias[own])
    return rows.squeeze(-1)


def swap(z: Tensor, i: int, values: Tensor) -> Tensor:
    """Copies of z [b, m] with column i set to values [s, b]: [s * b, m]."""
    rows = z.repeat(len(values), 1)
    column = F.one_hot(torch.tensor(i), z.shape[1]).to(z)
    return rows * (1 - column) + values.reshape(-1, 1) * column


def critic_loss(critics: ConditionalCritics, z: Tensor, swaps: Tensor) -> Tensor:
    """Cross-entropy of real rows against swapped ones; swaps [m, copies, batch]."""
    loss = z.new_zeros(())
    for i in range(z.shape[1]):
        real = logit(critics, i, z)
        fake = logit(critics, i, swap(z, i, swaps[i]))
        loss = loss + F.binary_cross_entropy_with_logits(real, torch.ones_like(real), reduction="sum")
        loss = loss + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake), reduction="sum")
    return loss / (len(z) * (1 + swaps.shape[1]))


def dependence(critics: ConditionalCritics, z: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Information [m] and marginal entropy [m] of the latents at nodes u [m, s]."""
    information, entropy = [], []
    c, b = critics.copies, critics.bound
    for i in range(z.shape[1]):
        rows = swap(z, i, u[i].unsqueeze(1).expand(-1, len(z)))
        log_rho = logit(critics, i, rows).view(u.shape[1], len(z)) + log(c / (2 * b))
        rho = log_rho.exp()
        marginal = rho.mean(1)
        ratio = (log_rho - marginal.log().unsqueeze(1)).clamp(-5, 5).detach()
        information.append((2 * b * rho * ratio).mean())
        plogp = torch.where(marginal < 0.01, 0.0, marginal * marginal.log())
        entropy.append(-(2 * b * plogp).mean().detach())
    return torch.stack(information), torch.stack(entropy)
