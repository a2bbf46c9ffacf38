"""Incremental PI control of a weight by the moving average of its own term (DynamicVAE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from prismae.control._base import Controller, Moves, State, Trial, Values
from prismae.control._shapes import check_stairs, stairs
from prismae.errors import InputError
from prismae.fields import Count, CountOrZero, NonNegative


@dataclass(frozen=True)
class IncrementalPI(Controller):
    """Incremental PI control. Shao et al. 2020, "DynamicVAE", arXiv:2009.06795.

    With e = target - mean of the term's last `window` values (nats) and s(e) = 1 / (1 + exp(e)):
    ``weight ← weight + kp (s(e_t) - s(e_{t-1})) - ki e_t``, not below `low`; the weight starts at the method's own.
    Hybrid annealing of the target: from `target_start`, after each `target_every` steps it rises by `target_step`
    over `target_ramp` steps and then holds, until `target`.

    Ours  At the floor the integral step is dropped only where it would push further down. e_{-1} = 0.
    """

    kinds: ClassVar[tuple[str, ...]] = ("weight",)

    moves: Moves
    target: NonNegative = 20.0  # nats
    kp: NonNegative = 0.01
    ki: NonNegative = 0.005
    low: NonNegative = 0.1
    window: Count = 5  # T, values of the term in the moving average
    target_start: NonNegative | None = None  # None: the target is constant; the authors' 0.5
    target_step: NonNegative = 0.15
    target_every: Count = 6000
    target_ramp: CountOrZero = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_stairs(self.name(), self.target_start, self.target)
        if self.target_start is not None and self.target_ramp > self.target_every:
            raise InputError(
                f"{self.name()}: target_ramp should be at most target_every, got {self.target_ramp} > "
                f"{self.target_every}: the target would never climb a whole target_step."
            )

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        (moved,) = self.moves
        weight = torch.as_tensor(values[moved], dtype=torch.float32)
        return {moved: weight}, {
            "seen": weight.new_zeros(self.window),
            "previous": weight.new_tensor(0.5),  # s(0)
            "weight": weight,
        }

    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        (moved,) = self.moves
        start = self.target if self.target_start is None else self.target_start
        target = stairs(t, start, self.target, self.target_step, self.target_every, self.target_ramp)
        term = means[moved].float()
        seen = torch.cat([state["seen"][1:], term.reshape(1)])
        error = target - seen.sum() / min(t + 1, self.window)
        proportional = torch.sigmoid(-error)
        before = state["weight"]
        integral = torch.where((before <= self.low) & (error > 0), 0.0, self.ki * error)
        weight = (before + self.kp * (proportional - state["previous"]) - integral).clamp(min=self.low)
        return {moved: weight}, {"seen": seen, "previous": proportional, "weight": weight}
