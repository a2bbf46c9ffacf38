"""How observations lie in memory: as they are, or eight binary pixels to a byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


def spaced(n: int, most: int) -> Tensor:
    """Up to `most` indices below n, evenly spaced from the first to the last: int64, by whole numbers alone."""
    k = min(n, most)
    return torch.arange(k) * (n - 1) // max(k - 1, 1)


class Storage(Protocol):
    """Observations of one shape, drawn by index on the device where they lie."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one observation."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the observations lie."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Tensor) -> Tensor:
        """Observations [len(indices), *shape] as float32; `indices` are int64 on the storage's device.

        Texts: int64 numbers of words, only as wide as the longest of them.
        """
        ...

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        ...

    def extremes(self) -> tuple[float, float]:
        """Least and greatest element of all observations, as they are drawn."""
        ...

    def take(self, rows: Tensor) -> Storage:
        """The observations of some rows (int64 on the storage's device), kept the same way."""
        ...

    def to(self, device: torch.device | str) -> Storage: ...


@dataclass(frozen=True)
class Dense:
    """float32 or uint8 observations [n, *shape]; uint8 means pixels and is scaled to [0, 1] when drawn."""

    values: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape[1:])

    @property
    def device(self) -> torch.device:
        return self.values.device

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, indices: Tensor) -> Tensor:
        drawn = self.values.index_select(0, indices)
        return drawn.float().div_(255) if drawn.dtype == torch.uint8 else drawn

    @property
    def nbytes(self) -> int:
        return self.values.nbytes

    def extremes(self) -> tuple[float, float]:
        low, high = self.values.aminmax()
        if torch.isnan(low):  # where values are missing
            seen = self.values[~self.values.isnan()]
            low, high = seen.aminmax()
        scale = 255 if self.values.dtype == torch.uint8 else 1
        return float(low.float() / scale), float(high.float() / scale)

    def take(self, rows: Tensor) -> Dense:
        return Dense(self.values[rows])

    def to(self, device: torch.device | str) -> Dense:
        return Dense(self.values.to(device))


def of_bytes(data: Storage) -> bool:
    """Whether observations are kept as pixels of 0 to 255, drawn as value / 255."""
    return isinstance(data, Dense) and data.values.dtype == torch.uint8


@dataclass(frozen=True)
class BitPacked:
    """Binary observations, eight pixels to a byte (most significant bit first, as `numpy.packbits`)."""

    packed: Tensor  # uint8 [n, ceil(prod(shape) / 8)]
    shape: tuple[int, ...]

    @property
    def device(self) -> torch.device:
        return self.packed.device

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, indices: Tensor) -> Tensor:
        rows = self.packed.index_select(0, indices)
        size = int(np.prod(self.shape))
        if rows.device.type == "cpu":  # NumPy's unpacking is the fastest there is on a CPU
            bits = torch.from_numpy(np.unpackbits(rows.numpy(), axis=1, count=size))
        else:
            places = torch.arange(7, -1, -1, device=rows.device, dtype=torch.uint8)
            bits = (rows.unsqueeze(-1) >> places & 1).flatten(1)[:, :size]
        return bits.float().view(len(indices), *self.shape)

    @property
    def nbytes(self) -> int:
        return self.packed.nbytes

    def extremes(self) -> tuple[float, float]:
        ones = np.packbits(np.ones(int(np.prod(self.shape)), np.uint8))  # what a row of ones is packed to
        full = all(int(least) >= one for least, one in zip(self.packed.amin(0), ones.tolist(), strict=True))
        return float(full), float(bool(self.packed.any()))

    def take(self, rows: Tensor) -> BitPacked:
        return BitPacked(self.packed[rows], self.shape)

    def to(self, device: torch.device | str) -> BitPacked:
        return BitPacked(self.packed.to(device), self.shape)
