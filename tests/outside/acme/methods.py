"""A method: hyper-parameters, and the loss terms of a batch that follow from them."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.fields import NonNegative
from prismae.methods import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class SparseVAE(Method):
    """A VAE whose mean codes are pulled to 0 one by one.

    Terms  recon, kl: [batch], nats; size: [batch], sum of |mean code|.
    Limit  weight = 0 is the VAE.
    """

    kl: ClassVar[tuple[str, ...]] = ("kl",)  # whose sum is KL(q(z|x) || N(0, I)), for what reads it

    weight: NonNegative = 0.5  # of the size

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": 1.0, "size": self.weight}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        return {
            "recon": ae.nll(x, q.rsample()),
            "kl": q.kl_to_standard().sum(1),
            "size": q.mean.abs().sum(1),
        }
