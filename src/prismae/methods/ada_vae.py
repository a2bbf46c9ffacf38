"""AdaGVAE and AdaML-VAE: pairs of observations that share most factors are made to share latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor

from prismae.fields import Count, NonNegative
from prismae.latent.pairing import averaged, multiplied, shared, where
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class AdaVAE(Method):
    """What a pair shares has one posterior.

    Ada-GVAE and Ada-ML-VAE. Locatello, Poole, Raetsch, Schoelkopf, Bachem & Tschannen 2020, "Weakly-supervised
    disentanglement without compromises", arXiv:2002.02886, Sec. 4.1.

    Two observations differ in a few factors, unknown which. Latents whose posteriors agree are given one posterior for
    both, their average.

    Terms  recon: [batch], the likelihood's unit, and kl: [batch], nats, to N(0, I): means over the two of a pair.
    Observation  shared: scalar, the fraction of latents that a pair shares.
    Limit  Where no latent is shared it is the beta-VAE on both observations.
    Authors' code  draws k factors and then one or k of them, and a factor that changes may take its old value
           again; here exactly k change, and k is any number from 1 to all but one.
    Ours  "ml-vae" has the authors' code's variance, see `prismae.latent.pairing.multiplied`. Where all KLs of a pair
           are equal none is shared. Rate and beta are of the authors' study, which has beta from 1 to 16.
    """

    family: ClassVar[str] = "pairs of observations"
    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "ada-gvae": {"average": "gvae"},
        "ada-ml-vae": {"average": "ml-vae"},
    }

    average: Literal["gvae", "ml-vae"] = "gvae"
    beta: NonNegative = 1.0
    differing: Count | Literal["any"] = "any"  # factors in which the two of a pair differ
    divergence: Literal["forward", "symmetric"] = "forward"  # KL that says what is shared

    def pairs(self) -> int | Literal["any"]:
        return self.differing

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": self.beta}

    def observations(self) -> tuple[str, ...]:
        return ("shared",)

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        assert ctx.pairs is not None
        q, p = ae.encode(x), ae.encode(ctx.pairs.x)
        agree = shared(q, p, symmetric=self.divergence == "symmetric")
        both = averaged(q, p) if self.average == "gvae" else multiplied(q, p)
        q, p = where(agree, both, q), where(agree, both, p)
        return {
            "recon": (ae.nll(x, q.rsample()) + ae.nll(ctx.pairs.x, p.rsample())) / 2,
            "kl": (q.kl_to_standard() + p.kl_to_standard()).sum(1) / 2,
            "shared": agree.to(x.dtype).mean(),
        }
