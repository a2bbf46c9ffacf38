"""AnnealedVAE: the KL is held at a capacity that grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.fields import Count, NonNegative
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class AnnealedVAE(Method):
    """Detail comes back: the KL is held at a capacity that grows.

    VAE with controlled capacity. Burgess et al. 2018, "Understanding disentangling in beta-VAE",
    arXiv:1804.03599, Eq. 8: recon + gamma |KL - C|, with C from 0 to `capacity` over `capacity_steps`.

    Terms  recon: [batch], nats; excess: scalar, nats, |mean KL of the batch - C| (of the mean, not the mean over
           samples of |KL_i - C|).
    Observations  kl: scalar, nats, the batch's mean; target: scalar, nats, C.
    Limit  capacity = 0 is the beta-VAE with beta = gamma.
    """

    family: ClassVar[str] = "a heavier KL"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    gamma: NonNegative = 1000.0  # weight of the excess; other authors take 100
    capacity: NonNegative = 25.0  # nats, the last C
    capacity_steps: Count = 100_000  # steps over which C grows linearly from 0

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "excess": self.gamma}

    def observations(self) -> tuple[str, ...]:
        return ("kl", "target")

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        kl = q.kl_to_standard().sum(1).mean()
        target = self.capacity * min(1.0, ctx.step / self.capacity_steps)
        return {
            "recon": ae.nll(x, q.rsample()),
            "excess": (kl - target).abs(),
            "kl": kl,
            "target": kl.new_tensor(target),
        }

    def settled(self) -> int:
        return self.capacity_steps

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=5e-4)
