"""A genetic algorithm on a box, as pure functions: genes [population, k], the greatest fitness wins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ETA = 5.0  # of the crossover: the greater, the nearer are children to their parents
CROSSED = 0.9  # share of children that have two parents
MUTATED = 0.3  # share of genes that move


def first_generation(
    own: NDArray, size: int, low: NDArray, high: NDArray, rng: np.random.Generator
) -> NDArray:
    """`own` [k] and size - 1 others, uniform in the box from `low` to `high` [k]: [size, k]."""
    return np.vstack([own, rng.uniform(low, high, (size - 1, len(own)))])


def next_generation(
    genes: NDArray, fitness: NDArray, scale: float, low: NDArray, high: NDArray, rng: np.random.Generator
) -> NDArray:
    """The fittest as it is, in the first row; all others are children of tournaments' winners.

    Parameters
    ----------
    genes, fitness
        [population, k] and [population].
    scale
        Scale of mutations, in the genes' unit.
    low, high
        [k] bounds of the box.
    """
    children = len(genes) - 1
    mothers, fathers = (genes[tournament(fitness, children, rng)] for _ in range(2))
    born = reflect(mutate(cross(mothers, fathers, rng), scale, rng), low, high)
    return np.vstack([genes[fitness.argmax()], born])


def tournament(fitness: NDArray, n: int, rng: np.random.Generator) -> NDArray:
    """Indices [n] of the fitter of two that are drawn at random (with replacement)."""
    pairs = rng.integers(len(fitness), size=(n, 2))
    return np.take_along_axis(pairs, fitness[pairs].argmax(1)[:, None], 1)[:, 0]


def cross(mothers: NDArray, fathers: NDArray, rng: np.random.Generator) -> NDArray:
    """Simulated binary crossover (Deb & Agrawal 1995): one child [k] of each pair of rows.

    A child lies (1 + b) / 2 of the way from father to mother, gene by gene, where b has the density that a cut
    through binary numbers would give: near 1, so near the mother, and beyond her as often as short of her.
    """
    u = rng.random(mothers.shape)
    b = np.where(u <= 0.5, 2 * u, 1 / (2 * (1 - u))) ** (1 / (ETA + 1))
    children = 0.5 * ((1 + b) * mothers + (1 - b) * fathers)
    return np.where(rng.random((len(mothers), 1)) < CROSSED, children, mothers)


def mutate(genes: NDArray, scale: float, rng: np.random.Generator) -> NDArray:
    """Move some genes by Cauchy steps of `scale`: most are small, and a few are long at any scale."""
    steps = scale * np.tan(np.pi * (rng.random(genes.shape) - 0.5))
    moved = rng.random(genes.shape) < MUTATED
    moved[np.arange(len(genes)), rng.integers(genes.shape[1], size=len(genes))] = True
    return genes + np.where(moved, steps, 0.0)


def reflect(genes: NDArray, low: NDArray, high: NDArray) -> NDArray:
    """Fold what left the box back into it, as if its walls were mirrors; a box of width 0 is its only point."""
    width = high - low
    beyond = (genes - low) % np.where(width > 0, 2 * width, 1.0)
    return low + np.minimum(beyond, 2 * width - beyond).clip(0, width)
