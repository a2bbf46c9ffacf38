"""HGMVAE: each observation has its own weighted sum of Gaussians, and a hierarchical latent behind them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from prismae.fields import Count, CountOrZero, NonNegative
from prismae.latent.decomposition import decompose_kl_by_groups, log_aggregates
from prismae.latent.gaussian import Gaussian, Posterior
from prismae.latent.mixture import (
    batch_fisher_ratio,
    categorical_kl,
    fisher_ratio,
    mixture_kl_bound,
    weighted_sum,
)
from prismae.methods._base import Clustering, Context, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.mixture import ComponentNets
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class HGMVAE(Clustering):
    """Clusters and factors: observations mix Gaussians.

    Hierarchical Gaussian mixture VAE. Zhou, Liu & Du 2024, "HGMVAE: hierarchical disentanglement in Gaussian
    mixture variational autoencoder", The Visual Computer (Eqs. 1 to 14).

    Generative model, for data y: weights w ~ p(w), z_k ~ N(0, I) for k = 1..K, u_k | z_k, w ~ N(mu_k, diag sigma_k^2),
    u = sum_k w_k u_k, y | u. The encoder gives q(u_k|y) and q(w|y); q(z|u,w) is a network on both. hgmvae-g: w is the
    softmax of Gaussian logits with prior N(0, I); hgmvae-u: w is a function of y, pulled to equal weights.
    In code: x is the paper's y, u its x, and the code is E[u] at the mean logits.

    Terms  recon: [batch], the likelihood's unit. w_prior: [batch], nats, KL of the logits to N(0, I), or log K - H(w).
           mi, tc, inner_tc, dwkl: [batch], nats, the parts of KL(q(z|u,w) || p(z)) over two levels (Eqs. 5-7), tc
           between the z_k and inner_tc between the dimensions of each; estimates from one batch, may be below 0.
           conditional: [batch], nats. component_tc: [batch], nats, total correlation between the u_k, with
           conditional = "decomposed" only. fisher: [batch], or scalar over a batch (Eqs. 8-10), without unit, *minus*
           log(1 + F_reg) or F_reg (Eq. 13). In the first `vae_steps` dwkl is KL(q(u|y) || N(0, I)), the others but
           recon are 0.
    Observations  w_entropy: scalar, nats, mean H(w): log K for equal weights, 0 for one component per observation.
    Limits  n_components = 1 and fisher_weight = 0 is a two-level VAE, p(u) = E_z N(mu(z), sigma(z)^2), whatever
           `conditional` says; with the other weights 1, "sum" bounds the model's own evidence. With z_is =
           "components" and one component it is the VAE.
    Ours  The softmax; p(u_k|z_k,w) has a network for each k, whose means start at draws from N(0, I); d = 2, where the
           paper leaves it open; log(1 + F_reg) and its weight: above 0.5 one sigma would run to its bound. What the
           paper's equations leave open or contradict is listed in docs/methods/hgmvae.md.
    """

    family: ClassVar[str] = "mixture priors"
    smallest_batch: ClassVar[int] = 2
    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "hgmvae-g": {"variant": "g"},
        "hgmvae-u": {"variant": "u"},
    }

    variant: Literal["g", "u"] = "g"  # prior of the weights: Gaussian before a softmax, or uniform
    n_components: Count = 10  # K
    z_latents: Count = 2  # d, dimensions of each z_k
    width: Count = 256  # hidden units of q(z|u,w) and p(u|w,z)
    conditional: Literal["pairs", "decomposed", "sum"] = "pairs"  # Eq. 4; A and B of Eq. 14; Eq. 3 with Eq. 1
    z_is: Literal["behind", "components"] = (
        "behind"  # p(u|w,z) of Eq. 2, or z_k = u_k with prior N(0, I), Eq. 1
    )
    vae_steps: CountOrZero = 0  # steps as a VAE first: "initialized with the network parameters from the VAE"
    fisher: Literal["log", "raw"] = "log"  # log(1 + F_reg), or F_reg as printed
    fisher_over: Literal["observation", "batch"] = (
        "observation"  # Eq. 13, or Eqs. 8-10 over the batch's codes
    )
    w_prior_weight: NonNegative = 1.0
    mi_weight: NonNegative = 1.0  # of the index-code mutual information of z
    tc_weight: NonNegative = 1.0  # of the total correlation between the z_k, level 1
    inner_tc_weight: NonNegative = 1.0  # of the total correlation between the dimensions of each z_k, level 2
    dwkl_weight: NonNegative = 1.0  # of the dimension-wise KL of z
    conditional_weight: NonNegative = 1.0
    component_tc_weight: NonNegative = 1.0  # of the total correlation between the u_k; "decomposed" only
    fisher_weight: NonNegative = 0.1  # 0 is the paper's "w/o F_reg"

    def n_outputs(self, n_latents: int) -> int:
        return self.n_components * 2 * n_latents + self._w_outputs

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        """q(u|y) at the mean weights: its mean is the code, sum_k w_k mu_k."""
        components, w_head = self._read(parameters)
        return weighted_sum(components, self._mean_weights(w_head))

    def modules(self, n_latents: int) -> nn.ModuleDict:
        if self.z_is == "components":
            return nn.ModuleDict()
        k, d = self.n_components, self.z_latents
        inference = nn.Sequential(
            nn.Linear(n_latents + k, self.width),
            nn.ReLU(),
            nn.Linear(self.width, k * 2 * d),
            nn.Unflatten(1, (k, 2 * d)),
        )
        return nn.ModuleDict({"z": inference, "components": ComponentNets(k, d, n_latents, self.width)})

    def weights(self) -> dict[str, float]:
        weights = {
            "recon": 1.0,
            "w_prior": self.w_prior_weight,
            "mi": self.mi_weight,
            "tc": self.tc_weight,
            "inner_tc": self.inner_tc_weight,
            "dwkl": self.dwkl_weight,
            "fisher": self.fisher_weight,
        }
        if self.z_is == "components":
            return weights
        weights |= {"conditional": self.conditional_weight}
        return weights | (
            {"component_tc": self.component_tc_weight} if self.conditional == "decomposed" else {}
        )

    def observations(self) -> tuple[str, ...]:
        return ("w_entropy",)

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q, w_head = self._read(ae.encoded(x))
        if ctx.step < self.vae_steps:
            return self._vae_terms(ae, x, weighted_sum(q, self._mean_weights(w_head)))
        w, w_prior = self._drawn_weights(w_head)
        parts = q.rsample()  # u_k, [batch, K, m]
        u = (w.unsqueeze(2) * parts).sum(1)
        if self.z_is == "components":
            q_z, z = q, parts
        else:
            q_z = Gaussian.from_parameters(ae.parts["z"](torch.cat([u, w], 1)))
            z = q_z.rsample()
        mi, tc, inner_tc, dwkl = decompose_kl_by_groups(q_z.flatten(), z.flatten(1), ctx.n_data, z.shape[2])
        ratio = fisher_ratio(q, w) if self.fisher_over == "observation" else batch_fisher_ratio(u, w)
        terms = {
            "recon": ae.nll(x, u),
            "w_prior": w_prior,
            "mi": mi,
            "tc": tc,
            "inner_tc": inner_tc,
            "dwkl": dwkl,
            "fisher": -(torch.log1p(ratio) if self.fisher == "log" else ratio),
            "w_entropy": -torch.xlogy(w, w).sum(1).mean(),
        }
        if self.z_is == "components":
            return terms
        p = ae.parts["components"](z, w)
        if self.conditional == "sum":
            return terms | {"conditional": weighted_sum(q, w).kl_to(weighted_sum(p, w)).sum(1)}
        if self.conditional == "pairs":
            return terms | {"conditional": mixture_kl_bound(q, w, p, w)}
        joint, components = (
            each.sum(1)
            for each in log_aggregates(
                q.flatten(), parts.flatten(1), ctx.n_data, (parts[0].numel(), parts.shape[2]), "stratified"
            )
        )
        return terms | {"conditional": q.kl_to(p).sum((1, 2)), "component_tc": joint - components}

    def _vae_terms(self, ae: AutoencoderNet, x: Tensor, q: Gaussian) -> Terms:
        """Those of a VAE whose posterior is the sum of the components at their mean weights."""
        zero = x.new_zeros(len(x))
        none = dict.fromkeys([*self.weights(), *self.observations()], zero) | {"w_entropy": zero.mean()}
        return none | {"recon": ae.nll(x, q.rsample()), "dwkl": q.kl_to_standard().sum(1)}

    def settled(self) -> int:
        return self.vae_steps

    def responsibilities(self, ae: AutoencoderNet, x: Tensor) -> Tensor:
        _, w_head = self._read(ae.encoded(x))
        return self._mean_weights(w_head)

    def prior_sample(self, ae: AutoencoderNet, n_latents: int, n: int) -> Tensor:
        logits = ae.mean.new_empty(n, self.n_components)
        # softmax of N(0, I), or uniform on the simplex: normalised exponential numbers
        w = logits.normal_().softmax(1) if self.variant == "g" else logits.exponential_().log_().softmax(1)
        if self.z_is == "components":
            return torch.einsum(
                "nk,nkm->nm", w, torch.randn(n, self.n_components, n_latents, device=w.device)
            )
        z = torch.randn(n, self.n_components, self.z_latents, device=w.device)
        return weighted_sum(ae.parts["components"](z, w), w).rsample()

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3, weight_decay=0.01, decoupled=True)

    @property
    def _w_outputs(self) -> int:
        return (2 if self.variant == "g" else 1) * self.n_components

    def _read(self, parameters: Tensor) -> tuple[Gaussian, Tensor]:
        """The components of q(u|y) [batch, K, m], and what q(w|y) is made of."""
        components, w_head = parameters.tensor_split([-self._w_outputs], 1)
        return Gaussian.from_parameters(components.unflatten(1, (self.n_components, -1))), w_head

    def _mean_weights(self, w_head: Tensor) -> Tensor:
        return w_head[:, : self.n_components].softmax(1)

    def _drawn_weights(self, w_head: Tensor) -> tuple[Tensor, Tensor]:
        """Weights w [batch, K] of each observation, and the w-prior [batch]."""
        if self.variant == "u":
            log_w = w_head.log_softmax(1)
            return log_w.exp(), categorical_kl(log_w, torch.full_like(log_w, -log(self.n_components)))
        q_w = Gaussian.from_parameters(w_head)
        return q_w.rsample().softmax(1), q_w.kl_to_standard().sum(1)
