"""Predictors of each latent from all others."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import selu

from prismae.nets.critics import GroupedLinear


class Predictors(nn.Module):
    """m networks m-width-width-1 with SELU; the i-th sees a code with its i-th column set to 0, and predicts it."""

    def __init__(self, n_latents: int, width: int) -> None:
        super().__init__()
        m = n_latents
        self.layers = nn.ModuleList(
            [GroupedLinear(m, m, width), GroupedLinear(m, width, width), GroupedLinear(m, width, 1)]
        )

    def forward(self, z: Tensor) -> Tensor:
        """Predictions [batch, m] of the columns of z [batch, m]."""
        others = 1 - torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        first, second, last = self.layers
        rows = selu(second(selu(first(z * others.unsqueeze(1)))))
        return last(rows).squeeze(2).T
