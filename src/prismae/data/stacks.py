"""TIFF files of unusual images and volumes: their pages and samples are dimensions of one array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from prismae.errors import InputError, in_a_sentence

TIFF = (".tif", ".tiff")


@dataclass(frozen=True)
class Stack:
    """The array of a file, from its header."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    number: int = 0
    of: int = 1

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return prod(self.shape) * self.dtype.itemsize


def stack_of(path: Path) -> Stack:
    """The array that a file holds, without its numbers."""
    with _opened(path) as series:
        return Stack(path, tuple(series.shape), np.dtype(series.dtype))


def read_stack(path: Path) -> NDArray:
    """The array that a file holds, as tifffile reads it: pages first, samples of a pixel where they stand.

    What is packed in a way that tifffile needs imagecodecs for, such as LZW, is unpacked by Pillow where that knows its
    pages.

    Raises
    ------
    InputError
        Where tifffile is not installed, and for a file that is damaged, no TIFF, or packed in a way that needs
        imagecodecs.
    """
    with _opened(path) as series:
        try:
            return np.asarray(series.asarray())
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            if (unpacked := _by_pillow(path, series)) is None:
                raise InputError(
                    f"Image {path} is packed so that tifffile needs imagecodecs: install it with pip install "
                    "imagecodecs."
                ) from None
            return unpacked


def _by_pillow(path: Path, series: Any) -> NDArray | None:
    """The pages of a file one below the other, where they are as tifffile has them."""
    page = series.keyframe
    if page.samplesperpixel > 1 and page.planarconfig != 1:  # samples of a pixel do not stand together
        return None
    try:
        with Image.open(path) as image:
            pages = [np.asarray(each) for each in ImageSequence.Iterator(image)]
            alike = len({(each.shape, each.dtype) for each in pages}) == 1 and pages[0].dtype == series.dtype
            made = np.stack(pages) if alike else None
    except (OSError, ValueError, EOFError):
        return None
    return made.reshape(series.shape) if made is not None and made.size == series.size else None


def stack_faults(path: Path, stacks: Sequence[Stack], names: Sequence[str], axes: str) -> Iterator[str]:
    """What is wrong with the arrays of a folder's files."""
    kinds: dict[tuple[tuple[int, ...], np.dtype], list[str]] = {}
    for stack, name in zip(stacks, names, strict=True):
        kinds.setdefault((stack.shape, stack.dtype), []).append(name)
    (shape, _), called = max(kinds.items(), key=lambda each: len(each[1]))
    if len(kinds) > 1:
        listed = ", ".join(
            f"{len(some)} of {size} {dtype} ({some[0]})" for (size, dtype), some in kinds.items()
        )
        yield f"{path} holds arrays of several shapes or types, {listed}: expected one."
    if len(shape) != len(axes):
        yield f"{called[0]} holds an array of shape {shape}, and axes={axes!r} names {len(axes)} dimensions."


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The first series of pages of a file."""
    try:
        import tifffile
    except ImportError:
        raise InputError(
            f"{path}: axes of TIFF files need tifffile: install it with pip install 'prismae[tiff]'."
        ) from None
    if path.suffix.lower() not in TIFF:
        raise InputError(f"Image {path} is no TIFF file, for which alone axes can be given.")
    broken = (OSError, ValueError, IndexError, KeyError, RuntimeError, TypeError, EOFError)
    # files of OME name others as theirs, anywhere on the machine: only what lies in this one is read
    with (
        in_a_sentence(f"Image {path} is damaged or no TIFF file that can be read", *broken),
        tifffile.TiffFile(path, _multifile=False) as file,
    ):
        yield file.series[0]
