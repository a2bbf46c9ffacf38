"""Mean codes of a part of a world, as views and comparisons of runs take them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data import World
from prismae.latent.gaussian import Gaussian
from prismae.nets.autoencoder import AutoencoderNet

MEASURED = 2_000  # observations, where more would take long and say no more


def drawn_rows(world: World, n: int, seed: int = 0) -> Tensor:
    """Indices of up to n observations, drawn without replacement, in their order."""
    return torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(world))[:n]))


def encoded(net: AutoencoderNet, world: World, rows: Tensor) -> tuple[Tensor, NDArray | None]:
    """Mean codes [n, m] of observations, and the mean KL(q(z_i|x) || N(0, 1)) [m], nats; None without a density."""
    codes, kl = [], []
    with torch.no_grad():
        for part in rows.split(1024):
            posterior = net.encode(world.data[part])
            codes.append(posterior.mean)
            if isinstance(posterior, Gaussian):
                kl.append(posterior.kl_to_standard())
    return torch.cat(codes), torch.cat(kl).mean(0).numpy() if kl else None
