"""A decoder that adds up what each latent makes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, prod
from typing import Literal

import torch
from torch import Tensor, nn

from prismae.fields import AtLeastTwo
from prismae.nets._base import Net, Pair
from prismae.nets.mlp import stack


@dataclass(frozen=True)
class Additive(Net):
    """Fully connected encoder in-width-width-out, and a decoder that is a sum over latents, one network for all; SELU.

    Each latent has its own map from 1 to `width` numbers, all of them the layers width-width-out behind it, and the
    outputs are averaged: no latent changes what another does. DRVI: Moinfar & Theis 2024, whose networks are in
    scvi-tools; additive decoders: Lachapelle et al. 2023, arXiv:2307.02598. "logsumexp" averages in log space, for
    outputs that are logarithms: log mean exp.
    """

    width: AtLeastTwo = 256
    pooling: Literal["mean", "logsumexp"] = "mean"

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        size = prod(shape)
        encoder = nn.Sequential(nn.Flatten(), stack((size, self.width, self.width, n_outputs)))
        body = stack((self.width, self.width, size))
        return encoder, AdditiveDecoder(n_latents, self.width, body, shape, self.pooling)


class AdditiveDecoder(nn.Module):
    """Codes [batch, m] → [batch, *shape]: the mean over latents of `parts`."""

    def __init__(
        self, n_latents: int, width: int, body: nn.Module, shape: tuple[int, ...], pooling: str
    ) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.randn(n_latents, width))
        self.start = nn.Parameter(torch.randn(n_latents, width))
        self.first = nn.SELU()
        self.body, self.shape, self.pooling = body, shape, pooling

    def parts(self, z: Tensor) -> Tensor:
        """What each latent makes by itself, [batch, m, *shape]."""
        own = self.first(z.unsqueeze(-1) * self.slope + self.start)
        made: Tensor = self.body(own)
        return made.unflatten(-1, self.shape)

    def forward(self, z: Tensor) -> Tensor:
        """The mean of the parts, or the logarithm of the mean of their exponentials."""
        parts = self.parts(z)
        return parts.mean(1) if self.pooling == "mean" else parts.logsumexp(1) - log(parts.shape[1])
