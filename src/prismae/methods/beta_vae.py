"""beta-VAE: a heavier KL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.fields import NonNegative
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class BetaVAE(Method):
    """One weight trades detail for separate latents.

    beta-VAE. Higgins et al. 2017, "beta-VAE: Learning basic visual concepts …", Eq. 4.

    Terms  recon, kl: each [batch], nats per sample.
    Limit  beta = 1 is the VAE.
    """

    family: ClassVar[str] = "a heavier KL"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    beta: NonNegative = 4.0  # weight of the KL; the authors' value on dSprites

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": self.beta}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}
