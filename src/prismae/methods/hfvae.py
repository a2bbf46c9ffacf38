"""HFVAE: the KL's parts over two levels, groups of latents and single latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prismae.fields import Count, NonNegative
from prismae.latent.decomposition import decompose_kl_by_groups
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class HFVAE(Method):
    """beta-TCVAE for groups of latents, and inside groups.

    Hierarchically factorised VAE. Esmaeili et al. 2019, "Structured disentangled representations",
    arXiv:1804.02086: recon + beta1 sum_g TC inside group g + beta2 KL per dimension + beta3 MI
    + beta4 TC between groups. Groups are `group_size` consecutive latents; a last one may be smaller.

    Terms  recon, inner_tc, dwkl, mi, tc (between groups): each [batch], nats per sample; estimates from one batch
           with the authors' weights ("leave-one-out"), so they may be below 0.
    Limits  all betas 1 is the VAE in expectation; group_size = 1 is the beta-TCVAE (with this estimator).
    """

    family: ClassVar[str] = "independent codes"
    smallest_batch: ClassVar[int] = 2
    kl: ClassVar[tuple[str, ...]] = ("inner_tc", "dwkl", "mi", "tc")

    group_size: Count = 2
    beta1: NonNegative = 1.0  # weight of the total correlation inside groups
    beta2: NonNegative = 1.0  # weight of the dimension-wise KL
    beta3: NonNegative = 1.0  # weight of the mutual information
    beta4: NonNegative = 6.0  # weight of the total correlation between groups

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "inner_tc": self.beta1, "dwkl": self.beta2, "mi": self.beta3, "tc": self.beta4}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        z = q.rsample()
        mi, tc, inner_tc, dwkl = decompose_kl_by_groups(q, z, ctx.n_data, self.group_size, "leave-one-out")
        return {"recon": ae.nll(x, z), "inner_tc": inner_tc, "dwkl": dwkl, "mi": mi, "tc": tc}
