"""Encoding all observations of a world, each once: codes, the deviations of posteriors, shares of components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from prismae._progress import Bar
from prismae.data import World
from prismae.latent.gaussian import Discrete, Gaussian
from prismae.methods import Clustering


def codes_table(net: nn.Module, world: World, *, progress: bool = False) -> NDArray[np.float32]:
    """Mean codes of every observation, [n, m], by an autoencoder's `encode`, in evaluation mode where it lies."""
    return _table(net, world, lambda x: net.encode(x).mean, progress)  # type: ignore[operator]


def deviations_table(net: nn.Module, world: World, *, progress: bool = False) -> NDArray[np.float32]:
    """Standard deviations of the posteriors of every observation, [n, m]; 0 where codes have no density."""

    def deviations(x: Tensor) -> Tensor:
        q = net.encode(x)  # type: ignore[operator]
        return torch.exp(0.5 * q.log_var) if isinstance(q, Gaussian) else torch.zeros_like(q.mean)

    return _table(net, world, deviations, progress)


def takes_levels(net: Any, world: World) -> bool:
    """Whether an autoencoder's codes take one of few values each."""
    with torch.no_grad():
        first = world.data[torch.zeros(1, dtype=torch.int64, device=world.data.device)]
        return isinstance(net.encode(first.to(next(net.parameters()).device)), Discrete)


def assignments_table(
    method: Clustering, net: Any, world: World, *, progress: bool = False
) -> NDArray[np.float32]:
    """Shares of a clustering method's components in every observation, [n, K]."""
    return _table(net, world, lambda x: method.responsibilities(net, x), progress)


def _table(
    net: nn.Module, world: World, encode: Callable[[Tensor], Tensor], progress: bool
) -> NDArray[np.float32]:
    training = net.training
    device = next(net.parameters()).device
    with Bar("encoding", len(world), enabled=progress) as bar:

        def part(x: Tensor) -> Tensor:
            bar.advance(len(x))
            return encode(x)

        try:
            net.eval()
            return world.to(device).codes_table(part)
        finally:
            net.train(training)
