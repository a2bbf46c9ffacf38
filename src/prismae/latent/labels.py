"""What codes lose where factors are known: a term that any method may add, for the few observations with labels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from prismae.errors import InputError
from prismae.latent.gaussian import covariance


def supervised(z: Tensor, factors: Tensor, loss: Literal["xent", "cov"] = "xent") -> Tensor:
    """How far the first k latents of codes z [n, m] are from factors [n, k] in [0, 1], one from one: scalar.

    "xent": cross-entropy of a factor with sigmoid(z_j), nats, summed over factors and averaged over observations; its
    floor is the entropy of the factors taken as probabilities. "cov": the squares of the covariances of each latent,
    the further ones too, with all factors but its own, in squared units of the code; 0 where none is related. Locatello
    et al. 2020, arXiv:1905.01258, Sec. 3, and their code.
    """
    n, k = factors.shape
    if z.shape[1] < k:
        raise InputError(f"{k} factors are known, so the code needs at least {k} latents, got {z.shape[1]}.")
    known = factors.to(z.dtype)
    if loss == "xent":
        return binary_cross_entropy_with_logits(z[:, :k], known, reduction="sum") / n
    m = z.shape[1]
    between = covariance(torch.cat([z, known], 1))[:m, m:]
    return between.square().sum() - between.diagonal().square().sum()
