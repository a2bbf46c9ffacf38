"""PI control of a weight by the value of its own term (ControlVAE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch
from torch import Tensor

from prismae.control._base import Controller, Moves, State, Trial, Values
from prismae.control._shapes import check_stairs, stairs
from prismae.errors import InputError
from prismae.fields import Count, NonNegative


@dataclass(frozen=True)
class PI(Controller):
    """Non-linear PI control. Shao et al. 2020, "ControlVAE", arXiv:2004.05988, Algorithm 1.

    With e = target - term (nats): ``P = kp / (1 + exp(e))``, ``I ← I - ki e``, and the weight is
    ``P + I + low``, kept between `low` and `high`. The target climbs from `target_start` by `target_step` after each
    `target_every` steps. The weight after step t comes from the term of step t and is used at t + 1.

    Ours  Anti-windup: I is kept where the weight is at a bound and e would push it further out. (The authors' public
    image and text code tests a condition that can never be true.) I starts so that the weight starts at the method's
    own.
    """

    kinds: ClassVar[tuple[str, ...]] = ("weight",)

    moves: Moves
    target: NonNegative = (
        18.0  # nats; the authors' 16 or 18 on dSprites, 170 to 200 for images, 1.5 to 3 for text
    )
    kp: NonNegative = 0.01
    ki: NonNegative = 0.001  # 1e-4 for images and text
    low: NonNegative = 1.0  # 0 for images and text
    high: NonNegative | None = None  # 1 for images and text; None: no bound
    target_start: NonNegative | None = None  # None: the target is constant; the authors' 0.5 on dSprites
    target_step: NonNegative = 0.15
    target_every: Count = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_stairs(self.name(), self.target_start, self.target)
        if self.high is not None and self.low > self.high:
            raise InputError(f"{self.name()}: low should be at most high, got {self.low:g} > {self.high:g}.")

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        (moved,) = self.moves
        weight = torch.as_tensor(values[moved], dtype=torch.float32)
        return {moved: weight}, {"integral": weight - self.low}

    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        (moved,) = self.moves
        start = self.target if self.target_start is None else self.target_start
        target = stairs(t, start, self.target, self.target_step, self.target_every, ramp=0)
        error = target - means[moved].float()
        proportional = self.kp * torch.sigmoid(-error)
        high = inf if self.high is None else self.high
        integral = state["integral"] - self.ki * error
        weight = proportional + integral + self.low
        outwards = ((weight > high) & (error < 0)) | ((weight < self.low) & (error > 0))
        integral = torch.where(outwards, state["integral"], integral)
        weight = (proportional + integral + self.low).clamp(self.low, high)
        return {moved: weight}, {"integral": integral}
