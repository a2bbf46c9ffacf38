"""Images that are composed when they are drawn: sprites and layers in colours, noise around them, a smaller side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from prismae.data.storage import Storage


@dataclass(frozen=True)
class Layers:
    """Colour images [3, h, w], each a sum of masks times colours.

    Parameters
    ----------
    masks
        What layers are made of, [h, w] or [1, h, w] each in [0, 1].
    which
        int64 [n, layers] number of each layer's mask.
    colours
        uint8 [n, layers, 3], of 255.
    """

    masks: Storage
    which: Tensor
    colours: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return (3, *self.masks.shape[-2:])

    @property
    def device(self) -> torch.device:
        return self.which.device

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, indices: Tensor) -> Tensor:
        which = self.which.index_select(0, indices)
        colours = self.colours.index_select(0, indices).float().div_(255)
        masks = self.masks[which.flatten()].reshape(*which.shape, -1)  # [n, layers, h w]
        return torch.bmm(colours.transpose(1, 2), masks).view(len(indices), *self.shape)

    @property
    def nbytes(self) -> int:
        return self.masks.nbytes + self.which.nbytes + self.colours.nbytes

    def extremes(self) -> tuple[float, float]:
        """Bounds: 0, and 1 where layers do not overlap."""
        return 0.0, 1.0

    def take(self, rows: Tensor) -> Layers:
        return replace(self, which=self.which[rows], colours=self.colours[rows])

    def to(self, device: torch.device | str) -> Layers:
        return Layers(self.masks.to(device), self.which.to(device), self.colours.to(device))


@dataclass(frozen=True)
class Noisy:
    """Colour images [3, h, w]: the greater of a sprite [1, h, w] of 0 and 1, and of even noise from 0 to 1.

    The noise is a function of an observation's number in the whole, so that an image stays the same.
    """

    sprites: Storage
    rows: Tensor  # int64 [n]

    @property
    def shape(self) -> tuple[int, ...]:
        return (3, *self.sprites.shape[-2:])

    @property
    def device(self) -> torch.device:
        return self.rows.device

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, indices: Tensor) -> Tensor:
        rows = self.rows.index_select(0, indices)
        size = 3 * self.shape[1] * self.shape[2]
        places = rows.unsqueeze(1) * size + torch.arange(size, device=rows.device)
        return torch.maximum(self.sprites[rows], even_noise(places).view(len(rows), *self.shape))

    @property
    def nbytes(self) -> int:
        return self.sprites.nbytes + self.rows.nbytes

    def extremes(self) -> tuple[float, float]:
        """Bounds: 0 and 1."""
        return 0.0, 1.0

    def take(self, rows: Tensor) -> Noisy:
        return replace(self, rows=self.rows[rows])

    def to(self, device: torch.device | str) -> Noisy:
        return Noisy(self.sprites.to(device), self.rows.to(device))


@dataclass(frozen=True)
class Averaged:
    """Images [c, h, w], each the means of squares of `times` x `times` pixels of a larger one."""

    whole: Storage
    times: int

    @property
    def shape(self) -> tuple[int, ...]:
        channels, *sides = self.whole.shape
        return (channels, *(side // self.times for side in sides))

    @property
    def device(self) -> torch.device:
        return self.whole.device

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return avg_pool2d(self.whole[indices], self.times)

    @property
    def nbytes(self) -> int:
        return self.whole.nbytes

    def extremes(self) -> tuple[float, float]:
        """Bounds: those of the larger images."""
        return self.whole.extremes()

    def take(self, rows: Tensor) -> Averaged:
        return replace(self, whole=self.whole.take(rows))

    def to(self, device: torch.device | str) -> Averaged:
        return replace(self, whole=self.whole.to(device))


def even_noise(places: Tensor) -> Tensor:
    """float32 in [0, 1) for each whole number, always the same: 24 bits of a hash (two rounds of "lowbias32")."""
    x = places & 0xFFFFFFFF
    x = x ^ (places >> 32)
    for _ in range(2):
        x = x ^ (x >> 16)
        x = (x * 0x7FEB352D) & 0xFFFFFFFF
        x = x ^ (x >> 15)
        x = (x * 0x846CA68B) & 0xFFFFFFFF
        x = x ^ (x >> 16)
    return (x >> 8).float() / 2**24
