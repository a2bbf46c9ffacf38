"""Observations that are too many to be kept in memory: read in blocks, some of which are kept while they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.rows import Rows

BLOCK = 1 << 22  # bytes of rows that are read together


@dataclass(frozen=True)
class Pool:
    """Rows of some blocks, in memory: `blocks` rising, `values` those of one after the other."""

    blocks: NDArray[np.int64]
    values: NDArray


@dataclass(frozen=True, eq=False)
class Pieces:
    """Observations that stay where they are and are read when they are drawn, as float32 or bytes (drawn as / 255).

    Parameters
    ----------
    source
        The rows, as they were given.
    become
        What makes of some of them what would be kept in memory: float32 or uint8 [k, *shape].
    shape
        Shape of one observation.
    mean, std, low, high
        Statistics of all elements of all observations, as they are drawn.
    rows
        Which rows of the source these observations are; None: all.
    held
        For each player of a training the pools that it draws from.
    """

    source: Rows
    become: Callable[[NDArray], NDArray]
    shape: tuple[int, ...]
    mean: float
    std: float
    low: float
    high: float
    rows: NDArray[np.int64] | None = None
    device: torch.device = torch.device("cpu")  # noqa: RUF009  # immutable
    held: dict[Any, dict[Any, Pool]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.source) if self.rows is None else len(self.rows)

    @property
    def block(self) -> int:
        """Rows in a block: 4 MB, in whole chunks of the file."""
        return block_of(self.source)

    @property
    def nbytes(self) -> int:
        """Bytes that they would take in memory."""
        return len(self) * self.source.kept // max(1, len(self.source))

    def blocks(self) -> NDArray[np.int64]:
        """[n] the block that each observation is in, rising."""
        rows = np.arange(len(self.source)) if self.rows is None else self.rows
        return rows // self.block

    def hold(self, player: Any, wanted: Mapping[Any, NDArray[np.int64]]) -> None:
        """Keep these pools, and no others, for a player: the blocks of each, rising, by the pool's name."""
        there = self.held.get(player, {})
        self.held[player] = {name: pool for name, pool in there.items() if name in wanted}
        for name, blocks in wanted.items():
            if name not in self.held[player]:
                self.held[player][name] = Pool(blocks, self._of_blocks(blocks))

    def _of_blocks(self, blocks: NDArray[np.int64]) -> NDArray:
        size, n = self.block, len(self.source)
        dtype = self.become(np.zeros((1, *self.source.shape[1:]), self.source.dtype)).dtype
        ends = np.minimum((blocks + 1) * size, n)
        values = np.empty((int((ends - blocks * size).sum()), *self.shape), dtype)
        at = 0
        for start, stop in zip((blocks * size).tolist(), ends.tolist(), strict=True):
            values[at : at + stop - start] = self.become(self.source[start:stop])
            at += stop - start
        return values

    def __getitem__(self, indices: Tensor) -> Tensor:
        places = indices.cpu().numpy()
        rows = places if self.rows is None else self.rows[places]
        blocks = rows // self.block
        touched = np.unique(blocks)
        pools = [pool for own in self.held.values() for pool in own.values()]
        known = np.concatenate([np.empty(0, np.int64), *(pool.blocks for pool in pools)])
        if not np.isin(touched, known).all():
            if len(touched) > 2:
                return self._drawn(self.become(self.source[rows]))
            self.hold(None, {tuple(touched): touched})
            pools = [*self.held[None].values()]
        values = np.empty((len(rows), *self.shape), pools[0].values.dtype if pools else np.float32)
        for pool in pools:
            inside = np.isin(blocks, pool.blocks)
            at = np.searchsorted(pool.blocks, blocks[inside]) * self.block + rows[inside] % self.block
            values[inside] = pool.values[at]
        return self._drawn(values)

    def _drawn(self, values: NDArray) -> Tensor:
        drawn = torch.from_numpy(values).to(self.device)
        return drawn.float().div_(255) if drawn.dtype == torch.uint8 else drawn

    def extremes(self) -> tuple[float, float]:
        return self.low, self.high

    def take(self, rows: Tensor) -> Pieces:
        chosen = rows.cpu().numpy()
        return replace(self, rows=chosen if self.rows is None else self.rows[chosen], held={})

    def to(self, device: torch.device | str) -> Pieces:
        return replace(self, device=torch.device(device))


def block_of(rows: Rows) -> int:
    """Rows of a block of BLOCK bytes, in whole chunks of the file."""
    n = max(1, BLOCK // max(1, 4 * prod(rows.shape[1:])))
    return -(-n // rows.at_once) * rows.at_once
