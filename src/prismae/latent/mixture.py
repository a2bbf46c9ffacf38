"""Mixtures of diagonal Gaussians as priors of codes, and weighted sums of Gaussians as posteriors.

Components have shape [k, m], or [batch, k, m]; weights [k], or [batch, k].
"""

from __future__ import annotations

import torch
from torch import Tensor

from prismae.latent.gaussian import Gaussian


def log_assignments(z: Tensor, components: Gaussian, log_weights: Tensor) -> Tensor:
    """Log-probabilities [batch, k] that a code z [batch, m] came from each component, by Bayes' rule."""
    joint = components.log_prob(z.unsqueeze(1)).sum(2) + log_weights
    return joint - torch.logsumexp(joint, 1, keepdim=True)


def kl_to_components(q: Gaussian, components: Gaussian) -> Tensor:
    """KL(q || component) in closed form for each component: [batch, k], nats."""
    return Gaussian(q.mean.unsqueeze(1), q.log_var.unsqueeze(1)).kl_to(components).sum(2)


def pairwise_kl(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q_i || p_j) in closed form for all pairs of components of q [..., k, m] and p [..., j, m]: [..., k, j]."""
    rows = Gaussian(q.mean.unsqueeze(-2), q.log_var.unsqueeze(-2))
    columns = Gaussian(p.mean.unsqueeze(-3), p.log_var.unsqueeze(-3))
    return rows.kl_to(columns).sum(-1)


def mixture_kl_bound(q: Gaussian, q_weights: Tensor, p: Gaussian, p_weights: Tensor) -> Tensor:
    """sum_ij w_i v_j KL(q_i || p_j) for two mixtures per row: [batch], nats (HGMVAE, Eq. 4).

    At least KL of the two mixtures, since KL is convex in both. So it is 0 only if all components with a weight are
    one and the same: two equal mixtures of different components are *not* at 0.
    """
    return torch.einsum("bi,bij,bj->b", q_weights, pairwise_kl(q, p), p_weights)


def categorical_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p || q) of categorical distributions from normalised log-probabilities [batch, k]: [batch], nats."""
    return (log_p.exp() * (log_p - log_q)).sum(1)


def weighted_sum(components: Gaussian, weights: Tensor) -> Gaussian:
    """Distribution of sum_k w_k u_k for independent u_k ~ component k: one Gaussian [batch, m], no mixture."""
    w = weights.unsqueeze(2)
    variance = (w.square() * components.log_var.exp()).sum(1)
    return Gaussian((w * components.mean).sum(1), variance.log())


def fisher_ratio(components: Gaussian, weights: Tensor) -> Tensor:
    """tr((sum_k w_k^2 Sigma_k)^-1 (sum_k w_k^2 mu_k mu_k^T)) (HGMVAE, Eq. 13): [batch], without unit, at least 0.

    Fisher's discriminant of the scaled components N(w_k mu_k, w_k^2 Sigma_k) about 0. Only the diagonals meet, as
    Sigma_k are diagonal. Unbounded above.
    """
    squared = weights.square().unsqueeze(2)
    between = (squared * components.mean.square()).sum(1)
    within = (squared * components.log_var.exp()).sum(1)
    return (between / within).sum(1)


def batch_fisher_ratio(codes: Tensor, shares: Tensor) -> Tensor:
    """sum_d S_B[d, d] / S_W[d, d] over a batch of codes [batch, m], classes by their shares [batch, k] (HGMVAE, Eqs.
    8-10): scalar, without unit, at least 0.

    Each code counts in each class by its share. S_W sums squared distances from the class means, S_B those of the class
    means from the mean of all, as often as the class has codes; of both the diagonals. Unbounded above.
    """
    size = shares.sum(0)  # [k]
    means = shares.T @ codes / size.clamp_min(torch.finfo(size.dtype).tiny).unsqueeze(1)
    between = size @ (means - codes.mean(0)).square()
    within = torch.einsum("bk,bkd->d", shares, (codes.unsqueeze(1) - means).square())
    return (between / within).sum()


def sample_mixture(components: Gaussian, log_weights: Tensor, n: int) -> Tensor:
    """n codes [n, m], each from one component drawn by its weight, from torch's current generator."""
    chosen = torch.multinomial(log_weights.exp().expand(n, -1), 1).unsqueeze(2)
    mean, log_var = (
        part.expand(n, -1, -1).gather(1, chosen.expand(-1, -1, part.shape[-1])).squeeze(1)
        for part in (components.mean, components.log_var)
    )
    return Gaussian(mean, log_var).rsample()
