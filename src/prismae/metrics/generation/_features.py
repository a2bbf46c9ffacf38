"""Features of images that need no download: principal components of pixels, and a small classifier's last layer.

Both are divided by one number, which makes their variance 1 on average over the images that teach them. So distances do
not depend on how large a network makes its features, and images that are all alike lie about as far off as there are
features.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from torch import Tensor, nn

from prismae._random import Draws
from prismae.errors import InputError
from prismae.metrics._inputs import as_codes, centred

Features = Callable[[Tensor], NDArray[np.float64]]  # images [n, c, h, w] → features [n, d]

COMPONENTS = 64
CHANNELS, WIDTH = (32, 64), 64  # of the classifier: convolutions, then its last hidden layer
STEPS, BATCH, RATE = 500, 100, 1e-3
CHUNK = 500


def as_features(features: ArrayLike, generated: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two sets of features, [n, d] and [n', d], in double precision."""
    x, y = as_codes(features), as_codes(generated)
    if x.shape[1] != y.shape[1]:
        raise InputError(
            f"There are {x.shape[1]} features of real images and {y.shape[1]} of generated ones, expected the same."
        )
    return x.astype(np.float64), y.astype(np.float64)


def pixels_pca(images: Tensor) -> Features:
    """Coordinates along the first 64 principal components of these images' pixels (fewer of fewer pixels or images)."""
    n_components = min(COMPONENTS, len(images) - 1, images[0].numel())
    pca = PCA(n_components, svd_solver="randomized", random_state=0).fit(images.flatten(1).numpy())
    return _scaled(lambda x: pca.transform(x.flatten(1).numpy()).astype(np.float64), images)


def classifier(images: Tensor, labels: NDArray[np.int32]) -> Features:
    """Last hidden layer (64 units) of a small convolutional network that is trained here to tell these images' labels.

    Two convolutions of stride 2, a hidden layer, 500 steps of Adam on 100 images each. Its randomness has a seed of its
    own, so that it is the same for every model that is measured with it.
    """
    with Draws(0):
        hidden = nn.Sequential(
            nn.Conv2d(images.shape[1], CHANNELS[0], 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(*CHANNELS, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(CHANNELS[1] * 16, WIDTH),
            nn.ReLU(),
        )
        network = nn.Sequential(hidden, nn.Linear(WIDTH, int(labels.max()) + 1))
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        targets = torch.from_numpy(labels).long()
        for _ in range(STEPS):
            rows = torch.randint(len(images), (BATCH,))
            optimizer.zero_grad()
            F.cross_entropy(network(images[rows]), targets[rows]).backward()
            optimizer.step()

    def features(x: Tensor) -> NDArray[np.float64]:
        with torch.no_grad():
            return torch.cat([hidden(part) for part in x.split(CHUNK)]).double().numpy()

    return _scaled(features, images)


def _scaled(features: Features, images: Tensor) -> Features:
    """The same features, with variance 1 on average over these images."""
    scale = float(np.sqrt(centred(features(images)).var(axis=0).mean())) or 1.0
    return lambda x: features(x) / scale
