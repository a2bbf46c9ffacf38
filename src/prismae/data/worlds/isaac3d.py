"""The world `isaac3d`, from its official folder, which has to be fetched by hand."""

from __future__ import annotations

from prismae.data._base import FactorKind, World
from prismae.data.numbered import numbered

KINDS: dict[
    str, FactorKind
] = {  # in the order of the labels, which is not that of the official README's names
    "object_shape": "categorical",
    "robot_x": "continuous",
    "robot_y": "continuous",
    "camera_height": "continuous",
    "object_scale": "continuous",
    "lighting_intensity": "continuous",
    "lighting_y": "continuous",
    "object_color": "categorical",
    "wall_color": "categorical",
}


def load() -> World:
    """Isaac3D: a kitchen with a robot arm that holds a thing; 737,280 colour images, scaled to 64x64, fetched by hand.

    Nie et al. 2020, arXiv:2003.03461. Factors: 3 shapes, 8 x 5 places of the arm, 4 heights of the camera, 4 scales, 4
    intensities and 6 directions of the light, 4 colours of the thing and 4 of the wall. Observations
    [737280, 3, 64, 64], from ``Isaac3D_down128/images`` by a bicubic filter, once, and kept as bytes (9.1 GB,
    memory-mapped); factors [737280, 9], class indices.

    Raises
    ------
    InputError
        Where the folder is not in the data folder (with how to get it), or its images and labels do not fit.
    """
    names, kinds = tuple(KINDS), tuple(KINDS.values())
    return numbered("isaac3d", "Isaac3D_down128", "labels.npy", names, kinds, 737_280, "Isaac3D")
