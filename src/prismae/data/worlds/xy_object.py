"""The world `xy-object`: one coloured square that moves and grows."""

from __future__ import annotations

import numpy as np
import torch

from prismae.data._base import FactorKind, World
from prismae.data.composed import Layers
from prismae.data.storage import Dense

NAMES = ("pos_x", "pos_y", "scale", "color")
KINDS: tuple[FactorKind, ...] = ("continuous", "continuous", "continuous", "categorical")
SIZES = (25, 25, 5, 24)
SIDE, STEP = 64, 2  # pixels
SQUARES = (7, 9, 11, 13, 15)
HUES = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1))


def load() -> World:
    """A square: 25 x 25 places, 5 sizes and 24 colours; 75,000 colour images of 64x64 pixels, made on the spot.

    XYObject of Michlo, James & Klein 2022, https://github.com/nmichlo/disent: all places are as far apart in pixels, so
    that nothing but the factors tells which are neighbours. Observations [75000, 3, 64, 64], composed when they are
    drawn; factors [75000, 4], class indices; colours are red, yellow, green, cyan, blue, magenta, each in four
    intensities.
    """
    factors = np.indices(SIZES, dtype=np.int32).reshape(len(SIZES), -1).T.copy()
    masks = np.zeros((*SIZES[:3], SIDE, SIDE), np.uint8)
    for x, y, s in np.ndindex(SIZES[:3]):
        edge = (SQUARES[-1] - SQUARES[s]) // 2
        left, top = STEP * x + edge, STEP * y + edge
        masks[x, y, s, top : top + SQUARES[s], left : left + SQUARES[s]] = 255
    which = np.ravel_multi_index(tuple(factors[:, :3].T), SIZES[:3])[:, None]
    intensities = 255 * np.arange(1, 5) // 4
    colours = (np.array(HUES)[:, None] * intensities[:, None]).reshape(-1, 3).astype(np.uint8)[factors[:, 3:]]
    data = Layers(
        Dense(torch.from_numpy(masks.reshape(-1, SIDE, SIDE))),
        torch.from_numpy(which),
        torch.from_numpy(colours),
    )
    return World("xy-object", data, factors, NAMES, KINDS, "rendered XYObject")
