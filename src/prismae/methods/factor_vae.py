"""FactorVAE: the total correlation by a critic's density ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import softplus

from prismae.fields import Count, CountOrZero, NonNegative
from prismae.latent.decomposition import permute_columns
from prismae.latent.gaussian import Posterior, widened
from prismae.methods._base import Adversarial, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.critics import joint_critic


@dataclass(frozen=True)
class FactorVAE(Adversarial):
    """Total correlation by a critic instead of from the batch.

    FactorVAE. Kim & Mnih 2018, "Disentangling by factorising", arXiv:1802.05983, Eq. 2 and Algorithm 1.

    A critic tells codes from codes whose columns were shuffled over the batch. Its logit is then
    log q(z) - sum_d log q(z_d), whose mean is the total correlation.

    Terms  recon, kl: [batch], nats; tc: [batch], nats, the critic's logit.
    Critic's terms  critic: scalar, nats, binary cross-entropy with codes as they are labelled 1.
    Limit  gamma = 0 is the VAE.
    Ours  One logit instead of the authors' two with a softmax (the same model). The critic learns from a batch of
           its own, codes from one half and shuffled codes from the other, where the authors take the autoencoder's
           batch and a second one.
    """

    family: ClassVar[str] = "independent codes"
    smallest_batch: ClassVar[int] = 2
    kl: ClassVar[tuple[str, ...]] = ("kl",)
    estimates: ClassVar[str] = "tc"

    gamma: NonNegative = 35.0  # weight of the total correlation; 10 to 100, the authors' 35 on dSprites
    critic_layers: Count = 6
    critic_width: Count = 1000
    critic_steps: Count = 1  # critic updates per autoencoder update
    critic_warmup: CountOrZero = 0

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": 1.0, "tc": self.gamma}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        z = q.rsample()
        return {"recon": ae.nll(x, z), "kl": q.kl_to_standard().sum(1), "tc": widened(ctx.critic(z))}

    def critic(self, n_latents: int) -> nn.Module:
        return joint_critic(n_latents, self.critic_layers, self.critic_width)

    def critic_terms(self, critic: nn.Module, q: Posterior, ctx: Context) -> Terms:
        z = q.rsample()
        joint, other = z.chunk(2)  # unlike halves, so that no shuffled code is made of the codes beside it
        real, shuffled = widened(critic(joint)), widened(critic(permute_columns(other)))
        return {"critic": 0.5 * (softplus(-real).mean() + softplus(shuffled).mean())}
