"""NashAE: latents that adversarial predictors cannot tell from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from prismae.fields import BelowOne, Count, CountOrZero, Positive
from prismae.latent.gaussian import Point, Posterior, widened
from prismae.methods._base import Adversarial, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.predictors import Predictors
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class NashAE(Adversarial):
    """Latents that predictors cannot tell from the others.

    NashAE. Yeats, Liu, Womble & Li 2022, "NashAE: Disentangling representations through adversarial covariance
    minimization", arXiv:2209.10677.

    The code is a sigmoid of the encoder's output, in (0, 1). m predictors learn each latent from the others; the
    autoencoder minimises (1 - weight) / 2 MSE + weight sum_i Cov(z_i, prediction of z_i).

    Terms  recon: [batch], mean squared error per element of standardised data (the authors' unit, not nats);
           covariance: scalar, over the batch; its gradient reaches the encoder through the predictors' inputs only.
    Critic's terms  critic: [batch], half the squared error of the predictions, summed over latents.
    Limit  weight = 0 is the autoencoder with a sigmoid code.
    Ours  Sum over predictors where each has its own loss in the authors' code; Adam moves them the same way.
    """

    family: ClassVar[str] = "independent codes, no Gaussian prior"
    smallest_batch: ClassVar[int] = 2

    net: ClassVar[str] = "mlp"
    likelihood: ClassVar[str] = "mse"
    has_prior: ClassVar[bool] = False
    estimates: ClassVar[str] = "covariance"

    weight: BelowOne = 0.2  # lambda of the paper: 0.2 on Beamsynthesis, 0.008 on dSprites
    critic_steps: Count = 5  # predictor updates per autoencoder update
    critic_warmup: CountOrZero = 0
    critic_width: Count = 40  # units of each of a predictor's two hidden layers
    critic_lr: Positive = 0.01

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return Point(torch.sigmoid(parameters))

    def weights(self) -> dict[str, float]:
        return {"recon": (1 - self.weight) / 2, "covariance": self.weight}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        z = ae.encode(x).mean
        centred = (z - z.mean(0)).detach()
        return {"recon": ae.nll(x, z), "covariance": (centred * widened(ctx.critic(z))).mean(0).sum()}

    def critic(self, n_latents: int) -> nn.Module:
        return Predictors(n_latents, self.critic_width)

    def critic_terms(self, critic: nn.Module, q: Posterior, ctx: Context) -> Terms:
        return {"critic": 0.5 * (critic(q.mean) - q.mean).square().sum(1)}

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3)

    def critic_optimizer(self) -> Optimizer:
        return Optimizer(lr=self.critic_lr)
