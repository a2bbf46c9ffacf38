"""ControlVAE: the KL is held at a target by PI control of its weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.control import PI, Controller
from prismae.fields import Count, NonNegative
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class ControlVAE(Method):
    """Asks for a KL, not a weight: PI control finds the weight.

    ControlVAE. Shao et al. 2020, "ControlVAE: Controllable variational autoencoder", arXiv:2004.05988.

    The VAE's terms; the KL's weight follows `prismae.control.PI`. Defaults are the authors' on dSprites, for 10^6
    steps; in short trainings let the target climb faster, or start at it (target_start = target).

    Terms  recon, kl: each [batch], nats per sample.
    Limit  kp = ki = 0 is the beta-VAE with beta = beta_min.
    """

    family: ClassVar[str] = "a heavier KL"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    target: NonNegative = PI.target  # nats, of the batch's mean KL
    target_start: NonNegative = 0.5  # nats
    target_step: NonNegative = PI.target_step  # nats, added to the target after each target_every steps
    target_every: Count = PI.target_every
    kp: NonNegative = PI.kp
    ki: NonNegative = PI.ki
    beta_min: NonNegative = PI.low  # where beta starts, and its least value
    beta_max: NonNegative | None = PI.high

    def __post_init__(self) -> None:
        super().__post_init__()
        self.controllers()  # refuses bounds and targets that contradict each other

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": self.beta_min}

    def controllers(self) -> tuple[Controller, ...]:
        return (
            PI(
                "kl",
                self.target,
                self.kp,
                self.ki,
                low=self.beta_min,
                high=self.beta_max,
                target_start=self.target_start,
                target_step=self.target_step,
                target_every=self.target_every,
            ),
        )

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}
