"""GMVAE: a Gaussian mixture prior whose components are themselves drawn from a latent."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch
from torch import Tensor, nn

from prismae.fields import Count, NonNegative
from prismae.latent.gaussian import Gaussian, Posterior
from prismae.latent.mixture import categorical_kl, log_assignments, sample_mixture
from prismae.methods._base import Clustering, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class GMVAE(Clustering):
    """Clusters, their shapes drawn from a second latent.

    Gaussian mixture VAE. Dilokthanakul et al. 2016, "Deep unsupervised clustering with Gaussian mixture variational
    autoencoders", arXiv:1611.02648.

    Generative model, for data y: w ~ N(0, I), c ~ uniform over K, x | c, w ~ N(mu_c(w), sigma_c(w)^2), y | x. The
    encoder gives q(x|y) and q(w|y); q(c|x,w) follows by Bayes' rule. In code: z is the paper's x, w its w.

    Terms  recon: [batch], nats; conditional: [batch], nats, sum_c q(c|z,w) [log q(z|y) - log N(z; mu_c(w),
           sigma_c(w)^2)] at one sample; w_prior: [batch], nats, KL(q(w|y) || N(0, I)); c_prior: scalar, nats,
           KL(q(c|z,w) || uniform), the batch's mean, not below `floor`.
    Limit  n_components = 1 and floor = 0 is a two-level VAE with prior N(mu(w), sigma(w)^2) on z.
    Ours  The conditional term by the same sample as the rest, where the paper takes KLs to each component. As in the
           authors' code the floor acts on the batch's mean, and q(w|y) shares the encoder's trunk.
    """

    family: ClassVar[str] = "mixture priors"

    n_components: Count = 10  # K
    w_latents: Count = 10  # dimensions of w
    prior_width: Count = 500  # hidden units from w to the components
    floor: NonNegative = 0.5  # nats below which c_prior is not minimised: keeps the components alive at first

    def n_outputs(self, n_latents: int) -> int:
        return 2 * n_latents + 2 * self.w_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return self._read(parameters)[0]

    def modules(self, n_latents: int) -> nn.ModuleDict:
        components = nn.Sequential(
            nn.Linear(self.w_latents, self.prior_width),
            nn.Tanh(),
            nn.Linear(self.prior_width, self.n_components * 2 * n_latents),
            nn.Unflatten(1, (self.n_components, 2 * n_latents)),
        )
        return nn.ModuleDict({"components": components})

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "conditional": 1.0, "w_prior": 1.0, "c_prior": 1.0}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q_z, q_w = self._read(ae.encoded(x))
        z = q_z.rsample()
        components, uniform = self._mixture(ae, q_w.rsample())
        log_c = log_assignments(z, components, uniform)
        log_p = (log_c.exp() * components.log_prob(z.unsqueeze(1)).sum(2)).sum(1)
        return {
            "recon": ae.nll(x, z),
            "conditional": q_z.log_prob(z).sum(1) - log_p,
            "w_prior": q_w.kl_to_standard().sum(1),
            "c_prior": categorical_kl(log_c, uniform).mean().clamp(min=self.floor),
        }

    def responsibilities(self, ae: AutoencoderNet, x: Tensor) -> Tensor:
        q_z, q_w = self._read(ae.encoded(x))
        return log_assignments(q_z.mean, *self._mixture(ae, q_w.mean)).exp()

    def prior_sample(self, ae: AutoencoderNet, n_latents: int, n: int) -> Tensor:
        return sample_mixture(*self._mixture(ae, torch.randn(n, self.w_latents, device=ae.mean.device)), n)

    def _read(self, parameters: Tensor) -> tuple[Gaussian, Gaussian]:
        """q(z|y) and q(w|y) in the encoder's output."""
        z, w = parameters.tensor_split([-2 * self.w_latents], 1)
        return Gaussian.from_parameters(z), Gaussian.from_parameters(w)

    def _mixture(self, ae: AutoencoderNet, w: Tensor) -> tuple[Gaussian, Tensor]:
        """The components [batch, K, m] at w, and the logarithms of their equal weights [K]."""
        components = Gaussian.from_parameters(ae.parts["components"](w))
        return components, w.new_full((self.n_components,), -log(self.n_components))
