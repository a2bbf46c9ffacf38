"""The world `celeba`, from its official files, which have to be fetched by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from prismae.data._base import FactorKind, World
from prismae.data.files import data_folder, find
from prismae.data.images import decoded_once, frames_of, pixels
from prismae.data.storage import Dense
from prismae.errors import InputError, in_a_sentence

IMAGES = "img_align_celeba"
ATTRIBUTES = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"
DECODED = "centre148_64x64.npy"
WEBSITE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"

SIDE = 64  # pixels
CROP = 148 / 178  # of the width: 148 pixels of the official 178
_WHOLE = 202_599
_SPLITS = ("train", "valid", "test")  # numbered 0, 1, 2 in the official partition


def load(split: Literal["all", "train", "valid", "test"] = "all") -> World:
    """Faces of celebrities: 202,599 colour images of 64x64 pixels, with 40 attributes; fetched by hand.

    Liu, Luo, Wang, Tang 2015, arXiv:1411.7766. Observations [202599, 3, 64, 64], kept as bytes (2.5 GB,
    memory-mapped); factors [202599, 40], 1 where the attribute is present. Of the aligned images (178x218 pixels) the
    centre of 148x148 is scaled to 64x64, bilinear with antialiasing. This is done once, in a few minutes, and kept in
    the data folder; to do it again, delete ``centre148_64x64.npy`` there.

    The splits "train", "valid" and "test" need ``list_eval_partition.txt``; the whole set is what is usually trained on
    where codes are compared with attributes, so it is the default.

    Raises
    ------
    InputError
        Where the files are not in the data folder (with how to get them), or do not fit together.
    """
    listed = find("celeba", ATTRIBUTES)
    if listed is None or not (folder := listed.parent / IMAGES).is_dir():
        home = data_folder() / "celeba"
        raise InputError(
            f"CelebA is not in {home}: its licence has to be accepted, so fetch img_align_celeba.zip and "
            f"{ATTRIBUTES} by hand from {WEBSITE}, and put the unpacked folder {IMAGES} and that file there."
        )
    attributes = read_attributes(listed)
    paths = [folder / name for name in attributes.index]
    width = frames_of(paths[0])[0].width
    of_width = f" of {width} pixels' width" if width != 178 else ""
    read = partial(pixels, channels=3, side=SIDE, crop=CROP)
    images = decoded_once("celeba", DECODED, paths, (3, SIDE, SIDE), read)
    factors = (attributes.to_numpy() > 0).astype(np.int32)
    if split != "all":
        rows = _rows(split, attributes.index)
        images, factors = images[rows], factors[rows]
    whole = "official CelebA" if len(paths) == _WHOLE else f"CelebA, {len(paths):,} of {_WHOLE:,} images"
    names = tuple(attributes.columns)
    kind: FactorKind = "categorical"
    return World(
        "celeba" if split == "all" else f"celeba:{split}",
        Dense(torch.from_numpy(images)),
        factors,
        names,
        (kind,) * len(names),
        whole + of_width,
    )


def read_attributes(path: Path) -> pd.DataFrame:
    """The official table of attributes, -1 or 1: a row for each file name, a column for each attribute."""
    with (  # errors of decoding and of pandas' parser are ValueErrors
        in_a_sentence(f"{path} is no table of CelebA's attributes", OSError, ValueError),
        path.open(encoding="utf-8") as file,
    ):
        announced = int(file.readline())
        table = pd.read_csv(file, sep=r"\s+")
    if len(table) != announced or not table.isin([-1, 1]).all(axis=None):
        raise InputError(
            f"{path} announces {announced} images and lists {len(table)}, "
            "expected as many, each with -1 or 1 for every attribute."
        )
    return table


def _rows(split: str, names: pd.Index) -> slice | NDArray[np.int64]:
    """The rows of a split: a slice where they lie together, as they do officially, so that nothing is copied."""
    path = find("celeba", PARTITION)
    if path is None:
        raise InputError(
            f"World 'celeba' has no split {split!r} without {PARTITION}: fetch it from {WEBSITE} "
            f"and put it at {data_folder() / 'celeba' / PARTITION}."
        )
    with in_a_sentence(f"{path} is no partition of CelebA", OSError, KeyError, ValueError):
        numbers = pd.read_csv(path, sep=r"\s+", header=None, index_col=0)[1].reindex(names)
    rows = np.flatnonzero(numbers == _SPLITS.index(split))
    if numbers.isna().any() or not len(rows):
        raise InputError(
            f"{path} puts {len(rows)} images into {split!r} and leaves {numbers.isna().sum()} out, "
            "expected some, and none left out."
        )
    together = len(rows) == rows[-1] + 1 - rows[0]
    return slice(int(rows[0]), int(rows[-1]) + 1) if together else rows
