"""Centring and scaling of codes, so that what is declared unchanged by scale and shift really is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FAR = 1e30  # standard deviations beyond which a point is simply far: float32 ends at 3.4e38


@dataclass(frozen=True)
class Standard:
    """Where codes lie and how widely they spread.

    Parameters
    ----------
    mean, spread
        [m] mean and standard deviation; of a constant code its value and 1, so that it becomes exactly 0.
    """

    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, codes: NDArray) -> Standard:
        """Mean and deviation of codes [n, m], or values [n], of any size: squares of tiny numbers are 0, so the range
        comes first."""
        z = codes.astype(np.float64)
        low, high = z.min(axis=0), z.max(axis=0)
        middle, half = low / 2 + high / 2, high / 2 - low / 2
        half = np.where(half > 0, half, 1.0)
        unit = (z - middle) / half
        spread = half * unit.std(axis=0)
        alive = (low < high) & (spread > 0)
        return cls(np.where(alive, middle + half * unit.mean(axis=0), low), np.where(alive, spread, 1.0))

    def __call__(self, codes: NDArray) -> Floats:
        """The codes in standard deviations from the mean, at most 1e30."""
        return np.clip((codes.astype(np.float64) - self.mean) / self.spread, -FAR, FAR)

    def narrow(self, codes: NDArray) -> NDArray[np.float32]:
        """The same in float32, which keeps seven digits of what is left after centring."""
        return np.ascontiguousarray(self(codes), dtype=np.float32)
