"""Convolutional encoder and decoder for series: as many halvings as the length allows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from prismae.errors import InputError
from prismae.nets._base import Net, Pair
from prismae.nets.conv import CHANNELS, DENSE


@dataclass(frozen=True)
class Conv1d(Net):
    """Encoder [c, length] → [n_outputs] and mirrored decoder [n_latents] → [c, length], ReLU; [length] is one channel.

    `conv` for series: convolutions of kernel 4, stride 2, padding 1 halve the length until it is at most 8, then
    follows a dense layer of 256. A length that does not halve evenly is restored by output padding.
    """

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        if len(shape) not in (1, 2) or shape[-1] < 16:
            raise InputError(
                f"Network 'conv1d' needs series of at least 16 values, got observations of shape {shape}."
            )
        lengths = [shape[-1]]
        while lengths[-1] > 8:
            lengths.append(lengths[-1] // 2)
        channels = [
            1 if len(shape) == 1 else shape[0],
            *(CHANNELS[min(i, len(CHANNELS) - 1)] for i in range(len(lengths) - 1)),
        ]
        flat = channels[-1] * lengths[-1]

        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for i in range(len(lengths) - 1):
            down += [nn.Conv1d(channels[i], channels[i + 1], 4, stride=2, padding=1), nn.ReLU()]
            up = [
                nn.ReLU(),
                nn.ConvTranspose1d(
                    channels[i + 1], channels[i], 4, stride=2, padding=1, output_padding=lengths[i] % 2
                ),
                *up,
            ]
        encoder = nn.Sequential(
            *([nn.Unflatten(1, (1, shape[0]))] if len(shape) == 1 else []),
            *down,
            nn.Flatten(),
            nn.Linear(flat, DENSE),
            nn.ReLU(),
            nn.Linear(DENSE, n_outputs),
        )
        decoder = nn.Sequential(
            nn.Linear(n_latents, DENSE),
            nn.ReLU(),
            nn.Linear(DENSE, flat),
            nn.Unflatten(1, (channels[-1], lengths[-1])),
            *up,
            *([nn.Flatten()] if len(shape) == 1 else []),
        )
        return encoder, decoder
