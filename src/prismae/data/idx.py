"""MNIST's format: images and labels in gzipped idx files, and the worlds that are published so."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.files import official_file
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence

Split = Literal["train", "test", "all"]

_PARTS: dict[Split, tuple[str, ...]] = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}
_UNSIGNED_BYTE = 0x08


def labelled_images(
    world: str,
    split: Split,
    url: str,
    checksums: Mapping[str, str],
    source: str,
    classes: tuple[str, ...] = (),
) -> World:
    """The world of four official idx files: ``train-images-idx3-ubyte.gz`` and so on.

    Parameters
    ----------
    split
        "train", "test", or "all": first the training images, then the test images.
    url
        Where the files are published, up to the file's name.
    checksums
        Name of each file → its SHA-256.
    classes
        What the classes are called, where that is not their number.

    Raises
    ------
    InputError
        Where a file cannot be had, or is corrupted.
    """

    def read(name: str, rank: int) -> NDArray[np.uint8]:
        parts = [f"{part}-{name}-idx{rank}-ubyte.gz" for part in _PARTS[split]]
        return np.concatenate(
            [read_idx(official_file(world, part, url + part, checksums[part]), rank) for part in parts]
        )

    images, labels = read("images", 3)[:, None], read("labels", 1).astype(np.int64)[:, None]
    name = world if split == "train" else f"{world}:{split}"
    return World(
        name,
        Dense(torch.from_numpy(images)),
        labels,
        ("class",),
        ("categorical",),
        source,
        value_names={"class": classes} if classes else {},
    )


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """The bytes of a gzipped idx file of `rank` dimensions.

    The format: two bytes 0, the type (8 for unsigned bytes), the number of dimensions, each dimension as a big-endian
    32-bit number, then the values in C order.

    Raises
    ------
    InputError
        For a file that is damaged or of another type, rank or length.
    """
    with in_a_sentence(f"{path} is corrupted or no gzip file", OSError, EOFError, zlib.error):
        content = gzip.decompress(path.read_bytes())
    start = 4 + 4 * rank
    shape = tuple(np.frombuffer(content[4:start].ljust(4 * rank, b"\0"), ">u4").tolist())
    if content[:4] != bytes([0, 0, _UNSIGNED_BYTE, rank]) or len(content) - start != np.prod(shape):
        raise InputError(f"{path} is no idx file of {rank} dimensions of bytes, or is cut off.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
