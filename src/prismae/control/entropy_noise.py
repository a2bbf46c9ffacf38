"""Channel noise that follows the entropy of each latent (ED-GCAE, Section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from prismae.control._base import Controller, Moves, State, Trial, Values
from prismae.errors import InputError
from prismae.fields import Count, Fraction, NonNegative


@dataclass(frozen=True)
class EntropyNoise(Controller):
    """sigma_i of each latent from its entropy H(z_i): high entropy gives large noise (ED-GCAE, Section 4.3), or small.

    With Hn_i the entropies scaled to [0, 1] over the latents (0.5 if all are equal) where `direction` is "falling", as
    in Eqs. 2-4, and 1 - Hn_i in their place where it is "rising", as the words of Section 4.3 have it (little noise for
    a latent of little entropy), and g = t // group,
    ``target_i = (sigma_max - (sigma_max - sigma_min) Hn_i) gamma^g``, and

    - "ema" (Eq. 3 with the annealed target): sigma_i ← max(sigma_min, alpha sigma_i + (1 - alpha) target_i);
    - "literal" (Eq. 4 as printed): sigma_i ← max(sigma_min, (alpha sigma_i + (1 - alpha)) target_i).

    Reads the observation "entropy" [m], nats, and moves "noise" [m]. What the steps are counted in is our reading:
    only with g in groups of 20 steps, the outer counter of GCAE's code, does gamma = 0.999 anneal over a training.
    """

    kinds: ClassVar[tuple[str, ...]] = ("noise",)
    reads: ClassVar[tuple[str, ...]] = ("entropy",)

    sigma_max: NonNegative = 0.4
    sigma_min: NonNegative = 0.2
    alpha: Fraction = 0.1
    gamma: Fraction = 0.999
    rule: Literal["ema", "literal"] = "ema"
    group: Count = 20
    direction: Literal["falling", "rising"] = "rising"
    moves: Moves = ("noise",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma_min > self.sigma_max:
            raise InputError(
                f"{self.name()}: sigma_min should be at most sigma_max, got {self.sigma_min:g} > {self.sigma_max:g}."
            )

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        (moved,) = self.moves
        noise = torch.as_tensor(values[moved])
        return {moved: noise}, {"sigma": noise}

    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        (moved,) = self.moves
        entropy, sigma = means["entropy"], state["sigma"]
        low, high = entropy.aminmax()
        scaled = torch.where(high > low, (entropy - low) / (high - low), 0.5)
        if self.direction == "rising":
            scaled = 1 - scaled
        target = (self.sigma_max - (self.sigma_max - self.sigma_min) * scaled) * self.gamma ** (
            t // self.group
        )
        if self.rule == "ema":
            sigma = self.alpha * sigma + (1 - self.alpha) * target
        else:
            sigma = (self.alpha * sigma + (1 - self.alpha)) * target
        sigma = sigma.clamp(min=self.sigma_min)
        return {moved: sigma}, {"sigma": sigma}
