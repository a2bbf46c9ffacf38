"""The world `falcor3d`, from its official folder, which has to be fetched by hand."""

from __future__ import annotations

from prismae.data._base import FactorKind, World
from prismae.data.numbered import numbered

NAMES = (
    "lighting_intensity",
    "lighting_x",
    "lighting_y",
    "lighting_z",
    "camera_x",
    "camera_y",
    "camera_z",
)


def load() -> World:
    """Falcor3D: a living room, its light and its camera; 233,280 colour images, scaled to 64x64, fetched by hand.

    Nie et al. 2020, arXiv:2003.03461. Factors: intensity of the light (5 values) and its x, y, z, and x, y, z of the
    camera (6 each). Observations [233280, 3, 64, 64], from ``Falcor3D_down128/images`` by a bicubic filter, once, and
    kept as bytes (2.9 GB, memory-mapped); factors [233280, 7], class indices.

    Raises
    ------
    InputError
        Where the folder is not in the data folder (with how to get it), or its images and labels do not fit.
    """
    kinds: tuple[FactorKind, ...] = ("continuous",) * 7
    return numbered("falcor3d", "Falcor3D_down128", "train-rec.labels", NAMES, kinds, 233_280, "Falcor3D")
