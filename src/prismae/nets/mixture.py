"""A mixture of diagonal Gaussians with free parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prismae.latent.gaussian import Gaussian


class Mixture(nn.Module):
    """K Gaussians over codes, and their weights; at first equal weights, unit variances, means drawn from N(0, I)."""

    def __init__(self, n_components: int, n_latents: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.mean = nn.Parameter(torch.randn(n_components, n_latents))
        self.log_var = nn.Parameter(torch.zeros(n_components, n_latents))

    def forward(self) -> tuple[Gaussian, Tensor]:
        """The components [k, m], and the logarithms of their weights [k]."""
        return Gaussian(self.mean, self.log_var), self.logits.log_softmax(0)
