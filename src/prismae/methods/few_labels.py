"""A VAE that knows the factors of a few observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from prismae.fields import Count, NonNegative
from prismae.latent.decomposition import decompose_kl
from prismae.latent.labels import supervised
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class FewLabels(Method):
    """Each factor in its own latent, where a few are known.

    S2-beta-TCVAE. Locatello, Tschannen, Bauer, Raetsch, Schoelkopf & Bachem 2020, "Disentangling factors of variation
    using few labels", arXiv:1905.01258, Sec. 3. beta-TCVAE on all observations, and on some, whose factors are known, a
    term that draws the first latent to the first factor, the second to the second, and so on.

    Terms  recon, mi (index-code mutual information), tc (total correlation), dwkl (dimension-wise KL): each [batch],
           nats per sample. labels: scalar, see `prismae.latent.labels`.
    Limit  supervision = 0 is the beta-TCVAE, and with beta = 1 the VAE in expectation.
    Authors' code  also has squared distances with a learned scale.
    Ours  Factors are scaled by the range of those that are known; weight 10; beta of the beta-TCVAE here.
    """

    family: ClassVar[str] = "independent codes"
    smallest_batch: ClassVar[int] = 2
    kl: ClassVar[tuple[str, ...]] = ("mi", "tc", "dwkl")

    n_labels: Count = 100  # observations whose factors are known, drawn by the seed
    supervision: NonNegative = 10.0  # weight of their term
    loss: Literal["xent", "cov"] = "xent"
    beta: NonNegative = 6.0  # weight of the total correlation

    def labelled(self) -> int:
        return self.n_labels

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "mi": 1.0, "tc": self.beta, "dwkl": 1.0, "labels": self.supervision}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        assert ctx.labels is not None
        q = ae.encode(x)
        z = q.rsample()
        mi, tc, dwkl = decompose_kl(q, z, ctx.n_data)
        known = supervised(ae.encode(ctx.labels.x).mean, ctx.labels.scaled, self.loss)
        return {"recon": ae.nll(x, z), "mi": mi, "tc": tc, "dwkl": dwkl, "labels": known}
