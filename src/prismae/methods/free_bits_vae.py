"""VAE with free bits: no reward for a KL below a floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from prismae.fields import NonNegative
from prismae.latent.gaussian import free_bits
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class FreeBitsVAE(Method):
    """Against collapse: no reward for a KL below a floor.

    VAE with free bits. Kingma et al. 2016, "Improving variational inference with inverse autoregressive flow",
    arXiv:1606.04934 (per="dimension": a floor for the batch's mean KL of each latent).

    Terms  recon: [batch], nats; floored: [batch] or scalar, nats per sample, the KL with its floors.
    Observations  kl: scalar, nats, the batch's mean KL without floors.
    Limit  floor = 0 is the VAE.
    """

    family: ClassVar[str] = "a heavier KL"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    floor: NonNegative = 0.5  # nats, per latent or per sample
    per: Literal["dimension", "sample", "batch"] = "dimension"  # what has a floor; see `free_bits`

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "floored": 1.0}

    def observations(self) -> tuple[str, ...]:
        return ("kl",)

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        kl = q.kl_to_standard()
        return {
            "recon": ae.nll(x, q.rsample()),
            "floored": free_bits(kl, self.floor, self.per),
            "kl": kl.sum(1).mean(),
        }
