"""Scores by the official networks: FID, KID, LPIPS. They need the extra ``prismae[perceptual]``."""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from prismae._random import Draws
from prismae.errors import Unavailable
from prismae.fields import Seed
from prismae.metrics._base import UNBOUNDED, metric
from prismae.metrics.generation._images import as_pairs, as_sets

CHUNK = 64
SUBSET = 1_000  # images in each of KID's subsets, at most
PACKAGES = {  # by metric
    "fid": ("torchmetrics", "torch_fidelity"),
    "kid": ("torchmetrics", "torch_fidelity"),
    "lpips": ("torchmetrics", "torchvision"),
}
LEAST_SIDE = 64  # AlexNet's layers leave nothing of smaller images


@metric(
    needs="images",
    protocol="generation",
    bounds=UNBOUNDED,
    better="lower",
    invariant=("permute_images", "swap_images"),
)
def fid(images: ArrayLike | Tensor, generated: ArrayLike | Tensor) -> float:
    """Fréchet inception distance (FID): `frechet` on 2,048 features of the official Inception network.

    Heusel et al. 2017, arXiv:1706.08500; by torchmetrics, with the network of torch-fidelity.

    Parameters
    ----------
    images, generated
        [n, c, h, w] and [n', c, h, w] in [0, 1]; grey images are repeated over the three channels, and the network
        enlarges every image to 299x299.

    Returns
    -------
    float
        At least 0, lower is better.

    Raises
    ------
    Unavailable
        If torchmetrics or torch-fidelity is not installed, or the network's weights cannot be fetched.

    Notes
    -----
    Biased upwards with few images (published values take 10,000 to 50,000): with fewer than 2,048 the covariances are
    not even of full rank. Of grey drawings of 28 pixels it says little, since the network has learned photographs.

    Examples
    --------
    >>> fid(images, generated)  # doctest: +SKIP
    """
    x, y = as_sets(images, generated)
    measure = _network("FID", "fid.FrechetInceptionDistance", normalize=True)
    return _compared(measure, x, y).compute().item()


@metric(
    needs="images",
    protocol="generation",
    bounds=(-inf, inf),
    better="lower",
    invariant=("swap_images",),
)
def kid(images: ArrayLike | Tensor, generated: ArrayLike | Tensor, *, seed: Seed = 0) -> float:
    """Kernel inception distance (KID): `kernel_distance` on 2,048 features of the official Inception network.

    The mean over 100 subsets of 1,000 images (all of fewer). Binkowski et al. 2018, arXiv:1801.01401; by torchmetrics,
    with the network of torch-fidelity.

    Parameters
    ----------
    images, generated
        As for `fid`.
    seed
        Seed of the subsets.

    Returns
    -------
    float
        Lower is better; its expectation is 0 for images of the same distribution.

    Raises
    ------
    Unavailable
        If torchmetrics or torch-fidelity is not installed, or the network's weights cannot be fetched.

    Examples
    --------
    >>> kid(images, generated)  # doctest: +SKIP
    """
    x, y = as_sets(images, generated)
    size = min(SUBSET, len(x), len(y))
    with Draws(seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save", UserWarning)
        measure = _network("KID", "kid.KernelInceptionDistance", normalize=True, subset_size=size)
        return _compared(measure, x, y).compute()[0].item()


@metric(
    needs="pairs",
    protocol="generation",
    bounds=UNBOUNDED,
    better="lower",
    known={"identity": 0.0},
    invariant=("permute_images",),
)
def lpips(images: ArrayLike | Tensor, reconstructions: ArrayLike | Tensor) -> float:
    """Learned perceptual image patch similarity (LPIPS): how far two images are apart in AlexNet's layers.

    Zhang et al. 2018, arXiv:1801.03924; by torchmetrics, with the network of torchvision.

    Parameters
    ----------
    images, reconstructions
        [n, c, h, w] in [0, 1]; grey images are repeated over the three channels, and images with a side below 64 pixels
        are enlarged to 64x64, since the network leaves nothing of smaller ones (our reading).

    Returns
    -------
    float
        At least 0, lower is better.

    Raises
    ------
    Unavailable
        If torchmetrics or torchvision is not installed, or the network's weights cannot be fetched.

    Examples
    --------
    >>> lpips(images, reconstructions)  # doctest: +SKIP
    """
    x, y = as_pairs(images, reconstructions)
    measure = _network("LPIPS", "lpip.LearnedPerceptualImagePatchSimilarity", net_type="alex", normalize=True)
    with torch.no_grad():
        for parts in zip(x.split(CHUNK), y.split(CHUNK), strict=True):
            measure.update(*(_coloured(_enlarged(part)) for part in parts))
        return measure.compute().item()


def lacking(metric: str) -> str | None:
    """The sentence on a metric whose official network is not installed; None for all others."""
    packages = PACKAGES.get(metric, ())
    absent = any(find_spec(package) is None for package in packages)
    return _not_installed(metric.upper()) if absent else None


def _not_installed(name: str) -> str:
    return (
        f"{name} needs an official network that is not installed: pip install 'prismae[perceptual]', or take a score "
        "that needs none."
    )


def _network(name: str, path: str, **options: Any) -> Any:
    """A measure of torchmetrics, which is imported here: that takes two seconds."""
    module, _, measure = path.rpartition(".")
    try:
        return getattr(import_module(f"torchmetrics.image.{module}"), measure)(**options)
    except ModuleNotFoundError:
        raise Unavailable(_not_installed(name)) from None
    except OSError as error:
        raise Unavailable(f"The weights of {name}'s network cannot be fetched: {error}.") from None


def _compared(measure: Any, images: Tensor, generated: Tensor) -> Any:
    with torch.no_grad():
        for part in images.split(CHUNK):
            measure.update(_coloured(part), real=True)
        for part in generated.split(CHUNK):
            measure.update(_coloured(part), real=False)
    return measure


def _coloured(images: Tensor) -> Tensor:
    return images.expand(-1, 3, -1, -1)


def _enlarged(images: Tensor) -> Tensor:
    if min(images.shape[2:]) >= LEAST_SIDE:
        return images
    return F.interpolate(images, size=(LEAST_SIDE, LEAST_SIDE), mode="bilinear", antialias=False)
