"""The world `cars3d`, from its official files, which have to be fetched by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.io import loadmat

from prismae.data._base import FactorKind, World
from prismae.data.files import data_folder, find_folder
from prismae.data.images import made_once
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence

FOLDER = "data/cars"
LIST = "list.txt"
MAPPED = "images_64x64.npy"
URL = "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz"

NAMES = ("elevation", "azimuth", "type")
KINDS: tuple[FactorKind, ...] = ("continuous", "continuous", "categorical")
ELEVATIONS, AZIMUTHS, SIDE = 4, 24, 64
_WHOLE = 183


def load() -> World:
    """Rendered cars: 4 elevations, 24 azimuths, 183 types; 17,568 colour images of 64x64 pixels, fetched by hand.

    Reed, Zhang, Zhang & Lee 2015, "Deep visual analogy-making". The types are in the order of ``list.txt``, which comes
    with the files, or of their names. Images (128x128) are scaled to 64x64 by Lanczos' filter, once. Observations
    [17568, 3, 64, 64], kept as bytes; factors [17568, 3], class indices.

    Raises
    ------
    InputError
        Where the folder is not in the data folder (with how to get it), or holds other files.
    """
    folder = find_folder("cars3d", FOLDER)
    if folder is None:
        home = data_folder() / "cars3d"
        raise InputError(
            f"Cars3D is not in {home}: fetch {URL} by hand and unpack it there, "
            f"so that {home / FOLDER} exists."
        )
    paths = files_of(folder)
    sizes = (ELEVATIONS, AZIMUTHS, len(paths))

    def fill(into: NDArray[np.uint8]) -> None:
        grid = into.reshape(*sizes, 3, SIDE, SIDE)
        for i, path in enumerate(paths):
            grid[:, :, i] = read_car(path)

    images = made_once("cars3d", MAPPED, (int(np.prod(sizes)), 3, SIDE, SIDE), fill)
    factors = np.indices(sizes, dtype=np.int32).reshape(3, -1).T.copy()
    whole = len(paths) == _WHOLE
    source = "official Cars3D" if whole else f"Cars3D, {len(paths)} of {_WHOLE} types"
    return World("cars3d", Dense(torch.from_numpy(images)), factors, NAMES, KINDS, source)


def files_of(folder: Path) -> list[Path]:
    """The files of the types, in the order of ``list.txt`` where it is there."""
    listed = folder / LIST
    if listed.is_file():
        names = [line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()]
        paths = [folder / (name if name.endswith(".mat") else f"{name}.mat") for name in names]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise InputError(f"{listed} names files that are not there: {', '.join(missing[:5])}.")
    else:
        paths = sorted(folder.glob("*.mat"))
    if len(paths) < 2:
        raise InputError(f"{folder} holds {len(paths)} types of cars, expected files *.mat of two or more.")
    return paths


def read_car(path: Path) -> NDArray[np.uint8]:
    """Images [elevation, azimuth, 3, 64, 64] of a type."""
    broken = (OSError, KeyError, ValueError, NotImplementedError, TypeError)
    with in_a_sentence(f"{path} is corrupted or no file of Cars3D", *broken):
        stored = loadmat(path)["im"]
    if stored.ndim != 5 or stored.shape[2:] != (3, AZIMUTHS, ELEVATIONS) or stored.dtype != np.uint8:
        raise InputError(
            f"{path} holds {stored.dtype} {stored.shape}, expected uint8 (side, side, 3, {AZIMUTHS}, {ELEVATIONS})."
        )
    made = np.empty((ELEVATIONS, AZIMUTHS, 3, SIDE, SIDE), np.uint8)
    for e, a in np.ndindex(ELEVATIONS, AZIMUTHS):
        small = Image.fromarray(stored[..., a, e]).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        made[e, a] = np.moveaxis(np.asarray(small), 2, 0)
    return made
