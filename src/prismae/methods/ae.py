"""The deterministic autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from prismae.latent.gaussian import Point, Posterior
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class AE(Method):
    """The least error: a code without noise and without a prior.

    Autoencoder: a code without noise and without a prior. Hinton & Salakhutdinov 2006, Science 313.

    Terms  recon: [batch], nats per sample.
    """

    family: ClassVar[str] = "plain"
    has_prior: ClassVar[bool] = False

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return Point(parameters)

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        return {"recon": ae.nll(x, ae.encode(x).mean)}
