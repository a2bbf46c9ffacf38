"""Kernel distance of images' features."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from prismae.metrics._base import Learned, metric
from prismae.metrics.generation._features import as_features

Floats = NDArray[np.float64]
CHUNK = 1_000  # rows of a kernel matrix in memory at once


@dataclass(frozen=True)
class KernelDistance(Learned):
    """The distance, and what each real [n] and each generated image [n'] adds to it."""

    score: float
    real: Floats = field(repr=False)
    generated: Floats = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        # An image takes part in pairs, so that leaving it out moves the distance by twice its share.
        moved = [
            2 * (rng.choice(each, size=len(each)).mean() - each.mean())
            for each in (self.real, self.generated)
        ]
        return {"": self.score + float(sum(moved))}


@metric(
    needs="features",
    protocol="generation",
    bounds=(-inf, inf),
    better="lower",
    invariant=("permute_images", "flip_images", "swap_images"),
)
def kernel_distance(features: ArrayLike, generated: ArrayLike) -> KernelDistance:
    """Kernel distance: how far generated images lie from real ones, by all moments of their features up to the third.

    The unbiased estimate of the squared maximum mean discrepancy with kernel (x·y / d + 1)^3, over all images. With
    features of the Inception network it is called KID (Binkowski et al. 2018, arXiv:1801.01401); with others it is
    another quantity, and its name says which: ``kernel-distance[pixels-pca]``.

    Parameters
    ----------
    features, generated
        [n, d] and [n', d]: features of real and of generated images.

    Returns
    -------
    KernelDistance
        `float(...)` is the score, lower is better. Its expectation is 0 for images of the same distribution, so it may
        fall below 0, and does when a set is compared with itself.

    Notes
    -----
    Unlike the Fréchet distance it has no bias with few images. Its scale depends on the features' scale.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(1000, 3))
    >>> float(kernel_distance(features[:500], features[500:])) < 0.01 < float(kernel_distance(features, features + 2.0))
    True
    """
    x, y = as_features(features, generated)
    within_x, within_y = (_row_sums(each, each, skip_self=True) / (len(each) - 1) for each in (x, y))
    real = within_x - _row_sums(x, y) / len(y)
    generated_part = within_y - _row_sums(y, x) / len(x)
    return KernelDistance(float(real.mean() + generated_part.mean()), real, generated_part)


def _row_sums(x: Floats, y: Floats, *, skip_self: bool = False) -> Floats:
    """Sums over y of the kernel, [n]; `skip_self` leaves out the diagonal."""
    chunks = (x[i : i + CHUNK] for i in range(0, len(x), CHUNK))
    sums = np.concatenate([_kernel(part @ y.T, x.shape[1]).sum(axis=1) for part in chunks])
    return sums - _kernel(np.square(x).sum(axis=1), x.shape[1]) if skip_self else sums


def _kernel(product: Floats, d: int) -> Floats:
    base = product / d + 1
    return base * base * base
