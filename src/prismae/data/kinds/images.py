"""Images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.data.kinds._base import Numbers
from prismae.data.storage import Storage, of_bytes
from prismae.data.summary import Summary


@dataclass(frozen=True, kw_only=True)
class Images(Numbers):
    """Images, [n, c, h, w]; users' arrays may be [n, h, w] or [n, h, w, c] too."""

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return cls(pixels=of_bytes(data)) if len(data.shape) == 3 else None

    def default_net(self, shape: tuple[int, ...]) -> str:
        return "conv" if min(shape[1:]) >= 8 else super().default_net(shape)

    def default_likelihood(self, summary: Summary) -> str:
        return "bernoulli" if _in_unit(summary) else "gaussian"

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        x = np.asarray(super().given_back(x, shape))
        if len(shape) == 2:
            return x[:, 0]
        return x if shape == x.shape[1:] else np.moveaxis(x, 1, -1)

    def within(self, summary: Summary, support: tuple[float, float]) -> tuple[float, float]:
        return (max(support[0], 0.0), min(support[1], 1.0)) if _in_unit(summary) else support


def _in_unit(summary: Summary) -> bool:
    return summary.low >= 0 and summary.high <= 1
