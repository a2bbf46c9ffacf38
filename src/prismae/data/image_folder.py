"""Own data in a folder of images; names of subfolders and a table labels.csv are factors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from prismae.data.images import SUFFIXES, decode, pixels, shape_of
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.table_files import read_csv
from prismae.errors import InputError

LABELS = "labels.csv"
FILE = "file"  # the column of labels.csv with the names of the images
FOLDER = "folder"  # the factor that the names of subfolders are

_MOST_BYTES = 16_000_000_000  # of images that are not made smaller


def read_folder(path: Path, factors: Sequence[str], size: int | None, *, new: bool = False) -> Found:
    """Images [n, 1 or 3, h, w] below a folder, in the order of their paths, and their labels.

    Parameters
    ----------
    path
        The folder. PNG, JPEG and WebP files in it and below it are taken; hidden ones are not. Images are grey where
        all are, else colour.
    factors
        Names of factors to keep; by default all that there are: the subfolder's name, where there are at least two
        subfolders, as ``folder``; and each column but ``file`` of ``labels.csv``, where the folder has one.
    size
        Scale the centre square of each image to this side. Without it all images must have one size.
    new
        Whether they are for a model that was trained before: factors may be missing then, and need not vary.

    Raises
    ------
    InputError
        For a folder without images, images of several sizes or that cannot be read, and labels that do not match.
    """
    paths = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not paths:
        raise InputError(f"{path} holds no images, expected files {', '.join(SUFFIXES)} in it or below it.")
    names = [file.relative_to(path).as_posix() for file in paths]
    columns = _labels(path, names)
    if factors:
        factors = chosen(factors, columns, f"label of {path.name}", new=new)
        columns = {name: columns[name] for name in factors}
    labels = labels_of(columns, len(paths), str(path), new=new)

    shapes = [shape_of(file) for file in paths]
    channels = max(shape[0] for shape in shapes)
    _, height, width = shapes[0]
    if size is not None:
        height = width = size
    else:
        _check_one_size(path, names, shapes)
    if (needed := len(paths) * channels * height * width) > _MOST_BYTES:
        raise InputError(
            f"{path}: {len(paths)} images of {width}x{height} pixels take {needed / 1e9:.0f} GB, "
            "expected at most 16 GB: give a size, such as 64, to scale them to."
        )
    x = np.empty((len(paths), channels, height, width), np.uint8)
    decode(paths, x, partial(pixels, channels=channels, side=size), path.name)
    return Found(x, labels, names=np.array(names))


def _check_one_size(path: Path, names: Sequence[str], shapes: Sequence[tuple[int, int, int]]) -> None:
    for name, (_, height, width) in zip(names, shapes, strict=True):
        if (height, width) != shapes[0][1:]:
            raise InputError(
                f"{path} holds images of several sizes, {names[0]} of {shapes[0][2]}x{shapes[0][1]} and {name} of "
                f"{width}x{height} pixels: give a size, such as 64, to scale them to."
            )


def _labels(path: Path, names: Sequence[str]) -> dict[str, Sequence[str] | pd.Series]:
    """Every label that the images have, by the factor's name."""
    columns: dict[str, Sequence[str] | pd.Series] = {}
    folders = [name.rpartition("/")[0] for name in names]
    if len(set(folders)) > 1:
        columns[FOLDER] = folders
    table = path / LABELS
    if table.is_file():
        labels, _ = read_csv(table)
        if FILE not in labels:
            raise InputError(
                f"{table} has the columns {', '.join(map(str, labels.columns))}, expected one named {FILE!r}."
            )
        files = labels[FILE].astype(str)
        if files.duplicated().any():
            raise InputError(f"{table} names {files[files.duplicated()].iloc[0]!r} twice.")
        unlabelled, absent = sorted(set(names) - set(files)), sorted(set(files) - set(names))
        if absent:
            raise InputError(f"{table} names {absent[0]!r}{_more(absent)}, but there is no such image.")
        if unlabelled:
            raise InputError(f"{table} has no labels for {unlabelled[0]!r}{_more(unlabelled)}.")
        rows = labels.set_index(files).loc[list(names)]
        columns |= {name: rows[name] for name in map(str, labels.columns) if name != FILE}
    return columns


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
