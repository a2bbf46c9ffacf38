"""Fully connected encoder and decoder of the Gaussian-channel autoencoders (Yeats et al. 2023)."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import torch
from torch import nn

from prismae.errors import InputError

WIDTH = 1024


def mlp(
    shape: tuple[int, ...], n_outputs: int, n_latents: int, *, width: int = WIDTH
) -> tuple[nn.Module, nn.Module]:
    """Encoder shape → [n_outputs] and decoder [n_latents] → shape: in-1024-1024-512-out and its mirror, SELU.

    Another `width` takes the place of 1024, and half of it that of 512.

    Weights are Kaiming-normal with linear gain, biases zero, the encoder's last weights halved, as the authors do:
    codes start well inside the softsign's bounds.
    """
    if width < 2:
        raise InputError(f"Network 'mlp' has width {width}, expected at least 2.")
    size = prod(shape)
    widths = (width, width, width // 2)
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
