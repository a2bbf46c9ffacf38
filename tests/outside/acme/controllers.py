"""A controller: moves one of a run's values while it trains."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from prismae.control import Controller, Moves, Trial
from prismae.fields import Count, Fraction


@dataclass(frozen=True)
class Decay(Controller):
    """A weight that keeps a fraction of itself in every so many steps."""

    moves: Moves
    kept: Fraction = 0.5
    every: Count = 100  # steps

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[dict, dict[str, Tensor]]:
        (name,) = self.moves
        value = torch.as_tensor(values[name], dtype=torch.float32)
        return {name: value}, {"value": value}

    def step(
        self, state: dict[str, Tensor], means: Mapping[str, Tensor], t: int, trial: Trial
    ) -> tuple[dict, dict[str, Tensor]]:
        (name,) = self.moves
        value = state["value"] * self.kept ** (1 / self.every)
        return {name: value}, {"value": value}
