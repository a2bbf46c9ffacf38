"""A weight that rises, or falls, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from prismae.control._base import Controller, Moves, State, Trial, Values
from prismae.control._shapes import Shape, rise
from prismae.fields import Count, CountOrZero, NonNegative


@dataclass(frozen=True)
class Ramp(Controller):
    """From `start` to `end` over `steps` steps, after `delay` steps: annealing (Bowman et al. 2016).

    `end` is the method's own weight unless given. Limit: start = end is the method without a controller.
    """

    moves: Moves
    steps: Count = 10_000
    start: NonNegative = 0.0
    end: NonNegative | None = None  # None: the method's own weight
    shape: Shape = "linear"
    delay: CountOrZero = 0

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        (moved,) = self.moves
        end = torch.as_tensor(values[moved] if self.end is None else self.end, dtype=torch.float32)
        return {moved: self._at(0, end)}, {"end": end}

    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        (moved,) = self.moves
        return {moved: self._at(t + 1, state["end"])}, state

    def _at(self, t: int, end: Tensor) -> Tensor:
        return self.start + (end - self.start) * rise((t - self.delay) / self.steps, self.shape)
