"""HFS: codes whose support, not whose density, factorises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from prismae.fields import Count, NonNegative
from prismae.latent.support import hausdorff
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class HFS(Method):
    """Factors that are correlated: any two values can occur together.

    Hausdorff factorised support. Roth, Ibrahim, Akata, Vincent & Bouchacourt 2023, "Disentanglement of correlated
    factors via Hausdorff factorized support", arXiv:2210.07347, Eqs. 4 to 6.

    Latents may depend on each other, as the factors behind them may; but whatever two of them take, they should be able
    to take together.

    Terms  recon: [batch], the likelihood's unit; kl: [batch], nats; support: scalar, squared units of the code: the
           Hausdorff distances of the mean codes from a factorised support, summed over pairs of latents.
    Limit  gamma = 0 is the beta-VAE. beta = 0 is what the paper calls HFS alone. The term falls with the square of the
           codes' scale, and is 0 where a latent says nothing, so it had better grow when codes have taken their place.
    Ours  The weights: the paper searches gamma from 0.1 to 10,000, and beta from 0 to 16, for each data set.
    """

    family: ClassVar[str] = "independent codes"
    smallest_batch: ClassVar[int] = 2
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    beta: NonNegative = 1.0
    gamma: NonNegative = 100.0
    n_pairs: Count = 25  # of latents, drawn at each step; all where there are no more

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": self.beta, "support": self.gamma}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        pairs = torch.combinations(torch.arange(q.mean.shape[1]))
        some = pairs[torch.randperm(len(pairs))[: self.n_pairs]]
        return {
            "recon": ae.nll(x, q.rsample()),
            "kl": q.kl_to_standard().sum(1),
            "support": hausdorff(q.mean, some).sum(),
        }
