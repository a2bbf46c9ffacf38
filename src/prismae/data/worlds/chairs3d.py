"""The world `chairs3d`, from its official folder of renders, which has to be fetched by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import FactorKind, World
from prismae.data.files import data_folder, find_folder
from prismae.data.images import decoded_once, pixels
from prismae.data.storage import Dense
from prismae.errors import InputError

FOLDER = "rendered_chairs"
DECODED = "centre400_grey_64x64.npy"
URL = "https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar"

NAMES = ("identity", "elevation", "azimuth")
KINDS: tuple[FactorKind, ...] = ("categorical", "continuous", "continuous")
SIDE = 64  # pixels
CROP = 400 / 600  # of the side: 400 pixels of the official 600
_WHOLE = 86_366


def load() -> World:
    """Rendered chairs: 1,393 identities, 2 elevations, 31 azimuths; grey, 64x64 pixels; fetched by hand.

    Aubry, Maturana, Efros, Russell, Sivic 2014, "Seeing 3D chairs". Observations [86366, 1, 64, 64], kept as bytes (354
    MB, memory-mapped); factors [86366, 3], class indices in the order of names and angles. Of the official images
    (600x600 pixels) the centre of 400x400 is made grey and scaled to 64x64, bilinear with antialiasing. This is done
    once, in minutes, and kept in the data folder; to do it again, delete ``centre400_grey_64x64.npy`` there.

    Raises
    ------
    InputError
        Where the folder is not in the data folder (with how to get it), or holds other files.
    """
    folder = find_folder("chairs3d", FOLDER)
    if folder is None:
        home = data_folder() / "chairs3d"
        raise InputError(
            f"3D chairs are not in {home}: fetch {URL} by hand and unpack it there, so that {home / FOLDER} exists."
        )
    paths = sorted(folder.glob("*/renders/*.png"))
    if not paths:
        raise InputError(f"{folder} holds no images, expected <model>/renders/image_…_p020_t011_r096.png.")
    factors = read_factors(paths)
    read = partial(pixels, channels=1, side=SIDE, crop=CROP)
    images = decoded_once("chairs3d", DECODED, paths, (1, SIDE, SIDE), read)
    n = len(paths)
    source = "official 3D chairs" if n == _WHOLE else f"3D chairs, {n:,} of {_WHOLE:,} images"
    return World("chairs3d", Dense(torch.from_numpy(images)), factors, NAMES, KINDS, source)


def read_factors(paths: Sequence[Path]) -> NDArray[np.int32]:
    """Class indices [n, 3] of identity (the folder), elevation and azimuth (``p`` and ``t`` in the name, degrees)."""
    rows = []
    for path in paths:
        angles = re.fullmatch(r"image_\d+_p(\d+)_t(\d+)_r\d+", path.stem)
        if angles is None:
            raise InputError(f"{path} has no angles in its name, expected image_…_p020_t011_r096.png.")
        rows.append((path.parent.parent.name, int(angles[1]), int(angles[2])))
    columns = [np.unique(column, return_inverse=True)[1] for column in zip(*rows, strict=True)]
    return np.stack(columns, axis=1).astype(np.int32)
