"""The world `rooms3d`: a room with an object in it, in the manner of 3D Shapes."""

from __future__ import annotations

import colorsys

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import FactorKind, World
from prismae.data.composed import Layers
from prismae.data.rooms import LAYERS, SHAPES, SIDE, render
from prismae.data.rooms import SIZES as GEOMETRIES
from prismae.data.storage import Dense

NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
VALUE_NAMES = {"shape": SHAPES}
SIZES = (10, 10, 10, *GEOMETRIES)
KINDS: tuple[FactorKind, ...] = (
    "categorical",
    "categorical",
    "categorical",
    "continuous",
    "categorical",
    "continuous",
)
SKY = (153, 226, 249)


def load() -> World:
    """Rooms: hues of floor, wall and object, 8 scales, 4 shapes, 15 orientations; 480,000 rendered images of 64x64.

    In the manner of 3D Shapes (Burgess & Kim 2018, https://github.com/google-deepmind/3d-shapes), with its factors,
    sizes, order and camera, and not these images: light is simpler, and there are no shadows and no textures.
    Observations [480000, 3, 64, 64], composed when they are drawn (29 MB); factors [480000, 6], class indices: hues 0,
    0.1 … 0.9, shapes cube, cylinder, sphere, capsule. Rendered in seconds, by rays.
    """
    factors = np.indices(SIZES, dtype=np.int32).reshape(len(SIZES), -1).T.copy()
    masks = Dense(torch.from_numpy(render().reshape(-1, SIDE, SIDE)))
    return World(
        "rooms3d", layers(masks, factors), factors, NAMES, KINDS, "rendered rooms", value_names=VALUE_NAMES
    )


def layers(masks: Dense, factors: NDArray[np.int32]) -> Layers:
    """Rooms of these factors [n, 6], of masks of all geometries [scale x shape x orientation x layer, h, w]."""
    geometry = np.ravel_multi_index(tuple(factors[:, 3:].T), GEOMETRIES)
    which = len(LAYERS) * geometry[:, None] + np.arange(len(LAYERS))
    hues = np.array([colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in range(10)])
    colours = np.empty((len(factors), len(LAYERS), 3), np.uint8)
    colours[:, :3] = np.rint(255 * hues)[factors[:, :3]]
    colours[:, 3] = SKY
    return Layers(masks, torch.from_numpy(which), torch.from_numpy(colours))
