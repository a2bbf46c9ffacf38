"""Volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from prismae.data.kinds.images import Images
from prismae.data.storage import Storage, of_bytes

LEAST = 8  # points of the shortest side, below which there is nothing to slide over


@dataclass(frozen=True, kw_only=True)
class Volumes(Images):
    """Volumes, [n, c, d, h, w]; users' arrays may be [n, d, h, w] or have their axes in another order too."""

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return cls(pixels=of_bytes(data)) if len(data.shape) == 4 else None

    def default_net(self, shape: tuple[int, ...]) -> str:
        return "conv3d" if min(shape[1:]) >= LEAST else super().default_net(shape)
