"""Errors of pixels: mean squared error and signal-to-noise ratio."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from prismae.metrics._base import UNBOUNDED, metric
from prismae.metrics.generation._images import PairScore, as_pairs, mean_over_pairs

INVARIANT = ("permute_images", "flip_images", "swap_images")


@metric(
    needs="pairs",
    protocol="generation",
    better="lower",
    known={"identity": 0.0},
    invariant=INVARIANT,
)
def pixel_mse(images: ArrayLike | Tensor, reconstructions: ArrayLike | Tensor) -> PairScore:
    """Mean squared error of pixels between images and their reconstructions.

    Over pixels, channels and images, in squared units of the range [0, 1] (not of the data's variance, as the
    reconstruction error of a run is). Its worth and limits: Wang and Bovik 2009, doi:10.1109/MSP.2008.930649.

    Parameters
    ----------
    images, reconstructions
        [n, c, h, w] in [0, 1].

    Returns
    -------
    PairScore
        `float(...)` is the score, in [0, 1], lower is better; with the score of each pair.

    Examples
    --------
    >>> float(pixel_mse(np.zeros((2, 1, 8, 8)), np.full((2, 1, 8, 8), 0.5)))
    0.25
    """
    x, y = as_pairs(images, reconstructions)
    return mean_over_pairs(x, y, _squared_error)


@metric(
    needs="pairs",
    protocol="generation",
    bounds=UNBOUNDED,
    known={"identity": float("inf")},
    invariant=INVARIANT,
)
def psnr(images: ArrayLike | Tensor, reconstructions: ArrayLike | Tensor) -> PairScore:
    """Peak signal-to-noise ratio (PSNR) of reconstructions, in decibels.

    -10 log10 of the squared error of an image's pixels, whose peak is 1; the mean over images. Definition and
    limits: Huynh-Thu and Ghanbari 2008, doi:10.1049/el:20080522.

    Parameters
    ----------
    images, reconstructions
        [n, c, h, w] in [0, 1].

    Returns
    -------
    PairScore
        `float(...)` is the score, at least 0, higher is better, infinite for an exact reconstruction; with the score of
        each pair.

    Notes
    -----
    The mean over images of the ratio is not the ratio of the mean error: an image of small error counts much.

    Examples
    --------
    >>> float(psnr(np.zeros((2, 1, 8, 8)), np.full((2, 1, 8, 8), 0.1)))  # -10 log10 of 0.01
    20.0
    """
    x, y = as_pairs(images, reconstructions)
    return mean_over_pairs(x, y, lambda a, b: -10 * torch.log10(_squared_error(a, b)))


def _squared_error(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().flatten(1).mean(1)
