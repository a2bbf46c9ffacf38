"""Five convolutions of kernel 3 and two dense layers: the network of the HGMVAE paper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from prismae.nets._base import Net, Pair
from prismae.nets.conv import check_images, with_dense

CHANNELS = (32, 32, 64, 64, 64)


@dataclass(frozen=True)
class Conv5(Net):
    """Encoder [c, h, w] → [n_outputs] and mirrored decoder [n_latents] → [c, h, w], ReLU.

    Zhou, Liu & Du 2024, Sec. 3: five 3x3 convolutions without pooling, then two fully connected layers. Ours, as the
    paper says neither: 32-32-64-64-64 channels, and stride 2 as long as the image's shorter side is above 4, then
    stride 1; so 28x28 and 32x32 are halved three times, 64x64 four times, 128x128 five times.
    """

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        check_images("conv5", shape)
        sides = [(shape[1], shape[2])]
        for _ in CHANNELS:
            h, w = sides[-1]
            sides.append(((h + 1) // 2, (w + 1) // 2) if min(h, w) > 4 else (h, w))
        channels = (shape[0], *CHANNELS)

        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for (fan_in, fan_out), (big, small) in zip(pairwise(channels), pairwise(sides), strict=True):
            stride = 1 if big == small else 2
            restored = (big[0] - stride * (small[0] - 1) - 1, big[1] - stride * (small[1] - 1) - 1)
            down += [nn.Conv2d(fan_in, fan_out, 3, stride=stride, padding=1), nn.ReLU()]
            up = [
                nn.ReLU(),
                nn.ConvTranspose2d(fan_out, fan_in, 3, stride=stride, padding=1, output_padding=restored),
                *up,
            ]
        return with_dense(down, up, (channels[-1], *sides[-1]), n_outputs, n_latents)
