"""Codes in the plane."""

from __future__ import annotations

from numpy.typing import NDArray

from prismae.errors import Unavailable

FEWEST = 10  # points that have neighbours to speak of


def perplexity(n: int) -> float:
    """About how many neighbours a point of n has: 30, scikit-learn's default; a third of the others if few."""
    return min(30.0, (n - 1) / 3)


def t_sne(codes: NDArray, seed: int) -> NDArray:
    """t-SNE of codes [n, m] in the plane, [n, 2], started from their principal components; computed by scikit-learn.

    van der Maaten and Hinton 2008, "Visualizing data using t-SNE".

    Raises
    ------
    Unavailable
        For fewer than ten points.
    """
    if len(codes) < FEWEST:
        raise Unavailable(f"A t-SNE needs at least {FEWEST} observations, but there are {len(codes)}.")
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity(len(codes)), init="pca", random_state=seed).fit_transform(codes)
