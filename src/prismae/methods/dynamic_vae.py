"""DynamicVAE: the KL's weight comes down from a high value, by incremental PI control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.control import Controller, IncrementalPI
from prismae.fields import Count, CountOrZero, NonNegative
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class DynamicVAE(Method):
    """ControlVAE from a high weight down, by incremental PI control.

    DynamicVAE. Shao et al. 2020, "DynamicVAE: Decoupling reconstruction error and disentangled representation
    learning", arXiv:2009.06795.

    The VAE's terms; the KL's weight follows `prismae.control.IncrementalPI` with hybrid annealing of its target.
    Defaults are the authors' on dSprites, for 10^6 steps; in short trainings let the target climb faster.

    Terms  recon, kl: each [batch], nats per sample.
    Limit  kp = ki = 0 is the beta-VAE with beta = beta_start.
    """

    family: ClassVar[str] = "a heavier KL"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    target: NonNegative = IncrementalPI.target  # nats, of the batch's mean KL
    target_start: NonNegative = 0.5  # nats
    target_step: NonNegative = (
        IncrementalPI.target_step
    )  # nats, added to the target after each target_every steps
    target_every: Count = IncrementalPI.target_every
    target_ramp: CountOrZero = IncrementalPI.target_ramp  # steps over which a target_step is added
    kp: NonNegative = IncrementalPI.kp
    ki: NonNegative = IncrementalPI.ki
    window: Count = IncrementalPI.window  # KLs in the moving average
    beta_start: NonNegative = 50.0  # the authors' 50 on dSprites, 100 on MNIST, 90 on SmallNORB
    beta_min: NonNegative = IncrementalPI.low

    def __post_init__(self) -> None:
        super().__post_init__()
        self.controllers()  # refuses a target that would fall or never climb a whole step

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": self.beta_start}

    def controllers(self) -> tuple[Controller, ...]:
        return (
            IncrementalPI(
                "kl",
                self.target,
                self.kp,
                self.ki,
                low=self.beta_min,
                window=self.window,
                target_start=self.target_start,
                target_step=self.target_step,
                target_every=self.target_every,
                target_ramp=self.target_ramp,
            ),
        )

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}
