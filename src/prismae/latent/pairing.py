"""Posteriors of pairs of observations: which latents they share, and what the shared ones become."""

from __future__ import annotations

import torch
from torch import Tensor

from prismae.latent.gaussian import Gaussian


def shared(q: Gaussian, p: Gaussian, *, symmetric: bool = False) -> Tensor:
    """[batch, m] whether a pair's posteriors q and p agree in each latent, without a gradient.

    They do where KL(q_j || p_j) is below the middle between its least and its greatest value over the latents of the
    pair (Locatello et al. 2020, arXiv:2002.02886, Sec. 4.1); where all are equal they agree in none.
    `symmetric` takes the mean of both directions.
    """
    with torch.no_grad():
        kl = (q.kl_to(p) + p.kl_to(q)) / 2 if symmetric else q.kl_to(p)
        low, high = kl.aminmax(dim=1, keepdim=True)
        return kl < (low + high) / 2


def averaged(q: Gaussian, p: Gaussian) -> Gaussian:
    """The Gaussian of the mean of two means, and of the mean of two variances (GVAE, Hosoya 2019)."""
    return Gaussian(
        (q.mean + p.mean) / 2, torch.logaddexp(q.log_var, p.log_var) - torch.log(q.mean.new_tensor(2.0))
    )


def multiplied(q: Gaussian, p: Gaussian) -> Gaussian:
    """The Gaussian of the mean of two means by their precisions, and of the harmonic mean of their variances.

    That is the normalised product of the two densities (ML-VAE, Bouchacourt et al. 2018), but of *twice* its variance,
    so that two equal ones stay as they are; so it is in the authors' code of Locatello et al. 2020.
    """
    mean = q.mean + torch.sigmoid(q.log_var - p.log_var) * (p.mean - q.mean)
    log_precision = torch.logaddexp(-q.log_var, -p.log_var) - torch.log(q.mean.new_tensor(2.0))
    return Gaussian(mean, -log_precision)


def where(condition: Tensor, q: Gaussian, p: Gaussian) -> Gaussian:
    """q where the condition [batch, m] holds, else p."""
    return Gaussian(torch.where(condition, q.mean, p.mean), torch.where(condition, q.log_var, p.log_var))
