"""Worlds that are a folder of numbered images and an array of labels, in the same order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from prismae.data._base import FactorKind, World
from prismae.data.files import data_folder, find_folder
from prismae.data.images import decoded_once, pixels
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence, readable

SIDE = 64
PAGE = "https://github.com/NVlabs/High-res-disentanglement-datasets"


def numbered(
    world: str,
    folder: str,
    labels: str,
    names: tuple[str, ...],
    kinds: tuple[FactorKind, ...],
    whole: int,
    called: str,
) -> World:
    """The world of ``folder/images/*.png`` and ``folder/labels``, [n, k] values; images are scaled to 64x64, bicubic.

    Raises
    ------
    InputError
        Where the folder is not in the data folder (with how to get it), or its images and labels do not fit.
    """
    home = find_folder(world, folder)
    if home is None:
        place = data_folder() / world
        raise InputError(
            f"{called} is not in {place}: fetch {folder} by hand from {PAGE} and unpack it there, so that "
            f"{place / folder / 'images'} exists."
        )
    paths = sorted((home / "images").glob("*.png"))
    values = _labels(home / labels, len(names))
    if not paths or len(paths) != len(values):
        raise InputError(
            f"{home} holds {len(paths)} images and {len(values)} labels, expected one for each image."
        )
    images = decoded_once(world, "images_64x64.npy", paths, (3, SIDE, SIDE), _scaled)
    factors = np.stack([np.unique(column, return_inverse=True)[1] for column in values.T], axis=1).astype(
        np.int32
    )
    n = len(paths)
    source = f"official {called}" if n == whole else f"{called}, {n:,} of {whole:,} images"
    return World(world, Dense(torch.from_numpy(images)), factors, names, kinds, source)


def _labels(path: Path, k: int) -> NDArray:
    with (
        readable(path),
        in_a_sentence(f"{path} is corrupted or no NumPy file", OSError, EOFError, ValueError),
    ):
        values: NDArray = np.load(path, allow_pickle=False)
    if values.ndim != 2 or values.shape[1] != k:
        raise InputError(f"{path} holds labels of shape {values.shape}, expected [n, {k}].")
    return values


def _scaled(path: Path) -> NDArray[np.uint8]:
    image = Image.fromarray(np.moveaxis(pixels(path, 3), 0, 2))
    return np.moveaxis(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)), 2, 0)
