"""The world `smallnorb`, from its official files."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from prismae.data._base import FactorKind, World
from prismae.data.files import official_file
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence

URL = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
STEMS = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}
SHA256 = {
    "train": {
        "dat": "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873",
        "cat": "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa",
        "info": "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32",
    },
    "test": {
        "dat": "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474",
        "cat": "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff",
        "info": "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2",
    },
}
TYPES = {0x1E3D4C55: "<u1", 0x1E3D4C54: "<i4", 0x1E3D4C51: "<f4", 0x1E3D4C53: "<f8", 0x1E3D4C56: "<i2"}

NAMES = ("category", "elevation", "azimuth", "lighting")
CATEGORIES = {"category": ("animal", "human", "airplane", "truck", "car")}
KINDS: tuple[FactorKind, ...] = ("categorical", "continuous", "continuous", "categorical")
SIDE = 64
_WHOLE = {"all": 48_600, "train": 24_300, "test": 24_300}


def load(split: Literal["all", "train", "test"] = "all") -> World:
    """Photographs of toys: 5 categories, 9 elevations, 18 azimuths, 6 lights; 48,600 grey images of 64x64 pixels.

    LeCun, Huang & Bottou 2004, "Learning methods for generic object recognition". Read from the official files (263
    MB), which are downloaded when they are not in the data folder. The left image of each pair is scaled from 96x96 to
    64x64, bilinear with antialiasing. Which of its category's ten toys an image shows is no factor; training has five
    of them, the test the others. Observations [48600, 1, 64, 64], kept as bytes (199 MB); factors [48600, 4], class
    indices.

    Raises
    ------
    InputError
        Where the files cannot be had, or are corrupted.
    """
    parts = [read_part(each) for each in (("train", "test") if split == "all" else (split,))]
    images, factors = (np.concatenate(each) for each in zip(*parts, strict=True))
    n, whole = len(images), _WHOLE[split]
    source = "official SmallNORB" if n == whole else f"SmallNORB, {n:,} of {whole:,} images"
    name = "smallnorb" if split == "all" else f"smallnorb:{split}"
    return World(name, Dense(torch.from_numpy(images)), factors, NAMES, KINDS, source, value_names=CATEGORIES)


def read_part(part: str) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Left images [n, 1, 64, 64] and class indices [n, 4] of one part."""
    paths = {}
    for what in ("dat", "cat", "info"):
        filename = f"{STEMS[part]}-{what}.mat.gz"
        paths[what] = official_file("smallnorb", filename, URL + filename, SHA256[part][what])
    pairs, category, info = (read_matrix(path) for path in paths.values())
    if (
        pairs.ndim != 4
        or pairs.shape[1] != 2
        or info.shape != (len(pairs), 4)
        or category.shape != (len(pairs),)
    ):
        raise InputError(
            f"{paths['dat']} holds {pairs.shape}, with categories {category.shape} and info {info.shape}: expected "
            "[n, 2, side, side], [n] and [n, 4]."
        )
    images = np.empty((len(pairs), 1, SIDE, SIDE), np.uint8)
    for i, left in enumerate(pairs[:, 0]):
        images[i, 0] = np.asarray(Image.fromarray(left).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return images, np.column_stack([category, info[:, 1], info[:, 2] // 2, info[:, 3]]).astype(np.int32)


def read_matrix(path: Path) -> NDArray:
    """An array of the files' own binary format: magic number, dimensions (at least three of them are written), data."""
    broken = (OSError, EOFError, ValueError, zlib.error)
    with in_a_sentence(f"{path} is corrupted or no matrix of SmallNORB", *broken):
        with gzip.open(path) as file:
            content = file.read()
        magic, ndim = (int(each) for each in np.frombuffer(content, "<i4", 2))
        if magic not in TYPES or not 1 <= ndim <= 8:
            raise ValueError(f"magic number {magic:#x}, {ndim} dimensions")
        written = max(3, ndim)
        shape = np.frombuffer(content, "<i4", written, 8)[:ndim]
        data = np.frombuffer(content, TYPES[magic], int(np.prod(shape)), 8 + 4 * written)
        return data.reshape(shape)
