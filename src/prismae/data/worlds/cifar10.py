"""The world `cifar10`, from the binary version of its official files."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.files import find, official_file
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence

FILE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32  # bytes: a label, then the red, green and blue pixels, row by row
_TRAIN, _TEST = tuple(f"data_batch_{i}.bin" for i in range(1, 6)), ("test_batch.bin",)
_WHOLE = {"train": 50_000, "test": 10_000, "all": 60_000}


def load(split: Literal["train", "test", "all"] = "train") -> World:
    """Photographs of ten kinds of things: 50,000 colour images of 32x32 pixels, and 10,000 for tests.

    Read from the folder ``cifar-10-batches-bin`` where it is in the data folder, else from the official archive (170
    MB), which is downloaded when it is not there. Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny
    Images". Observations [50000, 3, 32, 32], kept as bytes (154 MB); factor class [50000, 1].

    Raises
    ------
    InputError
        Where the files cannot be had, or are corrupted.
    """
    names = {"train": _TRAIN, "test": _TEST, "all": _TRAIN + _TEST}[split]
    unpacked = [path for name in names if (path := find("cifar10", f"{FOLDER}/{name}")) is not None]
    batches = {str(path): path.read_bytes() for path in unpacked}
    batches = batches or read_archive(official_file("cifar10", FILE, URL, SHA256), names)
    parts = [read_batch(content, name) for name, content in batches.items()]
    images, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    whole = _WHOLE[split]
    source = "official CIFAR-10" if len(images) == whole else f"CIFAR-10, {len(images):,} of {whole:,} images"
    name = "cifar10" if split == "train" else f"cifar10:{split}"
    return World(
        name,
        Dense(torch.from_numpy(images)),
        labels,
        ("class",),
        ("categorical",),
        source,
        value_names={"class": CLASSES},
    )


def read_batch(content: bytes, name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [n, 3, 32, 32] and labels [n, 1] of a batch of the binary version; `name` is its file's."""
    if not content or len(content) % _RECORD:
        raise InputError(f"{name} has {len(content)} bytes, expected records of {_RECORD}: it is cut off.")
    records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
    if records[:, 0].max() > 9:
        raise InputError(
            f"{name} has the label {records[:, 0].max()}, expected 0 to 9: it is no CIFAR-10 file."
        )
    return records[:, 1:].reshape(-1, *SHAPE), records[:, :1].astype(np.int64)


def read_archive(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Content of each batch of an archive; nothing is unpacked on disk."""
    broken = (KeyError, OSError, EOFError, tarfile.TarError, zlib.error)
    with (
        in_a_sentence(f"{path} is corrupted or no archive of CIFAR-10's binary version", *broken),
        tarfile.open(path) as archive,
    ):
        found = {name: archive.extractfile(f"{FOLDER}/{name}") for name in names}
        return {name: file.read() for name, file in found.items() if file is not None}
