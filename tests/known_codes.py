"""Worlds and codes whose scores are known: what the tests check and the tables of the docs show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DSPRITES = (3, 6, 40, 32, 32)
SMALL = (3, 4, 5)
GRIDS = {  # values of each factor, as published
    "dsprites": DSPRITES,
    "shapes3d": (10, 10, 10, 8, 4, 15),
    "cars3d": (4, 24, 183),
    "smallnorb": (5, 9, 18, 6),
    "mpi3d": (6, 6, 2, 3, 3, 40, 40),
    "beamsynthesis": (3, 120),
}


def grid(sizes: tuple[int, ...]) -> NDArray[np.int32]:
    """Every combination of factor values once: [product of sizes, k]."""
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1).astype(np.int32)


def standardised(factors: NDArray) -> NDArray[np.float32]:
    """Factors with mean 0 and variance 1: the ideal codes."""
    return ((factors - factors.mean(axis=0)) / factors.std(axis=0)).astype(np.float32)


def small_world(copies: int = 20) -> NDArray[np.int32]:
    """A full grid of three factors, every point `copies` times, in random order."""
    factors = np.repeat(grid(SMALL), copies, axis=0)
    return np.random.default_rng(0).permutation(factors)


def dsprites_codes(factors: NDArray, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Ten-dimensional codes of a dSprites grid: what the table of check values is about.

    ideal: the factors, and five dead codes N(0, 0.01^2); noisy: noise of 0.1 on the factors; dup: the
    factors twice; rot_xy: x and y rotated by 45 degrees; rot_all: a random rotation of all factors; random:
    N(0, 1).
    """
    rng = np.random.default_rng(seed)
    ideal = standardised(factors)
    n, k = ideal.shape
    dead = 0.01 * rng.standard_normal((n, k), dtype=np.float32)
    turned = ideal.copy()
    turned[:, 3] = (ideal[:, 3] - ideal[:, 4]) / np.sqrt(2)
    turned[:, 4] = (ideal[:, 3] + ideal[:, 4]) / np.sqrt(2)
    rotation = np.linalg.qr(rng.standard_normal((k, k)))[0].astype(np.float32)
    return {
        "ideal": np.hstack([ideal, dead]),
        "noisy": np.hstack([ideal + 0.1 * rng.standard_normal((n, k), dtype=np.float32), dead]),
        "dup": np.hstack([ideal, ideal]),
        "rot_xy": np.hstack([turned, dead]),
        "rot_all": np.hstack([ideal @ rotation, dead]),
        "random": rng.standard_normal((n, 2 * k), dtype=np.float32),
    }
