"""Laplace distributions around codes."""

from __future__ import annotations

from math import log, pi, sqrt

import torch
from torch import Tensor

from prismae.latent.gaussian import Gaussian


def cross_entropy(q: Gaussian, centre: Tensor, rate: float) -> Tensor:
    """-E log p(z) for z ~ q under a Laplace distribution of such a rate around `centre`, per dimension, in nats.

    -log(rate / 2) + rate E|z - centre|, the mean of a folded Gaussian. Klindt et al. 2021, arXiv:2007.10930, Eq. 7.
    """
    shift, deviation = q.mean - centre, torch.exp(0.5 * q.log_var)
    ratio = shift / deviation
    folded = sqrt(2 / pi) * deviation * torch.exp(-0.5 * ratio.square()) + shift * torch.erf(ratio / sqrt(2))
    return rate * folded - log(rate / 2)
