"""Mean codes of a part of a world, as views and comparisons of runs take them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from prismae.data import World
from prismae.nets.autoencoder import AutoencoderNet

MEASURED = 2_000  # observations, where more would take long and say no more


def drawn_rows(world: World, n: int, seed: int = 0) -> Tensor:
    """Indices of up to n observations, drawn without replacement, in their order."""
    return torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(world))[:n]))


def encoded(net: AutoencoderNet, world: World, rows: Tensor) -> Tensor:
    """Mean codes [n, m] of observations."""
    with torch.no_grad():
        return torch.cat([net.encode(world.data[part]).mean for part in rows.split(1024)])
