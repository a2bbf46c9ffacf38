"""The order in which a player sees the data."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data import World
from prismae.data.pieces import Pieces

POOL = 50  # batches of texts that are sorted by length together
TOGETHER = 16  # blocks of 4 MB whose rows are shuffled among each other


class Batches:
    """An endless stream of shuffled epochs, cut into batches; batch number i is always the same rows.

    Being a function of (seed, player, i), it has no state to save: a resumed run asks for the next number. A batch
    may reach over the end of an epoch, so every batch is full.
    """

    def __init__(self, n: int, batch: int, seed: int, player: int, device: torch.device) -> None:
        self.n, self.batch, self.key, self.device = n, batch, (seed, player), device
        self._epochs: dict[int, Tensor] = {}

    def __getitem__(self, i: int) -> Tensor:
        """Row indices [batch] of batch i."""
        start, stop = i * self.batch, (i + 1) * self.batch
        first, last = start // self.n, (stop - 1) // self.n
        rows = (
            torch.cat([self._epoch(e) for e in range(first, last + 1)])
            if last > first
            else self._epoch(first)
        )
        return rows[start - first * self.n : stop - first * self.n]

    def _epoch(self, e: int) -> Tensor:
        if e not in self._epochs:
            self._epochs = {k: v for k, v in self._epochs.items() if k == e - 1}
            self._epochs[e] = torch.from_numpy(self._order(e)).to(self.device)
        return self._epochs[e]

    def _order(self, e: int) -> NDArray[np.int64]:
        return np.random.default_rng([*self.key, e]).permutation(self.n)


class BucketedBatches(Batches):
    """The same for texts: batches of sentences that are about equally long, so that little of them is padding.

    In each epoch all rows are shuffled, each `POOL` batches of them are sorted by length (equals stay shuffled) and
    cut, and these batches are shuffled. What does not fill a batch waits for another epoch.
    """

    def __init__(self, lengths: Tensor, batch: int, seed: int, player: int, device: torch.device) -> None:
        n = len(lengths)
        super().__init__(max(n // batch, 1) * batch, batch, seed, player, device)
        self.lengths = lengths.cpu().numpy()

    def _order(self, e: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([*self.key, e])
        rows = np.resize(rng.permutation(len(self.lengths)), self.n)  # fewer rows than a batch are repeated
        size = POOL * self.batch
        pools = [rows[start : start + size] for start in range(0, self.n, size)]
        ordered = np.concatenate([pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools])
        return rng.permutation(ordered.reshape(-1, self.batch)).ravel()


class BlockBatches(Batches):
    """The same for observations that are read in blocks: blocks are shuffled, and the rows of some of them, a pool,
    among each other; what a batch is drawn from is kept in memory while it is drawn from."""

    def __init__(self, data: Pieces, batch: int, seed: int, player: int, device: torch.device) -> None:
        super().__init__(len(data), batch, seed, player, device)
        self.data, self._pools = data, dict[int, tuple[NDArray[np.int64], list[NDArray[np.int64]]]]()

    def _order(self, e: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([*self.key, e])
        blocks = self.data.blocks()
        first = np.diff(blocks, prepend=-1) > 0
        own = blocks[first]  # those that have rows
        order = rng.permutation(len(own))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))  # where in this order each block stands
        at = place[np.cumsum(first) - 1]
        rows = np.argsort(
            at, kind="stable"
        )  # block after block; not an array of each, of which there may be many
        ends = np.cumsum(np.bincount(at // TOGETHER))
        for part in np.split(rows, ends[:-1]):
            part[:] = rng.permutation(part)
        named = [np.sort(own[order[i : i + TOGETHER]]) for i in range(0, len(order), TOGETHER)]
        self._pools = {k: v for k, v in self._pools.items() if k == e - 1}
        self._pools[e] = ends, named
        return rows

    def __getitem__(self, i: int) -> Tensor:
        rows = super().__getitem__(i)
        start, stop = i * self.batch, (i + 1) * self.batch
        wanted: dict[tuple[int, int], NDArray[np.int64]] = {}
        for e in range(start // self.n, (stop - 1) // self.n + 1):
            ends, named = self._pools[e]
            first = np.searchsorted(ends, max(0, start - e * self.n), side="right")
            last = np.searchsorted(ends, min(self.n, stop - e * self.n) - 1, side="right")
            wanted |= {(e, int(p)): named[p] for p in range(first, last + 1)}
        self.data.hold(self.key[1], wanted)
        return rows


def batches_of(world: World, batch: int, seed: int, player: int, device: torch.device) -> Batches:
    """The stream of a player for a world: by length where its kind of data has lengths."""
    if isinstance(world.data, Pieces):
        return BlockBatches(world.data, batch, seed, player, device)
    lengths = world.kind.lengths(world.data)
    if lengths is None:
        return Batches(len(world), batch, seed, player, device)
    return BucketedBatches(lengths, batch, seed, player, device)
