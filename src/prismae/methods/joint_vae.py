"""JointVAE: categories beside continuous latents, each held at a capacity that grows."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch
from torch import Tensor, nn

from prismae.errors import InputError
from prismae.fields import AtLeastTwo, Count, NonNegative, Positive
from prismae.latent.categorical import Joint, kl_to_even
from prismae.latent.gaussian import Gaussian
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class JointVAE(Method):
    """Kinds, and what varies within all of them alike.

    JointVAE. Dupont 2018, "Learning disentangled joint continuous and discrete representations",
    arXiv:1804.00104, Eq. 7: recon + gamma |KL_z - C_z| + gamma |KL_c - C_c|.

    The first columns of the code are `groups` of `categories`, in training relaxed draws (Gumbel-softmax) and otherwise
    0 and 1; the others are Gaussian. Both capacities grow linearly from 0.

    Terms  recon: [batch], nats; excess: scalar, nats, |KL_z - C_z| of the Gaussian latents' mean KL over the batch;
           excess_categories: scalar, nats, |KL_c - C_c| of the mean KL of the categories to even ones.
    Observations  kl, kl_categories: scalars, nats, the batch's means.
    Limit  capacity = category_capacity = 0 is a beta-VAE with beta = gamma. C_c stops at groups log(categories), the
           most that categories can tell.
    Authors' code  divides the loss by the number of pixels, and reconstructions by that of pixels and channels, so that
           colour images count a third; sums here.
    Ours  2 categories by default, as code sizes are small; the authors have 10 on MNIST, beside 10 continuous latents
           (``-p categories=10 --latents 20``), whose other settings are the defaults.
    """

    family: ClassVar[str] = "mixture priors"

    categories: AtLeastTwo = 2
    groups: Count = 1
    gamma: NonNegative = 30.0
    capacity: NonNegative = 5.0  # nats, the last C_z
    category_capacity: NonNegative = 5.0  # nats, the last C_c
    capacity_steps: Count = 25_000  # steps over which both grow
    temperature: Positive = 0.67  # of the relaxed draws

    def n_outputs(self, n_latents: int) -> int:
        columns = self.groups * self.categories
        if n_latents < columns:
            raise InputError(
                f"joint-vae: {self.groups} x {self.categories} categories are columns of the code, so it needs at "
                f"least {columns} latents, got {n_latents}: give more latents (--latents), or fewer categories."
            )
        return columns + 2 * (n_latents - columns)

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Joint:
        columns = self.groups * self.categories
        logits = parameters[:, :columns].unflatten(1, (self.groups, self.categories))
        return Joint.of(logits, Gaussian.from_parameters(parameters[:, columns:]))

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "excess": self.gamma, "excess_categories": self.gamma}

    def observations(self) -> tuple[str, ...]:
        return ("kl", "kl_categories")

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        kl, kl_categories = q.gaussian.kl_to_standard().sum(1).mean(), kl_to_even(q.logits).sum(1).mean()
        grown = min(1.0, ctx.step / self.capacity_steps)
        most = self.groups * log(self.categories)
        return {
            "recon": ae.nll(x, q.drawn(self.temperature)),
            "excess": (kl - self.capacity * grown).abs(),
            "excess_categories": (kl_categories - min(self.category_capacity * grown, most)).abs(),
            "kl": kl,
            "kl_categories": kl_categories,
        }

    def prior_sample(self, ae: AutoencoderNet, n_latents: int, n: int) -> Tensor:
        even = torch.zeros(n, self.groups, self.categories, device=ae.mean.device)
        which = torch.randint(self.categories, (n, self.groups, 1), device=even.device)
        rest = torch.randn(n, n_latents - self.groups * self.categories, device=even.device)
        return torch.cat([even.scatter(2, which, 1.0).flatten(1), rest], 1)

    def settled(self) -> int:
        return self.capacity_steps

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=5e-4)
