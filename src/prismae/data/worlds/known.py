"""The world `known`: small simulated data of many kinds, whose factors of variation are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.arrays import from_array
from prismae.data.own import from_memory
from prismae.errors import InputError

Split = Literal[
    "linear",
    "linear-small",
    "linear-noisy",
    "correlated",
    "nonlinear",
    "nonlinear-small",
    "nonlinear-large",
    "blocks",
    "levels",
    "mixed",
    "discs",
    "bars",
    "waves",
    "channels",
]

Rng = np.random.Generator
Array = NDArray[np.float64]


def load(split: Split = "linear") -> World:
    """Known answers: 14 simulated tables, images and series, 200 to 20,000 observations; needs no download.

    Tables: ``linear`` (3 uniform factors in 8 columns, 2,000 rows), ``linear-small`` (3 Laplacian ones in 6, 200 rows),
    ``linear-noisy`` (4 in 12, a tenth of the variance noise, 1,000 rows), ``correlated`` (as linear, the factors with
    correlations of 0.5), ``nonlinear`` (3 uniform factors through a random network to 8 columns, 2,000 rows),
    ``nonlinear-small`` (200 rows), ``nonlinear-large`` (5 factors, 20 columns, 20,000 rows), ``blocks`` (each of 3
    factors bends columns of its own), ``levels`` (3 factors of 3 to 5 levels), ``mixed`` (columns of numbers and of
    categories, each of one or two of 3 factors, 1,000 rows). Images of 16x16: ``discs`` (place and radius, 1,500) and
    ``bars`` (places of a row and of a column, brightness, 600). Series: ``waves`` (amplitude, frequency and phase,
    1,000 of 64 points) and ``channels`` (3 factors in 4 channels of 32 points, 800).
    """
    make = _MAKERS.get(split)
    if make is None:
        raise InputError(
            f"World 'known' has no split {split!r}, expected one of {', '.join(get_args(Split))}."
        )
    world = make(np.random.default_rng(sum(map(ord, split))))
    return replace(world, name=f"known:{split}", source=f"simulated data with known factors, {split}")


def _uniform(rng: Rng, n: int, k: int) -> Array:
    """[n, k] independent factors in [-1, 1]."""
    return rng.uniform(-1, 1, (n, k))


def _world(x: Array, factors: NDArray, **options: object) -> World:
    return from_array(x, factors=factors, name="known", **options)  # type: ignore[arg-type]


def _mixed(rng: Rng, factors: Array, d: int) -> Array:
    """[n, d] columns of unit variance, each a random mixture of all factors."""
    x = factors @ rng.normal(size=(factors.shape[1], d))
    return x / x.std(0)


def _bent(rng: Rng, factors: Array, d: int) -> Array:
    """[n, d] columns of unit variance that a random network with one hidden layer makes of the factors."""
    k = factors.shape[1]
    hidden = np.tanh(factors @ rng.normal(size=(k, 4 * k)) + rng.normal(scale=0.5, size=4 * k))
    x = hidden @ rng.normal(size=(4 * k, d)) + factors @ rng.normal(size=(k, d))
    return x / x.std(0)


def _linear(rng: Rng) -> World:
    factors = _uniform(rng, 2000, 3)
    return _world(_mixed(rng, factors, 8), factors)


def _linear_small(rng: Rng) -> World:
    factors = rng.laplace(size=(200, 3))
    return _world(_mixed(rng, factors, 6), factors)


def _linear_noisy(rng: Rng) -> World:
    factors = np.concatenate([_uniform(rng, 1000, 2), rng.laplace(size=(1000, 2)) / 2], 1)
    return _world(_mixed(rng, factors, 12) + rng.normal(scale=np.sqrt(1 / 9), size=(1000, 12)), factors)


def _correlated(rng: Rng) -> World:
    from scipy.stats import norm

    normal = rng.multivariate_normal(np.zeros(3), np.full((3, 3), 0.5) + 0.5 * np.eye(3), 2000)
    factors = 2 * norm.cdf(normal) - 1
    return _world(_mixed(rng, factors, 8), factors)


def _nonlinear(rng: Rng, n: int = 2000, k: int = 3, d: int = 8) -> World:
    factors = _uniform(rng, n, k)
    return _world(_bent(rng, factors, d), factors)


def _blocks(rng: Rng) -> World:
    factors = _uniform(rng, 2000, 3)
    parts = [_bent(rng, factors[:, [i]], d) for i, d in enumerate((3, 3, 2))]
    return _world(np.concatenate(parts, 1) + rng.normal(scale=0.05, size=(2000, 8)), factors)


def _levels(rng: Rng) -> World:
    factors = np.stack([rng.integers(size, size=1500) for size in (3, 4, 5)], 1)
    x = _bent(rng, (factors - factors.mean(0)) / factors.std(0), 9)
    return _world(x + rng.normal(scale=0.05, size=x.shape), factors)


def _mixed_columns(rng: Rng) -> World:
    (height, price), species = _uniform(rng, 1000, 2).T, rng.integers(3, size=1000)

    def noisy(values: Array, share: float = 0.1) -> Array:
        return values + rng.normal(scale=share * values.std(), size=len(values))

    table = pd.DataFrame(
        {
            "length": noisy(170 + 12 * height),
            "weight": noisy(60 * np.exp(0.4 * height)),
            "step": noisy(70 + 5 * height + 1.0 * height**2),
            "price": noisy(1000 * np.exp(0.8 * price)),
            "area": noisy(80 + 30 * price),
            "grade": np.array(["low", "middle", "high"])[np.digitize(noisy(price), (-1 / 3, 1 / 3))],
            "colour": np.array(["red", "green", "blue"])[species],
            "petals": noisy(np.array([4.0, 5.0, 7.0])[species]),
            "known size": height,
            "known worth": price,
            "known species": species,
        }
    )
    return from_memory(table, factors=("known size", "known worth", "known species"), name="known")


def _discs(rng: Rng) -> World:
    factors = _uniform(rng, 1500, 3)
    x, y, radius = 7.5 + 4 * factors[:, 0], 7.5 + 4 * factors[:, 1], 2.5 + factors[:, 2]
    rows, columns = np.mgrid[:16, :16]
    away = np.hypot(columns - x[:, None, None], rows - y[:, None, None])
    return _world(np.clip(radius[:, None, None] - away + 0.5, 0, 1), factors)


def _bars(rng: Rng) -> World:
    factors = _uniform(rng, 600, 3)
    at = np.arange(16)
    row = np.exp(-0.5 * ((at - 7.5 - 5 * factors[:, [0]]) / 1.2) ** 2)[:, :, None]
    column = np.exp(-0.5 * ((at - 7.5 - 5 * factors[:, [1]]) / 1.2) ** 2)[:, None, :]
    return _world(np.maximum(row, column) * (0.65 + 0.35 * factors[:, 2])[:, None, None], factors)


def _waves(rng: Rng) -> World:
    factors = _uniform(rng, 1000, 3)
    amplitude, frequency, phase = 1 + 0.5 * factors[:, [0]], 2 + 0.7 * factors[:, [1]], factors[:, [2]]
    t = np.linspace(0, 1, 64)
    x = amplitude * np.sin(2 * np.pi * frequency * t + phase) + rng.normal(scale=0.05, size=(1000, 64))
    return _world(x, factors, series="channels-first")


def _channels(rng: Rng) -> World:
    factors = _uniform(rng, 800, 3)
    t = np.linspace(-1, 1, 32)
    bump = np.exp(-((t - 0.6 * factors[:, [0]]) ** 2) / 0.08)
    slope, level = factors[:, [1]] * t, np.repeat(factors[:, [2]], 32, 1)
    x = np.stack([bump, bump + 0.5 * level, slope + level, slope], 1)
    return _world(x + rng.normal(scale=0.05, size=x.shape), factors, series="channels-first")


_MAKERS: dict[str, Callable[[Rng], World]] = {
    "linear": _linear,
    "linear-small": _linear_small,
    "linear-noisy": _linear_noisy,
    "correlated": _correlated,
    "nonlinear": _nonlinear,
    "nonlinear-small": lambda rng: _nonlinear(rng, n=200),
    "nonlinear-large": lambda rng: _nonlinear(rng, n=20_000, k=5, d=20),
    "blocks": _blocks,
    "levels": _levels,
    "mixed": _mixed_columns,
    "discs": _discs,
    "bars": _bars,
    "waves": _waves,
    "channels": _channels,
}
