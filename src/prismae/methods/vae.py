"""The variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class VAE(Method):
    """Codes to draw from: reconstruction and KL, the evidence bound.

    Variational autoencoder. Kingma & Welling 2014, arXiv:1312.6114.

    Terms  recon, kl: each [batch], nats per sample. Their sum is the negative ELBO.
    """

    family: ClassVar[str] = "plain"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": 1.0}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}
