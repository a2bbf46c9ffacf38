"""The world `digits`, which comes with scikit-learn."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.storage import Dense


def load() -> World:
    """Handwritten digits: 1,797 grey images of 8x8 pixels in ten classes; needs no download.

    Images float32 [1797, 1, 8, 8] in [0, 1], in steps of 1/16; factor class [1797, 1].

    The test part of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998).
    """
    images, labels = (part.copy() for part in _read())
    return World(
        "digits", Dense(torch.from_numpy(images)), labels, ("class",), ("categorical",), "scikit-learn digits"
    )


@cache  # half a megabyte, in a text file
def _read() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from sklearn.datasets import load_digits  # here, because importing it takes a second

    digits = load_digits()
    return (digits.images / 16).astype(np.float32)[:, None], digits.target.astype(np.int64)[:, None]
