"""A world: a function that gives the data, and the factors behind them."""

import numpy as np
import torch

from prismae.data import World
from prismae.data.storage import Dense


def stripes() -> World:
    """96 images of 8 x 8 pixels with stripes: their number, and where they begin."""
    factors = np.indices((3, 32)).reshape(2, -1).T.copy()
    number, begin = factors[:, 0, None] + 1, factors[:, 1, None] / 32
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (number * np.arange(8) / 8 + begin))
    images = np.repeat(wave[:, None, None, :], 8, axis=2).astype(np.float32)
    kinds = ("categorical", "continuous")
    return World("stripes", Dense(torch.from_numpy(images)), factors, ("number", "begin"), kinds)
