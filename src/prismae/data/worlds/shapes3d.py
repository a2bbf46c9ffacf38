"""The world `shapes3d`, from its official file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.files import official_file
from prismae.data.hdf5_zarr import hdf5
from prismae.data.images import made_once
from prismae.data.storage import Dense
from prismae.data.worlds.rooms3d import KINDS, NAMES, VALUE_NAMES
from prismae.errors import InputError

FILE = "3dshapes.h5"
MAPPED = "images_64x64.npy"
URL = "https://storage.googleapis.com/3d-shapes/3dshapes.h5"
SHA256 = "0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785"

SHAPE = (3, 64, 64)
_WHOLE, _PART = 480_000, 2_000


def load() -> World:
    """3D Shapes: hues of floor, wall and object, 8 scales, 4 shapes, 15 orientations; 480,000 images of 64x64 pixels.

    Burgess & Kim 2018, https://github.com/google-deepmind/3d-shapes. Read from the official file (268 MB), which is
    downloaded when it is not in the data folder, and kept there decompressed (5.9 GB, memory-mapped). Observations
    [480000, 3, 64, 64]; factors [480000, 6], class indices in the order of values. Needs h5py.

    Raises
    ------
    InputError
        Where the file cannot be had, is corrupted, or holds something else.
    """
    path = official_file("shapes3d", FILE, URL, SHA256)
    with hdf5(path) as arrays:
        missing = sorted({"images", "labels"} - set(arrays))
        if missing or arrays["images"].shape != (len(arrays["labels"]), 64, 64, 3):
            raise InputError(
                f"{path} is no file of 3D Shapes: expected images [n, 64, 64, 3] and labels [n, 6]."
            )
        labels, stored = arrays["labels"][:], arrays["images"]

        def fill(into: NDArray[np.uint8]) -> None:
            for start in range(0, len(into), _PART):
                into[start : start + _PART] = np.moveaxis(stored[start : start + _PART], 3, 1)

        images = made_once("shapes3d", MAPPED, (len(labels), *SHAPE), fill)
    n = len(images)
    source = "official 3D Shapes" if n == _WHOLE else f"3D Shapes, {n:,} of {_WHOLE:,} images"
    return World(
        "shapes3d",
        Dense(torch.from_numpy(images)),
        classes(labels, path),
        NAMES,
        KINDS,
        source,
        value_names=VALUE_NAMES if n == _WHOLE else {},
    )


def classes(labels: NDArray, path: Path) -> NDArray[np.int32]:
    """Class indices [n, 6] of values [n, 6]."""
    if labels.ndim != 2 or labels.shape[1] != len(NAMES):
        raise InputError(f"{path} has labels of shape {labels.shape}, expected [n, {len(NAMES)}].")
    return np.stack([np.unique(column, return_inverse=True)[1] for column in labels.T], axis=1).astype(
        np.int32
    )
