"""GCAE: a Gaussian channel whose codes are made independent by critics of their conditional densities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from prismae.fields import Count, CountOrZero, NonNegative, Positive
from prismae.latent.channel import bounded, through_channel
from prismae.latent.density_ratio import excess_entropy_power
from prismae.latent.gaussian import Point, Posterior
from prismae.methods._base import Adversarial, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.critics import ConditionalCritics
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class GCAE(Adversarial):
    """A Gaussian channel, and critics of conditional densities.

    Gaussian channel autoencoder. Yeats, Liu & Li 2023, arXiv:2302.04362.

    The code z_phi = 3 softsign(a / 3) passes a channel z = z_phi + sigma eps; m critics, one per latent, estimate
    p(z_i | z_rest), and the autoencoder minimises the excess entropy power of each latent given the others.

    Terms  recon: [batch], mean squared error per element of standardised data (the authors' unit, not nats);
           dependence: scalar, sum over latents of I(z_i; z_rest) exp(2 H(z_i)) / (2 pi e), on the noise-free codes.
    Observations  entropy: [m], nats, H(z_i) by the critics.
    Authors' code  divides by pi e instead of 2 pi e, so their weight 0.2 is 0.4 here (the default).
    Ours  A critic's density is held at e^2 times the highest that a code with its noise can have.
    """

    family: ClassVar[str] = "independent codes, no Gaussian prior"
    net: ClassVar[str] = "mlp"
    likelihood: ClassVar[str] = "mse"
    has_prior: ClassVar[bool] = False
    estimates: ClassVar[str] = "dependence"

    weight: NonNegative = 0.4  # of the dependence; 0.1 to 0.5 is the useful range
    sigma: NonNegative = 0.2  # standard deviation of the channel
    critic_steps: Count = 5  # k, critic updates per autoencoder update
    critic_warmup: CountOrZero = 500  # critic updates before the first autoencoder update
    critic_width: Count = ConditionalCritics.WIDTH  # units of each of a critic's two hidden layers
    critic_lr: Positive = 2e-4
    copies: Count = ConditionalCritics.COPIES  # fake rows per real row
    bound: Positive = ConditionalCritics.BOUND  # the reference density is uniform on (-bound, bound)
    n_nodes: Count = ConditionalCritics.NODES  # nodes of the Monte Carlo integral over z_i
    nodes: Literal["independent", "stratified"] = "independent"

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return Point(bounded(parameters))

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0} | ({"dependence": self.weight} if self.weight > 0 else {})

    def noise(self) -> float:
        return self.sigma

    def observations(self) -> tuple[str, ...]:
        return ("entropy",) if self.weight > 0 else ()

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        z = ae.encode(x).mean
        terms = {"recon": ae.nll(x, through_channel(z, ctx.noise))}
        if self.weight > 0:
            information, entropy = ctx.critic.dependence(z, self.n_nodes, self.nodes, ctx.noise)
            terms |= {"dependence": excess_entropy_power(information, entropy).sum(), "entropy": entropy}
        return terms

    def critic(self, n_latents: int) -> nn.Module:
        return ConditionalCritics(n_latents, width=self.critic_width, copies=self.copies, bound=self.bound)

    def critic_terms(self, critic: ConditionalCritics, q: Point, ctx: Context) -> Terms:
        return {"critic": critic.critic_loss(through_channel(q.mean, ctx.noise))}

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=5e-5)

    def critic_optimizer(self) -> Optimizer:
        return Optimizer(lr=self.critic_lr, betas=(0.5, 0.9))
