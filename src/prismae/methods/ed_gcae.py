"""ED-GCAE: GCAE with one critic of many heads, and channel noise that follows each latent's entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from prismae.control import Controller, EntropyNoise
from prismae.fields import Count, CountOrZero, Fraction, NonNegative, Positive
from prismae.latent.channel import CODE_BOUND, bounded, through_channel
from prismae.latent.density_ratio import excess_entropy_power, histogram_entropy
from prismae.latent.gaussian import Point, Posterior
from prismae.methods._base import Adversarial, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.critics import ConditionalCritics
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class EDGCAE(Adversarial):
    """One shared critic, and noise that follows the entropy.

    Efficient and dynamic Gaussian channel autoencoder. Zhang et al. 2025, "ED-GCAE: Efficient and Adaptive
    Disentanglement via Shared Features and Dynamic Noise Injection", ICIC 2025.

    GCAE's model and loss; the critics are heads on a shared backbone (Eq. 1), updated once per autoencoder update,
    and the channel has one sigma_i per latent, moved after each update (Eqs. 2-4, `prismae.control.EntropyNoise`).

    Terms  recon: [batch], mean squared error per element of standardised data (the authors' unit, not nats);
           dependence: scalar, sum over latents of I(z_i; z_rest) exp(2 H(z_i)) / (2 pi e), on the noise-free codes.
    Observations  entropy: [m], nats, the H(z_i) that moves the noise: by the critics that of the *noisy* code, on which
           they are trained (so at least that of the noise); with entropy = "histogram" that of the code.
    Limit  sigma_min = sigma_max, alpha = gamma = 1, critic_type = "independent", critic_steps = 5 and critic_lr = 2e-4
           is GCAE.
    Ours  The paper does not say what its g counts (here groups of 20 steps), from which density the entropies come
           (here the critics' marginals), nor the critic's budget of nodes (here GCAE's), nor its learning rate; its
           Section 4.3 has the noise rise with the entropy, its equations have it fall (`direction`). By default the
           noise rises and the rate is 1e-3, which comes nearest to the paper's scores on Beamsynthesis. A critic's
           density is held at e^2 times the highest that a code with its noise can have.
    """

    family: ClassVar[str] = "independent codes, no Gaussian prior"
    net: ClassVar[str] = "mlp"
    likelihood: ClassVar[str] = "mse"
    has_prior: ClassVar[bool] = False
    estimates: ClassVar[str] = "dependence"

    weight: NonNegative = 0.4  # of the dependence; 0.1 to 0.5 is the useful range
    sigma_max: NonNegative = EntropyNoise.sigma_max  # where each sigma_i starts
    sigma_min: NonNegative = EntropyNoise.sigma_min
    alpha: Fraction = EntropyNoise.alpha  # share of the old sigma_i in the new one; 1 keeps it
    gamma: Fraction = EntropyNoise.gamma  # annealing of the noise per group of steps; 1 does not anneal
    noise_rule: Literal["ema", "literal"] = (
        EntropyNoise.rule
    )  # Eq. 3 with the annealed target, or Eq. 4 as printed
    group: Count = EntropyNoise.group  # steps per count of g
    direction: Literal["falling", "rising"] = EntropyNoise.direction  # of the noise as the entropy grows
    entropy: Literal["marginal", "histogram", "noisy-histogram"] = "marginal"  # estimator of H(z_i)
    critic_type: Literal["shared", "independent"] = "shared"
    head_width: CountOrZero = 0  # hidden units of a head; 0: a linear unit
    critic_steps: Count = 1  # k, critic updates per autoencoder update
    critic_warmup: CountOrZero = 500  # critic updates before the first autoencoder update
    critic_width: Count = ConditionalCritics.WIDTH  # units of each of the critic's two hidden layers
    critic_lr: Positive = 1e-3  # GCAE's code has 2e-4 for five updates a step
    copies: Count = ConditionalCritics.COPIES  # fake rows per real row
    bound: Positive = ConditionalCritics.BOUND  # the reference density is uniform on (-bound, bound)
    n_nodes: Count = ConditionalCritics.NODES  # nodes of the Monte Carlo integral over z_i
    nodes: Literal["independent", "stratified"] = "independent"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.controllers()  # refuses sigma_min above sigma_max

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return Point(bounded(parameters))

    @classmethod
    def name(cls) -> str:
        return "ed-gcae"

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "dependence": self.weight}

    def noise(self) -> float:
        return self.sigma_max

    def controllers(self) -> tuple[Controller, ...]:
        return (
            EntropyNoise(
                self.sigma_max,
                self.sigma_min,
                self.alpha,
                self.gamma,
                rule=self.noise_rule,
                group=self.group,
                direction=self.direction,
            ),
        )

    def observations(self) -> tuple[str, ...]:
        return ("entropy",)

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        z = ae.encode(x).mean
        noisy = through_channel(z, ctx.noise)
        information, entropy = ctx.critic.dependence(z, self.n_nodes, self.nodes, ctx.noise)
        dependence = excess_entropy_power(information, entropy).sum()
        if self.entropy == "histogram":
            entropy = histogram_entropy(z, CODE_BOUND)
        elif self.entropy == "noisy-histogram":
            entropy = histogram_entropy(noisy, self.bound)
        return {"recon": ae.nll(x, noisy), "dependence": dependence, "entropy": entropy}

    def critic(self, n_latents: int) -> nn.Module:
        return ConditionalCritics(
            n_latents,
            width=self.critic_width,
            shared=self.critic_type == "shared",
            head_width=self.head_width,
            copies=self.copies,
            bound=self.bound,
        )

    def critic_terms(self, critic: ConditionalCritics, q: Point, ctx: Context) -> Terms:
        return {"critic": critic.critic_loss(through_channel(q.mean, ctx.noise))}

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=5e-5)

    def critic_optimizer(self) -> Optimizer:
        return Optimizer(lr=self.critic_lr, betas=(0.5, 0.9))
