"""VaDE: a VAE whose prior is a learned mixture of Gaussians, for clustering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from prismae.control import Controller, Ramp
from prismae.fields import Count, CountOrZero
from prismae.latent.mixture import categorical_kl, kl_to_components, log_assignments, sample_mixture
from prismae.methods._base import Clustering, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.mixture import Mixture
from prismae.optimizer import Optimizer

FITTED = 10_000  # observations whose codes start the mixture


@dataclass(frozen=True)
class VaDE(Clustering):
    """Clusters: a mixture, started from an autoencoder's codes.

    Variational deep embedding. Jiang et al. 2017, arXiv:1611.05148.

    Generative model: c ~ Cat(pi), z | c ~ N(mu_c, diag sigma_c^2), x | z; q(c|x) is p(c|z) by Bayes' rule. For the
    first `pretrain_steps` the model is a deterministic autoencoder (the mean code, weights of the priors 0); then a
    Gaussian mixture of diagonal covariances, fitted to the codes by EM, starts pi, mu and sigma.

    Terms  recon: [batch], nats; kl: [batch], nats, sum_c q(c|x) KL(q(z|x) || N(mu_c, sigma_c^2)); c_prior: [batch],
           nats, KL(q(c|x) || pi).
    Limit  one component with mu = 0 and sigma = 1 is the VAE.
    Ours  q(c|x) by one sample z (as the authors do). The number of pre-training steps; 10,000 evenly spaced
           observations start the mixture; the learning rate is constant, the authors' falls by 0.9 every 10 epochs, to
           2e-4 at least. Adam's epsilon of 1e-4 is theirs, and needed: the gradients are small when pre-training ends,
           so with 1e-8 the first steps on the new terms are so long that an MLP's codes leave the mixture for good.
    """

    family: ClassVar[str] = "mixture priors"

    n_components: Count = 10
    pretrain_steps: CountOrZero = 2000

    def modules(self, n_latents: int) -> nn.ModuleDict:
        return nn.ModuleDict({"mixture": Mixture(self.n_components, n_latents)})

    @classmethod
    def name(cls) -> str:
        return "vade"

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": 1.0, "c_prior": 1.0}

    def controllers(self) -> tuple[Controller, ...]:
        if self.pretrain_steps == 0:
            return ()
        return tuple(Ramp(name, steps=1, delay=self.pretrain_steps - 1) for name in ("kl", "c_prior"))

    def settled(self) -> int:
        return self.pretrain_steps

    def prepare(self, ae: AutoencoderNet, observations: Callable[[int], Tensor], step: int) -> None:
        if step != self.pretrain_steps:
            return
        codes = torch.cat([ae.encode(part).mean for part in observations(FITTED).split(1000)])
        seed = int(torch.randint(2**31 - 1, ()))
        fitted = GaussianMixture(self.n_components, covariance_type="diag", random_state=seed)
        fitted.fit(codes.double().cpu().numpy())
        mixture = ae.parts["mixture"]
        assert isinstance(mixture, Mixture)
        mixture.logits.copy_(torch.from_numpy(fitted.weights_).log())
        mixture.mean.copy_(torch.from_numpy(fitted.means_))
        mixture.log_var.copy_(torch.from_numpy(fitted.covariances_).log())

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        z = q.mean if ctx.step < self.pretrain_steps else q.rsample()
        components, log_weights = ae.parts["mixture"]()
        log_c = log_assignments(z, components, log_weights)
        return {
            "recon": ae.nll(x, z),
            "kl": (log_c.exp() * kl_to_components(q, components)).sum(1),
            "c_prior": categorical_kl(log_c, log_weights),
        }

    def responsibilities(self, ae: AutoencoderNet, x: Tensor) -> Tensor:
        components, log_weights = ae.parts["mixture"]()
        return log_assignments(ae.encode(x).mean, components, log_weights).exp()

    def prior_sample(self, ae: AutoencoderNet, n_latents: int, n: int) -> Tensor:
        components, log_weights = ae.parts["mixture"]()
        return sample_mixture(components, log_weights, n)

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=2e-3, eps=1e-4)
