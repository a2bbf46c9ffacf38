"""Mixtures of diagonal Gaussians over codes: with free parameters, and given by networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from prismae.latent.gaussian import Gaussian
from prismae.nets.critics import GroupedLinear


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


class ComponentNets(nn.Module):
    """K networks with one hidden layer (ReLU); the k-th maps its own latent z_k and all weights w to a Gaussian.

    At first the Gaussians' means are near K draws from N(0, I): components that start alike stay alike.
    """

    def __init__(self, n_components: int, z_latents: int, n_latents: int, width: int) -> None:
        super().__init__()
        self.hidden = GroupedLinear(n_components, z_latents + n_components, width)
        self.last = GroupedLinear(n_components, width, 2 * n_latents)
        with torch.no_grad():
            self.last.weight.mul_(0.3)
            self.last.bias[:, :n_latents].normal_()

    def forward(self, z: Tensor, w: Tensor) -> Gaussian:
        """z [batch, k, d] and w [batch, k] → components [batch, k, m]."""
        inputs = torch.cat([z, w.unsqueeze(1).expand(-1, z.shape[1], -1)], 2).transpose(0, 1)
        return Gaussian.from_parameters(self.last(relu(self.hidden(inputs))).transpose(0, 1))
