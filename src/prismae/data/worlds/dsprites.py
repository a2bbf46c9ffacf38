"""The world `dsprites`: the official file where it is present, else the same images rendered."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from prismae._files import written_whole
from prismae.data._base import FactorKind, World
from prismae.data.files import find, place
from prismae.data.rendering import SIDE, SIZES, render
from prismae.data.storage import BitPacked
from prismae.errors import InputError

OFFICIAL = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
RENDERED = "rendered_64x64.npz"

NAMES = ("shape", "scale", "orientation", "pos_x", "pos_y")
SHAPES = {"shape": ("square", "ellipse", "heart")}
KINDS: tuple[FactorKind, ...] = ("categorical", "continuous", "continuous", "continuous", "continuous")

_UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


def load() -> World:
    """Sprites: 3 shapes, 6 scales, 40 orientations, 32 x 32 positions; 737,280 binary images of 64x64 pixels.

    Matthey, Higgins, Hassabis, Lerchner 2017, https://github.com/google-deepmind/dsprites-dataset.
    Observations [737280, 1, 64, 64], 0 or 1, kept eight to a byte (0.38 GB); factors [737280, 5]. The
    official file is read where it is in the data folder. Else the images are rendered in a few seconds and
    kept in the data folder (5 MB); about one in 13,000 differs from the official one, in one pixel. `source`
    says which they are.

    Raises
    ------
    InputError
        Where the official file is corrupted or not the whole set.
    """
    official = find("dsprites", OFFICIAL)
    packed = _rendered() if official is None else _complete(official)
    source = "rendered dSprites" if official is None else "official dSprites"
    return World(
        "dsprites",
        BitPacked(torch.from_numpy(packed), (1, SIDE, SIDE)),
        _grid(),
        NAMES,
        KINDS,
        source,
        value_names=SHAPES,
    )


def read_official(path: Path) -> tuple[NDArray[np.uint8], NDArray]:
    """Packed images [n, 512] and class indices [n, 5] of a file in the official format.

    The images are packed while they are read, since all of them take 3 GB as bytes.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            classes = arrays["latents_classes"]
        with zipfile.ZipFile(path) as archive, archive.open("imgs.npy") as file:
            np.lib.format.read_magic(file)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            if shape != (len(classes), SIDE, SIDE) or dtype != np.uint8 or fortran:
                raise ValueError(f"imgs is {dtype} {shape}, expected uint8 {(len(classes), SIDE, SIDE)}")
            packed = np.empty((len(classes), SIDE * SIDE // 8), np.uint8)
            for part in np.array_split(packed, len(packed) // 4096 + 1):
                pixels = np.frombuffer(file.read(len(part) * SIDE * SIDE), np.uint8)
                part[:] = np.packbits(pixels).reshape(part.shape)
    except _UNREADABLE as error:
        raise InputError(
            f"{path} is corrupted or no official dSprites file ({error}): replace or remove it."
        ) from None
    return packed, classes[:, -len(SIZES) :]


def _complete(path: Path) -> NDArray[np.uint8]:
    packed, classes = read_official(path)
    if not np.array_equal(classes, _grid()):
        raise InputError(
            f"{path} holds {len(packed)} images whose factors are not the grid of dSprites, "
            f"expected all {np.prod(SIZES)} in order: replace or remove it."
        )
    return packed


def _rendered() -> NDArray[np.uint8]:
    """Packed images [737280, 512]: from the file that an earlier call left, else rendered."""
    kept = find("dsprites", RENDERED)
    if kept is not None:
        try:
            with np.load(kept, allow_pickle=False) as arrays:
                packed: NDArray[np.uint8] = arrays["packed"]
                return packed
        except _UNREADABLE:
            pass  # a damaged copy of what can be made again: it is replaced below
    packed = render(_grid())
    try:
        with written_whole(kept or place("dsprites", RENDERED)) as part, part.open("wb") as file:
            np.savez_compressed(file, packed=packed)
    except (InputError, OSError) as error:
        warnings.warn(
            f"dSprites will be rendered anew next time, as they could not be kept: {error}", stacklevel=3
        )
    return packed


def _grid() -> NDArray[np.int32]:
    """Class indices [737280, 5] in the official order; int32 is compact and does not overflow."""
    return np.indices(SIZES, dtype=np.int32).reshape(len(SIZES), -1).T.copy()
