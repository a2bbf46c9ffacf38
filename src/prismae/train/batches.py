"""The order in which a player sees the data."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


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
            order = np.random.default_rng([*self.key, e]).permutation(self.n)
            self._epochs = {k: v for k, v in self._epochs.items() if k == e - 1}
            self._epochs[e] = torch.from_numpy(order).to(self.device)
        return self._epochs[e]
