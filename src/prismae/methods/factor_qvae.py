"""FactorQVAE: latents that each take one of a few values that all share, with FactorVAE's total correlation."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, exp, pi
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import softplus

from prismae.fields import Count, CountOrZero, NonNegative
from prismae.latent.categorical import kl_to_even, relaxed
from prismae.latent.gaussian import widened
from prismae.latent.quantization import Assigned, assigned
from prismae.methods._base import Adversarial, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.codebook import SharedCodebook
from prismae.nets.critics import joint_critic
from prismae.optimizer import Optimizer

FALLING, LEAST_RATE = (
    50_000,
    1.25e-3,
)  # steps over which the rate falls by a cosine, and to how many times itself


def falling(step: int) -> float:
    """How many times the learning rate at a step."""
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + cos(pi * min(step / FALLING, 1.0))) / 2


@dataclass(frozen=True)
class FactorQVAE(Adversarial):
    """Values that all latents share, with FactorVAE's critic.

    FactorQVAE, and QVAE. Baykal, Kandemir & Unal 2024, "Disentanglement with factor quantized variational
    autoencoders", arXiv:2409.14851, Sec. 3.

    The encoder gives z; value k of `levels` learned scalars has probability softmax(-(z_j - e_k)²) in latent j. The
    decoder sees a relaxed draw of them in training, and the nearest value afterwards. A critic tells assignments from
    assignments that are shuffled over the batch, latent by latent, as in FactorVAE.

    Terms  recon: [batch], the likelihood's unit. values: [batch], nats, KL to even values, summed over latents. tc:
           [batch], nats, the critic's logit.
    Critic's terms  critic: scalar, nats, binary cross-entropy with assignments as they are labelled 1.
    Limits  gamma = 0 is QVAE. Towards temperature 0 the code in training is a draw of the values.
    Authors' code  averages over elements, and the KL over latents: beside the sum of squared errors their weights are
           1.02 (Shapes3D), 0.044 (MPI3D) and 0.034 (Isaac3D) of `values`, and 1.2, 0.012 and 0.61 of `tc`.
           Their 100,000 steps count both players.
    Ours  Shapes3D's weights, and the run's likelihood and networks.
    """

    family: ClassVar[str] = "codes of few values"
    smallest_batch: ClassVar[int] = 2

    levels: Annotated[int, Ge(2)] = 64
    beta: NonNegative = 1.0
    gamma: NonNegative = 1.2
    cooling: NonNegative = 1e-5  # the temperature is exp(-cooling step)
    critic_layers: Count = 6
    critic_width: Count = 1000
    critic_steps: Count = 1
    critic_warmup: CountOrZero = 0

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def modules(self, n_latents: int) -> nn.ModuleDict:
        return nn.ModuleDict({"codebook": SharedCodebook(self.levels)})

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Assigned:
        return assigned(widened(parameters), parts["codebook"]())

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "values": self.beta, "tc": self.gamma}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        shares = self._shares(q, ctx)
        return {
            "recon": ae.nll(x, shares @ ae.parts["codebook"]()),
            "values": kl_to_even(q.logits).sum(1),
            "tc": widened(ctx.critic(shares.flatten(1))),
        }

    def critic(self, n_latents: int) -> nn.Module:
        return joint_critic(n_latents * self.levels, self.critic_layers, self.critic_width)

    def critic_terms(self, critic: nn.Module, q: Assigned, ctx: Context) -> Terms:
        joint, other = self._shares(q, ctx).chunk(2)  # unlike halves, as in FactorVAE
        order = torch.rand(other.shape[:2], device=other.device).argsort(0)
        shuffled = other.gather(0, order.unsqueeze(-1).expand_as(other))
        real, fake = (widened(critic(each.flatten(1))) for each in (joint, shuffled))
        return {"critic": 0.5 * (softplus(-real).mean() + softplus(fake).mean())}

    def _shares(self, q: Assigned, ctx: Context) -> Tensor:
        return relaxed(q.logits, exp(-self.cooling * ctx.step))

    def prior_sample(self, ae: AutoencoderNet, n_latents: int, n: int) -> Tensor:
        values = ae.parts["codebook"]()
        return values[torch.randint(len(values), (n, n_latents), device=values.device)]

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3, schedule=falling)

    def critic_optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3, schedule=falling)
