"""How many frames or pages an image file has, counted by their heads alone and no further than are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from prismae.errors import InputError

MOST_FRAMES = 20_000  # of one file; Pillow looks at each before it says how many there are
_IMAGE, _EXTENSION = 0x2C, 0x21  # with which the blocks of a GIF begin
_DESCRIPTION, _SAMPLES = 270, 277  # tags of a TIFF
_BIG = (b"II+\0", b"MM\0+")  # TIFF whose places are numbers of 64 bits


class Places(list[int]):
    """Places of pages in a TIFF. Pillow asks before each page whether it knows its place: here that takes no time."""

    def __init__(self, places: Iterable[int]) -> None:
        super().__init__(places)
        self._known = set(self)

    def append(self, place: int) -> None:
        super().append(place)
        self._known.add(place)

    def __contains__(self, place: object) -> bool:
        return place in self._known


def find_at_once(image: ImageFile) -> None:
    """Let Pillow find the pages of an opened TIFF in a time that grows with their number, not with its square."""
    if isinstance(image, TiffImageFile) and type(image._frame_pos) is list:
        image._frame_pos = Places(image._frame_pos)


def count_frames(path: Path, image: ImageFile) -> int:
    """How many images an opened file holds. That of a JPEG into which a camera wrote two (MPO) is the first.

    Raises
    ------
    InputError
        For more than 20,000, with what to do.
    """
    if image.format == "MPO":
        return 1
    if image.format in ("GIF", "TIFF"):
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            walk = _of_gif(data) if image.format == "GIF" else _of_tiff(data)
            found = sum(1 for _ in islice(walk, MOST_FRAMES + 1))
    else:  # their heads say it
        found = getattr(image, "n_frames", 1)
    if found > MOST_FRAMES:
        raise InputError(
            f"Image {path} has more than {MOST_FRAMES:,} frames, each of which would be an image: part it into several "
            "files, or save it as one array [n, h, w] (.npy)."
        )
    return getattr(image, "n_frames", 1)


def axes_of_pages(tags: Mapping[int, Any], count: int) -> str | None:
    """Axes of a TIFF whose pages are channels, as ImageJ and OME describe it; None for one whose pages are images.

    Slices and times are both depth ("d").
    """
    text = str(tags.get(_DESCRIPTION, ""))
    if tags.get(_SAMPLES, 1) != 1:
        return None
    if text.startswith("ImageJ="):
        names, order = {"T": r"\bframes=", "Z": r"\bslices=", "C": r"\bchannels="}, "TZC"
    elif said := re.search(r'\bDimensionOrder="XY([CZT]{3})"', text):
        names, order = {each: rf'\bSize{each}="' for each in "TZC"}, said[1][::-1]
    else:
        return None
    found = {each: re.search(rf"{name}(\d{{1,9}})", text) for each, name in names.items()}
    sizes = {each: int(size[1]) if size else 1 for each, size in found.items()}
    if sizes["C"] < 2 or prod(sizes.values()) != count:
        return None
    return "".join("c" if each == "C" else "d" for each in order if sizes[each] > 1) + "hw"


def _of_gif(data: mmap) -> Iterator[None]:
    """One for each image block of a GIF; what is cut off ends it."""
    at = 13 + _table(data[10])
    while at + 10 < len(data):
        if data[at] == _IMAGE:
            yield
            at += 11 + _table(data[at + 9])
        elif data[at] == _EXTENSION:
            at += 2
        else:
            return
        while at < len(data) and data[at]:  # a sub-block, of as many bytes as its first says
            at += data[at] + 1
        at += 1


def _table(flags: int) -> int:
    """Bytes of the table of colours that follows, where there is one."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _of_tiff(data: mmap) -> Iterator[None]:
    """One for each page of a TIFF, by the chain of their places."""
    big, order = data[:4] in _BIG, "little" if data[:2] == b"II" else "big"
    of_place, of_count, of_entry = (8, 8, 20) if big else (4, 2, 12)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]

    at = number(8, 8) if big else number(4, 4)
    seen = set[int]()
    while 0 < at < len(data) and at not in seen:
        yield
        seen.add(at)
        at = number(at + of_count + number(at, of_count) * of_entry, of_place)
