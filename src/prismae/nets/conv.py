"""Convolutional encoder and decoder for images: 32-32-64-64 at 64x64, fewer or more halvings at other sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from torch import nn

from prismae.errors import InputError
from prismae.nets._base import Net, Pair

CHANNELS = (32, 32, 64, 64)
DENSE = 256


@dataclass(frozen=True)
class Conv(Net):
    """Encoder [c, h, w] → [n_outputs] and mirrored decoder [n_latents] → [c, h, w], ReLU.

    The architecture that the disentanglement literature shares (Higgins 2017, Locatello 2019): convolutions of
    kernel 4, stride 2, padding 1, then a dense layer of 256. The image is halved until its shorter side is at most
    4 pixels; a side that does not halve evenly is restored by output padding.
    """

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        check_images("conv", shape)
        return halving(shape, n_outputs, n_latents, nn.Conv2d, nn.ConvTranspose2d)


def check_images(name: str, shape: tuple[int, ...]) -> None:
    """Refuse what are no images, or too small ones; `name` is the network's."""
    if len(shape) != 3 or min(shape[1:]) < 8:
        raise InputError(
            f"Network {name!r} needs images of at least 8x8 pixels, got observations of shape {shape}."
        )


def halving(
    shape: tuple[int, ...],
    n_outputs: int,
    n_latents: int,
    convolution: Callable[..., nn.Module],
    transposed: Callable[..., nn.Module],
) -> Pair:
    """Encoder and decoder for observations [c, *sides], of convolutions over as many dimensions as there are sides."""
    sides = [shape[1:]]
    while min(sides[-1]) > 4:
        sides.append(tuple(side // 2 for side in sides[-1]))
    channels = [shape[0], *(CHANNELS[min(i, len(CHANNELS) - 1)] for i in range(len(sides) - 1))]
    down: list[nn.Module] = []
    up: list[nn.Module] = []
    for i in range(len(sides) - 1):
        down += [convolution(channels[i], channels[i + 1], 4, stride=2, padding=1), nn.ReLU()]
        odd = tuple(side % 2 for side in sides[i])
        up = [
            nn.ReLU(),
            transposed(channels[i + 1], channels[i], 4, stride=2, padding=1, output_padding=odd),
            *up,
        ]
    return with_dense(down, up, (channels[-1], *sides[-1]), n_outputs, n_latents)


def with_dense(
    down: Sequence[nn.Module], up: Sequence[nn.Module], seen: tuple[int, ...], n_outputs: int, n_latents: int
) -> Pair:
    """Convolutions that end in features [*seen], and begin with them, with two dense layers each."""
    flat = prod(seen)
    encoder = nn.Sequential(
        *down, nn.Flatten(), nn.Linear(flat, DENSE), nn.ReLU(), nn.Linear(DENSE, n_outputs)
    )
    decoder = nn.Sequential(
        nn.Linear(n_latents, DENSE), nn.ReLU(), nn.Linear(DENSE, flat), nn.Unflatten(1, seen), *up
    )
    return encoder, decoder
