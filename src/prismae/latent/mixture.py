"""Mixtures of diagonal Gaussians as priors of codes. Components have shape [k, m], or [batch, k, m]."""

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


def categorical_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p || q) of categorical distributions from normalised log-probabilities [batch, k]: [batch], nats."""
    return (log_p.exp() * (log_p - log_q)).sum(1)
