"""SlowVAE: between two moments few latents change, and these as a Laplace distribution has it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import ClassVar, Literal

from torch import Tensor

from prismae.fields import Count, NonNegative, Positive
from prismae.latent.gaussian import Gaussian
from prismae.latent.laplace import cross_entropy
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class SlowVAE(Method):
    """Between two moments few latents change; needs factors.

    SlowVAE. Klindt, Schott, Sharma, Ustyuzhaninov, Brendel, Bethge & Paiton 2021, "Towards nonlinear disentanglement
    in natural data with temporal sparse coding", arXiv:2007.10930, Eqs. 6 and 7.

    The two observations of a pair are two moments; the code of one, given the other's, has a Laplace prior around it.

    Terms  recon: [batch], the likelihood's unit; kl: [batch], nats, to N(0, I); slow: [batch], nats, KL to the Laplace
           distribution around the mean code of the other one. All are means over the two of a pair.
    Limit  gamma = 0 is the beta-VAE on both observations.
    Authors' code  adds the cross-entropies of both directions and takes the entropy, a mean over images, off once, so
           its term is no KL. Halved to the size of the reconstruction here, with the same gamma, the cross-entropies
           weigh as they do here, and the entropy half of that.
    Ours  A KL for each direction, and the mean of both. Pairs are drawn by factors, of which `differing` change, or
          move by a Laplace distribution, those without an order too; or they are what follows in the data.
    """

    family: ClassVar[str] = "pairs of observations"

    beta: NonNegative = 1.0
    gamma: NonNegative = 10.0
    rate: Positive = 6.0  # of the Laplace distribution
    differing: Count | Literal["any", "laplace", "next"] = "any"  # factors in which the two of a pair differ

    def pairs(self) -> int | Literal["any", "laplace", "next"]:
        return self.differing

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": self.beta, "slow": self.gamma}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        assert ctx.pairs is not None
        q, p = ae.encode(x), ae.encode(ctx.pairs.x)
        return {
            "recon": (ae.nll(x, q.rsample()) + ae.nll(ctx.pairs.x, p.rsample())) / 2,
            "kl": (q.kl_to_standard() + p.kl_to_standard()).sum(1) / 2,
            "slow": (self._slow(q, p) + self._slow(p, q)).sum(1) / 2,
        }

    def _slow(self, q: Gaussian, other: Gaussian) -> Tensor:
        """KL of q to the Laplace distribution around the other's mean, per dimension, in nats."""
        return cross_entropy(q, other.mean, self.rate) - 0.5 * (q.log_var + log(2 * pi) + 1)
