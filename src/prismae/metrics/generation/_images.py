"""Reading images, and the mean of a score over pairs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from prismae.errors import InputError
from prismae.metrics._base import Learned
from prismae.metrics._inputs import as_array

CHUNK = 256  # pairs that are compared at once


def as_images(images: ArrayLike | Tensor, *, least: int = 1, what: str = "images") -> Tensor:
    """Images [n, c, h, w] as float32 in [0, 1] on the CPU."""
    given = as_array(images)
    if given.ndim != 4 or given.shape[1] not in (1, 3):
        raise InputError(
            f"The {what} have shape {given.shape}, expected [images, channels, height, width] with 1 or 3 channels."
        )
    if len(given) < least:
        raise InputError(f"The metric needs at least {least} {what}, got {len(given)}.")
    if given.dtype.kind not in "fiub":
        raise InputError(f"The {what} have type {given.dtype}, expected numbers.")
    x = torch.from_numpy(np.ascontiguousarray(given, dtype=np.float32))
    if not torch.isfinite(x).all():
        raise InputError(f"The {what} must be finite, but some pixels are NaN or infinite.")
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise InputError(
            f"The {what} range from {low:.3g} to {high:.3g}, expected pixels in [0, 1]: scale or clip them."
        )
    return x


def as_pairs(images: ArrayLike | Tensor, generated: ArrayLike | Tensor) -> tuple[Tensor, Tensor]:
    """Images and as many of the same shape to compare them with, one by one."""
    x, y = as_images(images), as_images(generated, what="reconstructions")
    if x.shape != y.shape:
        raise InputError(
            f"The images have shape {tuple(x.shape)} and the reconstructions {tuple(y.shape)}, expected the same."
        )
    return x, y


def as_sets(images: ArrayLike | Tensor, generated: ArrayLike | Tensor) -> tuple[Tensor, Tensor]:
    """Two sets of images of the same shape, of any number."""
    x, y = as_images(images, least=2), as_images(generated, least=2, what="generated images")
    if x.shape[1:] != y.shape[1:]:
        raise InputError(
            f"An image has shape {tuple(x.shape[1:])} and a generated one {tuple(y.shape[1:])}, expected the same."
        )
    return x, y


@dataclass(frozen=True)
class PairScore(Learned):
    """The mean over pairs, the score of each pair [n], and settings that follow from the images' size."""

    score: float
    pairs: NDArray[np.float64] = field(repr=False)
    settings: dict[str, Any] = field(default_factory=dict)

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": float(rng.choice(self.pairs, size=len(self.pairs)).mean())}


def mean_over_pairs(
    x: Tensor, y: Tensor, compare: Callable[[Tensor, Tensor], Tensor], **settings: Any
) -> PairScore:
    """The score whose value for a chunk of pairs is `compare` → [pairs]."""
    with torch.no_grad():
        parts = [compare(*both) for both in zip(x.split(CHUNK), y.split(CHUNK), strict=True)]
    each = torch.cat(parts).double().numpy()
    return PairScore(float(each.mean()), each, settings)
