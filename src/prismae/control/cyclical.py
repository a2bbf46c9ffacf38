"""A weight that rises again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from prismae.control._base import Controller, Moves, State, Trial, Values
from prismae.control._shapes import Shape, rise
from prismae.fields import Count, Fraction, NonNegative


@dataclass(frozen=True)
class Cyclical(Controller):
    """Cyclical annealing. Fu et al. 2019, arXiv:1903.10145.

    In each of `cycles` periods of `period` steps the weight goes from `start` to `end` over the first `ramp` of the
    period and then stays; after the last period it stays at `end`, the method's own weight unless given.
    Limit: cycles = 1 and ramp = 0, one flat cycle, is the method without a controller.
    """

    moves: Moves
    period: Count = 2500  # steps; the authors have 4 cycles in a training
    cycles: Count = 4
    ramp: Fraction = 0.5  # share of a period in which the weight rises
    start: NonNegative = 0.0
    end: NonNegative | None = None  # None: the method's own weight
    shape: Shape = "linear"

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        (moved,) = self.moves
        end = torch.as_tensor(values[moved] if self.end is None else self.end, dtype=torch.float32)
        return {moved: self._at(0, end)}, {"end": end}

    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        (moved,) = self.moves
        return {moved: self._at(t + 1, state["end"])}, state

    def _at(self, t: int, end: Tensor) -> Tensor:
        rising = self.ramp * self.period
        if t >= self.cycles * self.period or rising == 0:
            return end
        return self.start + (end - self.start) * rise(t % self.period / rising, self.shape)
