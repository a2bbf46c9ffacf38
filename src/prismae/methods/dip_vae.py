"""DIP-VAE: the covariance of the codes is drawn to the identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from prismae.fields import NonNegative
from prismae.latent.gaussian import covariance
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class DIPVAE(Method):
    """The codes' covariance is drawn to the identity.

    Disentangled inferred prior. Kumar, Sattigeri & Balakrishnan 2018, arXiv:1711.00848, Eqs. 6 and 7.

    Variant I looks at C = Cov(mu), II at C = Cov(mu) + E diag(sigma^2), the covariance of the samples; both over
    the batch.

    Terms  recon, kl: [batch], nats; off_diagonal: scalar, sum_{i != j} C_ij^2; diagonal: scalar, sum_i (C_ii - 1)^2
           (covariances of codes, no nats).
    Limit  lambda_od = lambda_d = 0 is the VAE.
    """

    family: ClassVar[str] = "independent codes"
    smallest_batch: ClassVar[int] = 2
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    variant: Literal["i", "ii"] = "ii"
    lambda_od: NonNegative = 10.0  # weight of the off-diagonal part
    lambda_d: NonNegative | None = None  # of the diagonal part; None: 10 lambda_od in I, lambda_od in II

    @classmethod
    def name(cls) -> str:
        return "dip-vae"

    def weights(self) -> dict[str, float]:
        lambda_d = self.lambda_d
        if lambda_d is None:
            lambda_d = self.lambda_od * (10 if self.variant == "i" else 1)
        return {"recon": 1.0, "kl": 1.0, "off_diagonal": self.lambda_od, "diagonal": lambda_d}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        c = covariance(q.mean)
        if self.variant == "ii":
            c = c + q.log_var.exp().mean(0).diag()
        variances = c.diagonal()
        return {
            "recon": ae.nll(x, q.rsample()),
            "kl": q.kl_to_standard().sum(1),
            "off_diagonal": c.square().sum() - variances.square().sum(),
            "diagonal": (variances - 1).square().sum(),
        }
