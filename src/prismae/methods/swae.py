"""SWAE: a deterministic autoencoder whose codes match the prior by sliced Wasserstein distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from prismae.fields import Count, NonNegative
from prismae.latent.divergence import sliced_wasserstein
from prismae.latent.gaussian import Point, Posterior
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class SWAE(Method):
    """Sharp and to draw from: the sliced Wasserstein distance.

    Sliced-Wasserstein autoencoder. Kolouri, Pope, Martin & Rohde 2018, arXiv:1804.01947.

    Terms  recon: [batch], the likelihood's unit; distance: scalar, squared sliced Wasserstein-2 of codes against
           N(0, I), in units of the prior's variance.
    Limit  weight = 0 is the autoencoder.
    Ours  The default weight. The authors' 10 stands beside a binary cross-entropy (and an absolute error) that is a
           *mean* over pixels; against the sum that a likelihood is, that is 10 times the number of elements, 7,840 on
           MNIST. 1,000 has the best samples there (see the page), and leaves more to the reconstruction. It should grow
           with the elements of x. The weight is constant; the authors' grows by 1.1 per epoch after the tenth. Adam's
           rate, 1e-3, with its usual betas.
    """

    family: ClassVar[str] = "codes as a whole like the prior"
    smallest_batch: ClassVar[int] = 2

    weight: NonNegative = 1000.0  # of the distance, against nats summed over an image; see Ours
    directions: Count = 50  # random slices per step; the authors' 50 or 200

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return Point(parameters)

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "distance": self.weight}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        z = ae.encode(x).mean
        return {
            "recon": ae.nll(x, z),
            "distance": sliced_wasserstein(z, torch.randn_like(z), self.directions),
        }

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3)
