"""What codes lose where something is known: factors of a few observations, or covariates of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from prismae.errors import InputError
from prismae.latent.gaussian import cross_covariance, widened


def supervised(
    z: Tensor, factors: Tensor, loss: Literal["xent", "cov", "l2"] = "xent", *, scale: Tensor | float = 1.0
) -> Tensor:
    """How far the first k latents of codes z [n, m] are from factors [n, k] in [0, 1], one from one: scalar.

    "xent": cross-entropy of a factor with sigmoid(z_j), nats, summed over factors and averaged over observations; its
    floor is the entropy of the factors taken as probabilities. "cov": the squares of the covariances of each latent,
    the further ones too, with all factors but its own, in squared units of the code; 0 where none is related. "l2":
    squared distance of `scale` z_j from the factor from -1 to 1, summed over factors, averaged; it may be learned.
    Locatello et al. 2020, arXiv:1905.01258, Sec. 3, and their code.
    """
    n, k = _sizes(z, factors)
    if loss == "l2":
        return (scale * z[:, :k] - (2 * factors.to(z.dtype) - 1)).square().sum() / n
    if loss == "xent":
        return binary_cross_entropy_with_logits(z[:, :k], factors.to(z.dtype), reduction="sum") / n
    between = cross_covariance(z, factors)
    return between.square().sum() - between.diagonal().square().sum()


def embedded(
    z: Tensor, factors: Tensor, values: Sequence[Tensor], places: Tensor, sharpness: Tensor
) -> Tensor:
    """Cross-entropy of each factor's value with the value whose place its latent is near, nats: scalar.

    Value v of factor j lies at e = a_j + b_j v on latent j, and has the probability softmax_v of -(s_j (z_j - e))^2;
    summed over factors, averaged over observations. "embed" of Locatello et al. 2020, arXiv:1905.01258, by their code.

    Parameters
    ----------
    z, factors
        [n, m] codes and [n, k] factors in [0, 1].
    values
        For each factor all its values, [v].
    places, sharpness
        [m, 2] a and b, and [m] s: learned.
    """
    n, k = _sizes(z, factors)
    total = z.new_zeros(())
    for j in range(k):
        known = values[j].to(z.dtype)
        logits = -((z[:, j, None] - places[j, 0] - places[j, 1] * known) * sharpness[j]).square()
        which = (factors[:, j, None] - known).abs().argmin(1)
        total = total + cross_entropy(logits, which, reduction="sum") / n
    return total


def _sizes(z: Tensor, factors: Tensor) -> tuple[int, int]:
    """Observations and factors, of which there are no more than latents."""
    n, k = factors.shape
    if z.shape[1] < k:
        raise InputError(f"{k} factors are known, so the code needs at least {k} latents, got {z.shape[1]}.")
    return n, k


def told(z: Tensor, given: Tensor) -> Tensor:
    """How much of codes z [n, m] is told by what is given of the observations, [n, g] of variance 1: scalar.

    The squares of all their covariances over the variance of the whole code: for each given element the share of that
    variance that it explains linearly, added up. 0 where none is related, at most g; the code's scale does not matter.
    Our own reading of a code that is free of its covariates.
    """
    variance = widened(z).var(0, correction=0).sum()
    return cross_covariance(z, given).square().sum() / variance.clamp(min=torch.finfo(variance.dtype).tiny)
