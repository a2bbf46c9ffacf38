"""Fully connected encoder and decoder of the Gaussian-channel autoencoders (Yeats et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import nn

from prismae.fields import AtLeastTwo
from prismae.nets._base import Net, Pair


@dataclass(frozen=True)
class MLP(Net):
    """Encoder and decoder of fully connected layers: in-1024-1024-512-out and its mirror, SELU.

    Weights are Kaiming-normal with linear gain, biases zero, the encoder's last weights halved, as the authors do:
    codes start well inside the softsign's bounds.
    """

    width: AtLeastTwo = 1024  # of the two outer layers; the third has half of it

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        size = prod(shape)
        widths = (self.width, self.width, self.width // 2)
        encoder = stack((size, *widths, n_outputs))
        decoder = stack((n_latents, *reversed(widths), size))
        last = encoder[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.weight.div_(2)
        return nn.Sequential(nn.Flatten(), encoder), nn.Sequential(decoder, nn.Unflatten(1, shape))


def stack(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers of the given widths with SELU between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        linear = nn.Linear(fan_in, fan_out)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.SELU()]
    return nn.Sequential(*layers[:-1])
