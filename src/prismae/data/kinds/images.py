"""Images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.kinds._base import Kind
from prismae.data.kinds._numbers import NEW, Numbers
from prismae.data.layout import ORDER, images_first
from prismae.data.storage import Storage, of_bytes
from prismae.data.summary import Summary


@dataclass(frozen=True, kw_only=True)
class Images(Numbers):
    """Images, [n, c, h, w]; users' arrays may be [n, h, w] or [n, h, w, c] too.

    Parameters
    ----------
    axes
        What the dimensions of an observation of the user's arrays are, as in "hwc"; None: channels stand where there
        are 1, 3 or 4, else last.
    """

    axes: str | None = None

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return cls(pixels=of_bytes(data)) if len(data.shape) == 3 else None

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | ({} if self.axes is None else {"axes": self.axes})

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        return replace(super().from_json(about), axes=about.get("axes"))

    def default_net(self, shape: tuple[int, ...]) -> str:
        return "conv" if min(shape[1:]) >= 8 else super().default_net(shape)

    def default_likelihood(self, summary: Summary) -> str:
        return "bernoulli" if _in_unit(summary) else "gaussian"

    def given_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape if self.axes is None else tuple(shape[ORDER_OF[len(shape)].index(a)] for a in self.axes)

    def as_seen(self) -> Self:
        return replace(self, axes=None)

    def parts_of(self, data: Storage, kind: Kind, shape: tuple[int, ...], name: str) -> Iterator[Tensor]:
        """Grey images have the colours of a model of coloured ones, as they have in a folder of both."""
        if data.shape != (1, *shape[1:]) or shape[0] != 3 or not self.alike(kind):
            return super().parts_of(data, kind, shape, name)
        return (part.expand(-1, 3, -1, -1) for part in super().parts_of(data, kind, data.shape, name))

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        x = np.asarray(super().given_back(x, shape))
        if self.axes is not None:
            seen = ORDER_OF[x.ndim - 1]
            if "c" not in self.axes:
                x, seen = x[:, 0], seen.replace("c", "")
            return np.transpose(x, [0, *(1 + seen.index(axis) for axis in self.axes)])
        if len(shape) == 2:
            return x[:, 0]
        return x if shape == x.shape[1:] else np.moveaxis(x, 1, -1)

    def within(self, summary: Summary, support: tuple[float, float]) -> tuple[float, float]:
        return (max(support[0], 0.0), min(support[1], 1.0)) if _in_unit(summary) else support

    def _laid_out(self, x: NDArray) -> NDArray:
        return images_first(x, NEW.lower(), least=1, slender=True, axes=self.axes)


ORDER_OF = {
    3: ORDER.replace("d", ""),
    4: ORDER,
}  # the axes of an observation as a network sees it, by their number


def _in_unit(summary: Summary) -> bool:
    return summary.low >= 0 and summary.high <= 1
