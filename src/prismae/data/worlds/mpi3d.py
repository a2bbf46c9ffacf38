"""The world `mpi3d`: a robot arm that holds things, simulated and photographed, from its official files."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import FactorKind, World
from prismae.data.files import data_folder, find
from prismae.data.images import made_once
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence

Split = Literal["real", "realistic", "toy", "complex"]
FILES: dict[Split, str] = {
    "real": "mpi3d_real.npz",
    "realistic": "mpi3d_realistic.npz",
    "toy": "mpi3d_toy.npz",
    "complex": "real3d_complicated_shapes_ordered.npz",
}
PLACE = "https://huggingface.co/datasets/waleedgondal/mpi3d"

NAMES = (
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
)
KINDS: tuple[FactorKind, ...] = (
    "categorical",
    "categorical",
    "categorical",
    "continuous",
    "categorical",
    "continuous",
    "continuous",
)
SIZES: dict[Split, tuple[int, ...]] = {
    "real": (6, 6, 2, 3, 3, 40, 40),
    "realistic": (6, 6, 2, 3, 3, 40, 40),
    "toy": (6, 6, 2, 3, 3, 40, 40),
    "complex": (4, 4, 2, 3, 3, 40, 40),
}
SHAPE = (3, 64, 64)
_PART = 1_000
_BROKEN = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


def load(split: Split = "real") -> World:
    """MPI3D: a robot arm with a thing in its hand; 1,036,800 images of 64x64 pixels, real, realistic, toy or complex.

    Gondal et al. 2019, arXiv:1906.03292. Factors: 6 colours and 6 shapes of the thing, 2 sizes, 3 heights of the
    camera, 3 colours behind, 40 x 40 angles of the arm; "complex" has 4 colours and 4 everyday things, 460,800 images.
    The file is fetched by hand, and kept decompressed beside it (12.7 GB, memory-mapped). Observations [1036800, 3, 64,
    64]; factors [1036800, 7], class indices in the official order.

    Raises
    ------
    InputError
        Where the file is not in the data folder (with how to get it), is corrupted, or holds another number of images.
    """
    path = find("mpi3d", FILES[split])
    if path is None:
        home = data_folder() / "mpi3d"
        raise InputError(f"{FILES[split]} is not in {home}: fetch it by hand from {PLACE} and put it there.")
    return read(path, split, SIZES[split])


def read(path: Path, split: Split, sizes: tuple[int, ...]) -> World:
    """The world of a file whose factors have these sizes."""
    n = int(np.prod(sizes))
    with (
        in_a_sentence(f"{path} is corrupted or no file of MPI3D {split}", *_BROKEN, then="replace it"),
        zipfile.ZipFile(path) as archive,
        archive.open("images.npy") as file,
    ):
        np.lib.format.read_magic(file)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if shape != (n, 64, 64, 3) or dtype != np.uint8 or fortran:
            raise ValueError(f"images are {dtype} {shape}, expected uint8 {(n, 64, 64, 3)}")

        def fill(into: NDArray[np.uint8]) -> None:
            for start in range(0, n, _PART):
                part = into[start : start + _PART]
                pixels = np.frombuffer(file.read(part.size), np.uint8)
                part[:] = np.moveaxis(pixels.reshape(len(part), 64, 64, 3), 3, 1)

        images = made_once("mpi3d", f"{split}_64x64.npy", (n, *SHAPE), fill)
    factors = np.indices(sizes, dtype=np.int32).reshape(len(sizes), -1).T.copy()
    data = Dense(torch.from_numpy(images))
    return World(f"mpi3d:{split}", data, factors, NAMES, KINDS, f"official MPI3D, {split}")
