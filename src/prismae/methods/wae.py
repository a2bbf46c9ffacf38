"""WAE: a deterministic autoencoder whose codes match the prior by maximum mean discrepancy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from prismae.control import Controller, Ramp
from prismae.fields import CountOrZero, NonNegative
from prismae.latent.divergence import mmd
from prismae.latent.gaussian import Point, Posterior
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class WAE(Method):
    """Sharp and to draw from: the maximum mean discrepancy.

    Wasserstein autoencoder, WAE-MMD. Tolstikhin, Bousquet, Gelly & Schoelkopf 2018, arXiv:1711.01558, Eq. 4 and
    Algorithm 2.

    Terms  recon: [batch], the likelihood's unit; mmd: scalar, unbiased (below 0 at times), of codes against N(0, I).
    Limit  weight = 0 is the autoencoder.
    Ours  Reconstruction is the run's likelihood, and the default weight. The authors' code has 0.05 times the squared
           error, summed over pixels in [0, 1], beside 10 MMD on MNIST (100 on CelebA). In nats of a "gaussian"
           likelihood, half the squared error over the data's variance s^2, that is a weight of 10 / (0.1 s^2), 1,054
           for MNIST's s = 0.308: hence 1,000, the best of four with the Bernoulli likelihood, too (see the page). It
           should grow with the elements of x. It rises from 0 within the first `ramp` steps: in full at once it can
           drive all codes to one point for good (see the page). Rate and beta1 are the authors' (Adam
           1e-3, 0.5); the rate is constant, theirs falls.
    """

    family: ClassVar[str] = "codes as a whole like the prior"
    smallest_batch: ClassVar[int] = 2
    gives_way: ClassVar[tuple[str, ...]] = ("mmd",)

    weight: NonNegative = 1000.0  # of the MMD, against nats summed over an image; see Ours
    kernel: Literal["imq", "rbf"] = "imq"
    ramp: CountOrZero = 1000  # steps in which the weight rises from 0; a shorter training ends below it

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return Point(parameters)

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "mmd": self.weight}

    def controllers(self) -> tuple[Controller, ...]:
        return (Ramp("mmd", steps=self.ramp),) if self.ramp else ()

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        z = ae.encode(x).mean
        return {"recon": ae.nll(x, z), "mmd": mmd(z, torch.randn_like(z), self.kernel)}

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3, betas=(0.5, 0.999))
