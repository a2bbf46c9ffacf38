"""Codebooks: the few values that each latent of a discrete code can take, learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Codebook(nn.Module):
    """For each latent `levels` scalars of its own, at first equally spaced from -1/2 to 1/2."""

    def __init__(self, n_latents: int, levels: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.linspace(-0.5, 0.5, levels).repeat(n_latents, 1))

    def forward(self) -> Tensor:
        """The values [n_latents, levels]."""
        return self.values


class SharedCodebook(nn.Module):
    """`levels` scalars that all latents share, at first drawn from N(0, 1)."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(levels))

    def forward(self) -> Tensor:
        """The values [levels]."""
        return self.values
