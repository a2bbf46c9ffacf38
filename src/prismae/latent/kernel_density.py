"""Densities of codes by Gaussian kernels on a batch."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

LEAST = 1e-6  # added to deviations


def kernel_dependence(z: Tensor) -> Tensor:
    """KLM, the kernel estimate of how far codes z [batch, m] are from independent: a scalar, nats by name only.

    mean_i log p(z_i) - sum_j log p_j(z_ij), densities by Gaussian kernels on the batch, a code itself among them.
    Widths are a latent's deviation times Silverman's factor for m dimensions in the joint density, and the whole
    deviation in the marginal ones. Hsu et al. 2024, arXiv:2404.10282, as their code has it. It is far from 0 for
    independent codes (7 at 64 codes of 12 latents), so that only differences mean something.
    """
    batch, m = z.shape
    unit = z / (z.std(0, correction=0) + LEAST)
    squared = (unit.unsqueeze(1) - unit).square()  # [batch, batch, m]
    narrow = (4 / (m + 2)) ** (1 / (m + 4)) * batch ** (-1 / (m + 4))
    joint = torch.logsumexp(squared.sum(2) / (-2 * narrow**2), 1) - m * log(narrow)
    alone = torch.logsumexp(squared / -2, 1).sum(1)
    return (joint - alone).mean() + (m - 1) * log(batch)
