"""The world `xy-squares`: three squares that each move on a grid."""

from __future__ import annotations

import numpy as np
import torch

from prismae.data._base import FactorKind, World
from prismae.data.composed import Layers
from prismae.data.storage import Dense

NAMES = ("x_red", "y_red", "x_green", "y_green", "x_blue", "y_blue")
KINDS: tuple[FactorKind, ...] = ("continuous",) * 6
CELLS, CELL = 8, 8  # along a side; pixels


def load() -> World:
    """Three squares, red, green and blue, each at 8 x 8 places; 262,144 colour images of 64x64 pixels, on the spot.

    XYSquares of Michlo, James & Klein 2022, https://github.com/nmichlo/disent: a square never overlaps its neighbouring
    places, so that in pixels all places of it are equally far apart, and no autoencoder learns their order from a loss
    of pixels. Observations [262144, 3, 64, 64], composed when they are drawn; factors [262144, 6], class indices.
    """
    factors = np.indices((CELLS,) * 6, dtype=np.int32).reshape(6, -1).T.copy()
    masks = np.zeros((CELLS, CELLS, CELLS * CELL, CELLS * CELL), np.uint8)
    for x, y in np.ndindex(CELLS, CELLS):
        masks[x, y, CELL * y : CELL * (y + 1), CELL * x : CELL * (x + 1)] = 255
    which = torch.from_numpy(CELLS * factors[:, ::2].astype(np.int64) + factors[:, 1::2])
    colours = torch.eye(3, dtype=torch.uint8).mul(255).expand(len(factors), 3, 3)
    data = Layers(Dense(torch.from_numpy(masks.reshape(-1, *masks.shape[2:]))), which, colours)
    return World("xy-squares", data, factors, NAMES, KINDS, "rendered XYSquares")
