"""Structural similarity, on one scale and on several."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from prismae.errors import Unavailable
from prismae.metrics._base import metric
from prismae.metrics.generation._images import PairScore, as_pairs, mean_over_pairs

LARGEST_WINDOW, SIGMA = 11, 1.5  # of Wang et al. 2004
C1, C2 = 0.01**2, 0.03**2  # of pixels in [0, 1]
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first: Wang et al. 2003
SMALLEST_SIDE = 6


@metric(
    needs="pairs",
    protocol="generation",
    bounds=(-1.0, 1.0),
    known={"identity": 1.0},
    invariant=("permute_images", "flip_images", "swap_images"),
)
def ssim(images: ArrayLike | Tensor, reconstructions: ArrayLike | Tensor) -> PairScore:
    """Structural similarity (SSIM) of images and their reconstructions: brightness, contrast and structure in windows.

    Mean over windows, channels and images of (2 mu_x mu_y + c1) (2 s_xy + c2) / ((mu_x^2 + mu_y^2 + c1) (s_x^2 + s_y^2
    + c2)), with mean, variance and covariance weighted by a Gaussian window that lies inside the image, c1 = 0.01^2,
    c2 = 0.03^2. Wang et al. 2004, doi:10.1109/TIP.2003.819861.

    Parameters
    ----------
    images, reconstructions
        [n, c, h, w] in [0, 1].

    Returns
    -------
    PairScore
        `float(...)` is the score, in [-1, 1], higher is better; with the score of each pair. `settings` says the
        window.

    Raises
    ------
    Unavailable
        If a side is below 6 pixels.

    Notes
    -----
    The window is 11 pixels (standard deviation 1.5) as in the paper; on images with a side below 22 it is the largest
    odd number within half the side, its deviation in proportion (our reading: 3 on 8x8, 7 on 14x14). Windows that reach
    over the edge do not count, as in the paper's code, scikit-image and pytorch-msssim; torchmetrics pads the image
    with its reflection and counts them all, which is another number, and far off on small images.
    Values of images of other sizes, or by libraries with other windows, do not compare. On drawings with large empty
    grounds (MNIST) it is high wherever both are empty.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((2, 1, 16, 16))
    >>> round(float(ssim(images, images)), 6)
    1.0
    """
    x, y = as_pairs(images, reconstructions)
    window = window_of(x)

    def compare(a: Tensor, b: Tensor) -> Tensor:
        brightness, structure = _parts(a.double(), b.double(), window)
        return (brightness * structure).mean((1, 2, 3)).clamp(-1, 1)  # rounding may lead beyond the bounds

    return mean_over_pairs(x, y, compare, window=window)


@metric(
    needs="pairs",
    protocol="generation",
    known={"identity": 1.0},
    invariant=("permute_images", "swap_images"),
)
def ms_ssim(images: ArrayLike | Tensor, reconstructions: ArrayLike | Tensor) -> PairScore:
    """Multi-scale structural similarity (MS-SSIM): SSIM's structure on several scales, its brightness on the coarsest.

    The product over scales of SSIM's contrast-and-structure part (on the coarsest: the whole of SSIM), each to the
    power of the scale's weight; mean over channels and images. The next scale is the mean over 2x2 pixels. A negative
    part counts 0. Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216.

    Parameters
    ----------
    images, reconstructions
        [n, c, h, w] in [0, 1].

    Returns
    -------
    PairScore
        `float(...)` is the score, in [0, 1], higher is better; with the score of each pair. `settings` says window and
        number of scales.

    Raises
    ------
    Unavailable
        If a side is below 6 pixels.

    Notes
    -----
    The paper's five scales need sides of 176 pixels. Smaller images have as many scales as the window (see `ssim`) fits
    into: 4 from 88, 3 from 44, else 2, with the paper's weights of these scales divided by their sum (our reading). So
    values of images of other sizes do not compare. The last row or column of an odd number is not in the next scale
    (our reading; pytorch-msssim averages it with a border of zeros).

    Examples
    --------
    >>> images = np.random.default_rng(0).random((1, 1, 176, 176))
    >>> round(float(ms_ssim(images, images)), 6)
    1.0
    """
    x, y = as_pairs(images, reconstructions)
    window = window_of(x)
    scales = scales_of(min(x.shape[2:]), window)
    weights = [weight / sum(WEIGHTS[:scales]) for weight in WEIGHTS[:scales]]

    def compare(a: Tensor, b: Tensor) -> Tensor:
        a, b = a.double(), b.double()
        product = torch.ones(a.shape[:2], dtype=a.dtype)
        for scale, weight in enumerate(weights):
            if scale:
                a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
            brightness, structure = _parts(a, b, window)
            part = brightness * structure if scale == scales - 1 else structure
            product *= part.mean((2, 3)).clamp(0, 1) ** weight
        return product.mean(1)

    return mean_over_pairs(x, y, compare, window=window, scales=scales)


def window_of(images: Tensor) -> int:
    """Side of the window for images [n, c, h, w]: 11 pixels, or the largest odd number within half the shorter side."""
    side = min(images.shape[2:])
    if side < SMALLEST_SIDE:
        size = f"{images.shape[2]}x{images.shape[3]}"
        raise Unavailable(f"The images are {size} pixels, expected sides of at least {SMALLEST_SIDE}.")
    return min(LARGEST_WINDOW, (side // 2 - 1) // 2 * 2 + 1)


def scales_of(side: int, window: int) -> int:
    """How many of the five scales the window fits into."""
    return max(s for s in range(1, len(WEIGHTS) + 1) if side // 2 ** (s - 1) >= window)


def _parts(x: Tensor, y: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """SSIM's brightness, and its contrast and structure, of each window inside the images; both [n, c, h', w']."""
    mean_x, mean_y, xx, yy, xy = _windows(torch.stack([x, y, x * x, y * y, x * y]), window)
    both = mean_x * mean_y
    squares = mean_x.square() + mean_y.square()
    return (2 * both + C1) / (squares + C1), (2 * (xy - both) + C2) / (xx + yy - squares + C2)


def _windows(images: Tensor, window: int) -> Tensor:
    """Means [..., h', w'] of images [..., h, w], weighted by a Gaussian window, wherever it fits in."""
    distance = torch.arange(window, dtype=images.dtype) - window // 2
    weights = torch.exp(-0.5 * (distance / (SIGMA * window / LARGEST_WINDOW)).square())
    weights = weights / weights.sum()
    flat = images.reshape(-1, 1, *images.shape[-2:])
    means = F.conv2d(F.conv2d(flat, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    return means.view(*images.shape[:-2], *means.shape[-2:])
