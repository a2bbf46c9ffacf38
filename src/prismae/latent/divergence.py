"""Distances between two samples of codes: maximum mean discrepancy and sliced Wasserstein."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

Kernel = Literal["imq", "rbf"]
IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def kernel(squared: Tensor, m: int, name: Kernel) -> Tensor:
    """Kernel of squared distances between codes of m dimensions, for a prior of unit variance.

    "imq": sum over s in {.1, .2, .5, 1, 2, 5, 10} of C / (C + d^2) with C = 2 m s, so at most 7 (Tolstikhin et al.
    2018, and their code's scales). "rbf": exp(-d^2 / 2m), at most 1.
    """
    if name == "rbf":
        return torch.exp(squared / (-2 * m))
    scales = 2 * m * squared.new_tensor(IMQ_SCALES).view(-1, *[1] * squared.ndim)
    return (scales / (scales + squared)).sum(0)


def mmd(x: Tensor, y: Tensor, name: Kernel) -> Tensor:
    """Unbiased estimate of the squared maximum mean discrepancy of x, y [batch, m]: scalar, below 0 at times.

    The mean of k(x, x') and of k(y, y') over pairs of *different* samples, minus twice the mean of k(x, y).
    """
    m = x.shape[1]

    def within(z: Tensor) -> Tensor:
        pairs = kernel(_squared_distances(z, z), m, name)
        return (pairs.sum() - pairs.diagonal().sum()) / (len(z) * (len(z) - 1))

    return within(x) + within(y) - 2 * kernel(_squared_distances(x, y), m, name).mean()


def sliced_wasserstein(x: Tensor, y: Tensor, directions: int) -> Tensor:
    """Squared sliced Wasserstein-2 distance of x, y [batch, m], of equal size: scalar, never negative.

    The mean over random directions of the squared Wasserstein-2 distance of the projections, which sorting gives.
    Above 0 also for two samples of one distribution.
    """
    along = normalize(torch.randn(x.shape[1], directions, dtype=x.dtype, device=x.device), dim=0)
    with torch.autocast(x.device.type, enabled=False):
        return ((x @ along).sort(0).values - (y @ along).sort(0).values).square().mean()


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """[n, k] from x [n, m] and y [k, m]; by products, hence without n k m numbers in memory."""
    squares = x.square().sum(1).unsqueeze(1) + y.square().sum(1)
    with torch.autocast(x.device.type, enabled=False):  # bfloat16 would lose the small distances
        return (squares - 2 * x @ y.T).clamp(min=0)
