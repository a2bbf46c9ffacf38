"""Convolutional encoder and decoder for volumes: `conv` with one dimension more."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from prismae.errors import InputError
from prismae.nets._base import Net, Pair
from prismae.nets.conv import halving


@dataclass(frozen=True)
class Conv3d(Net):
    """Encoder [c, d, h, w] → [n_outputs] and mirrored decoder [n_latents] → [c, d, h, w], ReLU.

    As `conv`: convolutions of kernel 4, stride 2, padding 1 with 32, 32, 64, 64 … channels halve all sides until the
    shortest is at most 4, then a dense layer of 256. A side that does not halve evenly is restored by output padding.
    """

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        if len(shape) != 4 or min(shape[1:]) < 8:
            raise InputError(
                f"Network 'conv3d' needs volumes of at least 8x8x8 points, got observations of shape {shape}."
            )
        return halving(shape, n_outputs, n_latents, nn.Conv3d, nn.ConvTranspose3d)
