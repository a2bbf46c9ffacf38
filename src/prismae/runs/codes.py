"""Mean codes of a part of a world, as views and comparisons of runs take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod

import numpy as np
import torch
from torch import Tensor

from prismae.data import World
from prismae.data.moments import Moments
from prismae.nets.autoencoder import AutoencoderNet

MEASURED = 2_000  # observations, where more would take long and say no more
WIDE = 100_000  # elements of an observation: of wider ones fewer are looked at,
LOOKED = 2**27  # as many as have so many elements together, though no fewer than
FEWEST = 100
_TOGETHER, _ELEMENTS = 1024, 2**24  # observations that are drawn at once, and their elements: 64 MB


def looked_at(world: World, most: int) -> int:
    """How many observations of a world are looked at: `most`, and fewer of wide ones, which would take minutes."""
    size = prod(world.shape)
    return most if size <= WIDE else min(most, max(FEWEST, LOOKED // size))


def drawn_rows(world: World, n: int, seed: int = 0) -> Tensor:
    """Indices of up to n observations, drawn without replacement, in their order."""
    return torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(world))[:n]))


def in_parts(world: World, rows: Tensor) -> Sequence[Tensor]:
    """The indices, as many at a time as are drawn at once: fewer where observations are large."""
    return rows.split(max(1, min(_TOGETHER, _ELEMENTS // prod(world.shape))))


def moments(world: World, rows: Tensor, become: Callable[[Tensor], Tensor] = lambda x: x) -> Moments:
    """Those of each element of some observations, or of what is made of them."""
    parts = (become(world.data[part]).numpy() for part in in_parts(world, rows))
    return reduce(Moments.with_others, map(Moments.of_part, parts))


def encoded(net: AutoencoderNet, world: World, rows: Tensor) -> Tensor:
    """Mean codes [n, m] of observations."""
    with torch.no_grad():
        return torch.cat([net.encode(world.data[part]).mean for part in in_parts(world, rows)])
