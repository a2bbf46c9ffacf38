"""Fréchet distance of images' features."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from prismae.metrics._base import UNBOUNDED, Learned, metric
from prismae.metrics.generation._features import as_features

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Frechet(Learned):
    """The distance, and the features that it is between."""

    score: float
    features: Floats = field(repr=False)
    generated: Floats = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        drawn = [each[rng.integers(len(each), size=len(each))] for each in (self.features, self.generated)]
        return {"": _distance(*drawn)}


@metric(
    needs="features",
    protocol="generation",
    bounds=UNBOUNDED,
    better="lower",
    known={"identity": 0.0},
    invariant=("permute_images", "flip_images", "swap_images"),
)
def frechet(features: ArrayLike, generated: ArrayLike) -> Frechet:
    """Fréchet distance: how far generated images lie from real ones, by mean and covariance of their features.

    |mu - mu'|^2 + tr(S + S' - 2 (S S')^(1/2)), the squared 2-Wasserstein distance of two Gaussians (Dowson and Landau
    1982, doi:10.1016/0047-259X(82)90077-X). With features of the Inception network it is called FID (Heusel et al.
    2017, arXiv:1706.08500); with others it is another quantity, and its name says which: ``frechet[pixels-pca]``.

    Parameters
    ----------
    features, generated
        [n, d] and [n', d]: features of real and of generated images.

    Returns
    -------
    Frechet
        `float(...)` is the score, at least 0, lower is better.

    Notes
    -----
    Biased upwards, by about a constant over n: compare at equal numbers of images, and read it beside the distance of
    other real images. It sees mean and covariance only: sets that differ in nothing else score 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(1000, 3))
    >>> round(float(frechet(features, features + 2.0)), 3)  # the means are 2 apart in each of 3 dimensions
    12.0
    """
    x, y = as_features(features, generated)
    return Frechet(_distance(x, y), x, y)


def _distance(x: Floats, y: Floats) -> float:
    return gaussian_distance(
        x.mean(axis=0), np.atleast_2d(np.cov(x.T)), y.mean(axis=0), np.atleast_2d(np.cov(y.T))
    )


def gaussian_distance(mean: Floats, cov: Floats, other_mean: Floats, other_cov: Floats) -> float:
    """Squared 2-Wasserstein distance of two Gaussians, means [d] and covariances [d, d]."""
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    # S S' has the eigenvalues of the symmetric S^(1/2) S' S^(1/2), whose root is safe to take.
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other_cov @ root), 0)).sum()
    found = np.square(mean - other_mean).sum() + np.trace(cov) + np.trace(other_cov) - 2 * shared
    return max(float(found), 0.0)
