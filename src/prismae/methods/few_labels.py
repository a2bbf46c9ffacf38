"""A VAE that knows the factors of a few observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from prismae.fields import Count, NonNegative
from prismae.latent.decomposition import decompose_kl
from prismae.latent.labels import embedded, supervised
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
    Ours  Factors are scaled by the range of those that are known; weight 10; beta of the beta-TCVAE here.
    """

    family: ClassVar[str] = "independent codes"
    smallest_batch: ClassVar[int] = 2
    kl: ClassVar[tuple[str, ...]] = ("mi", "tc", "dwkl")

    n_labels: Count = 100  # observations whose factors are known, drawn by the seed
    supervision: NonNegative = 10.0  # weight of their term
    loss: Literal["xent", "cov", "l2", "embed"] = "xent"
    beta: NonNegative = 6.0  # weight of the total correlation

    def labelled(self) -> int:
        return self.n_labels

    def modules(self, n_latents: int) -> nn.ModuleDict:
        learned = {
            "l2": {"scale": torch.ones(1)},
            "embed": {
                "places": torch.tensor([[-1.0, 2.0]]).repeat(n_latents, 1),
                "sharpness": torch.ones(n_latents),
            },
        }.get(self.loss)
        return nn.ModuleDict({"read": nn.ParameterDict(learned)} if learned else {})

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "mi": 1.0, "tc": self.beta, "dwkl": 1.0, "labels": self.supervision}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        assert ctx.labels is not None
        q = ae.encode(x)
        z = q.rsample()
        mi, tc, dwkl = decompose_kl(q, z, ctx.n_data)
        of, y = ae.encode(ctx.labels.x).mean, ctx.labels.scaled
        read: Any = dict(ae.parts).get("read", {})
        if self.loss == "embed":
            known = embedded(of, y, ctx.labels.values, read["places"], read["sharpness"])
        else:
            known = supervised(of, y, self.loss, **read)
        return {"recon": ae.nll(x, z), "mi": mi, "tc": tc, "dwkl": dwkl, "labels": known}
