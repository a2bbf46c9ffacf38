"""Images from files: opened, checked, made grey, colour or numbers, cut square, and decoded side by side."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps

from prismae._files import PACKED, check_room, written_whole
from prismae._progress import Bar
from prismae.data.files import find, place
from prismae.data.frames import axes_of_pages, count_frames, find_at_once
from prismae.errors import InputError, in_a_sentence

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".apng", ".avif", ".jp2", ".tga"),
)
# what these are; Pillow knows others by their content, whatever a file is called, and runs Ghostscript for one of them
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "AVIF", "JPEG2000", "TGA")

_GREY = ("1", "L", "LA", "La", "F", "I")
_TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")
_MOST_PIXELS = 64_000_000  # of one file; a few bytes can claim to be more than a memory holds
_AT_ONCE = (
    32  # images that a thread takes at a time, for threads that wait for each other use the processor too
)
_PART = 1024  # images handed to the threads at a time
_BROKEN = (  # what Pillow raises where a file is damaged
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
DEEP = 257  # 255 x 257 is 65535: what a byte is multiplied by to be one of 16 bits, and the other way round

ON_WHITE = "transparent, laid on white"
OF_INKS = "CMYK, made colours without a colour profile"
FURTHER = (
    "with further samples in each pixel, which are left out (--axes hwc or chw reads all, see docs/data.md)"
)
CUT = "colours of 16 bits, of which the upper 8 are kept"
FIRST = "with a second picture behind it (MPO), which is left out"


@dataclass(frozen=True)
class Frame:
    """An image of a file, from its header: channels (1 or 3), height, width, and what its values are.

    Parameters
    ----------
    number, of
        Its place among the pages or frames of the file, from 0, and how many there are.
    values
        "bytes" of 0 to 255, "whole" numbers of more bits, or "float".
    """

    path: Path
    number: int
    of: int
    channels: int
    height: int
    width: int
    values: Literal["bytes", "whole", "float"]

    @property
    def nbytes(self) -> int:
        """Bytes of its pixels, at one for each number of a channel."""
        return self.channels * self.height * self.width


@contextmanager
def opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """The image of a file; what is wrong with it is said in one sentence.

    Raises
    ------
    InputError
        For a file that is missing, no image, cut off or damaged (also where that shows while the image is used), and
        of more than 64 million pixels.
    """
    channels = "a TIFF of unusual channels is read with --axes" if path.suffix.lower()[:4] == ".tif" else ""
    try:
        # Pillow maps a TIFF that it opens by its path into memory, and then turns one that is to be turned wrongly
        with (
            in_a_sentence(f"Image {path} is damaged or no image", *_BROKEN, then=channels),
            open(path, "rb") as file,
            Image.open(file) as image,
        ):
            if image.format not in _FORMATS:
                raise InputError(
                    f"Image {path} is a file of {image.format}, expected one of {', '.join(SUFFIXES)}."
                )
            if image.width * image.height > _MOST_PIXELS:
                raise InputError(
                    f"Image {path} claims {image.width}x{image.height} pixels, "
                    f"expected at most {_MOST_PIXELS // 1_000_000} million."
                )
            find_at_once(image)
            yield image
    except FileNotFoundError:
        raise InputError(f"There is no image {path}.") from None
    except Image.DecompressionBombError:
        raise InputError(
            f"Image {path} claims more than {2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000} million pixels, "
            f"expected at most {_MOST_PIXELS // 1_000_000} million."
        ) from None


def frames_of(path: Path, *, alone: bool = False) -> list[Frame]:
    """The image of a file, or each page or frame of one that has several, from the header.

    The image of a JPEG into which a camera wrote two pictures (MPO) is the first.

    Parameters
    ----------
    alone
        Whether the file is all that is read, not one of a folder.

    Raises
    ------
    InputError
        For an image that cannot be read, and a TIFF some of whose pages are channels of one image.
    """
    with opened(path) as image:
        count = count_frames(path, image)
        if count > 1 and (axes := axes_of_pages(getattr(image, "tag_v2", {}), count)):
            # of a file alone, the first pages are the observations
            given = axes[1:] if alone and axes[0] != "c" else axes
            way = f"--axes {given} reads them as that"
            if given.count("d") > 1:
                way = "save it as one array with up to one depth, or as one image a file"
            elif alone and given == axes:
                way = f"give the folder that it lies in with --axes {given}, which makes of each file an observation"
            raise InputError(f"Image {path} has its channels in pages ({count} pages, axes {axes}): {way}.")
        nbytes = count * image.width * image.height
        if path.stat().st_size * PACKED < nbytes:  # each frame is unpacked on the way to the next
            check_room(path, nbytes, f"pixels in {count:,} frames")
        found = []
        for number in range(count):
            if number:
                image.seek(number)
            width, height = image.size
            # the tag of the camera's orientation, for which Pillow decodes a whole PNG, so a square is not asked; the
            # size of a TIFF has been turned already
            if width != height and image.format != "TIFF" and image.getexif().get(0x0112, 1) in (5, 6, 7, 8):
                width, height = height, width
            whole = image.mode.startswith("I")
            values: Literal["bytes", "whole", "float"] = (
                "whole" if whole else "float" if image.mode == "F" else "bytes"
            )
            channels = 1 if image.mode in _GREY or whole else 3
            found.append(Frame(path, number, count, channels, height, width, values))
        return found


def pixels(path: Path, channels: int, side: int | None = None, crop: float = 1.0) -> NDArray[np.uint8]:
    """Decode the image of a file that has one, and pixels of bytes: see `read_frames`.

    Parameters
    ----------
    crop
        Side of the square that is cut out of the centre first, as a part of the image's shorter side.

    Raises
    ------
    InputError
        For an image that cannot be read, and one of numbers that are no bytes.
    """
    with opened(path) as image:
        values = _values(image, path, channels, side, crop, [])
    if values.dtype == np.uint8:
        return values
    if (values % DEEP).any() or values.min() < 0 or values.max() > 255 * DEEP:
        raise InputError(f"Image {path} has 16 bits a pixel, which do not fit into 8 without loss.")
    return (values // DEEP).astype(np.uint8)


def read_frames(
    frames: Sequence[Frame], channels: int, side: int | None, noted: list[str]
) -> Iterator[NDArray | InputError]:
    """Decode images of one file, in the order in which they stand in it.

    Parameters
    ----------
    channels
        1 for grey, 3 for colour. A grey image becomes a colour one of three equal channels; a colour image becomes
        grey by the luma of ITU-R 601, as Pillow has it.
    side
        Width and height to which the centre is scaled, bilinear with antialiasing; None: as it is.
    noted
        Takes what had to be done to an image so that it fits: `ON_WHITE` and the like.

    Yields
    ------
    [channels, height, width], uint8 or, of images that are no bytes, float32; or why an image cannot be read.
    """
    try:
        with opened(frames[0].path) as image:
            for frame in frames:
                if (
                    frame.number
                ):  # a TIFF that is opened anew is turned rightly, one that goes back to its start is not
                    image.seek(frame.number)
                if image.format == "MPO" and getattr(image, "n_frames", 1) > 1:
                    noted.append(FIRST)
                yield _values(image, frame.path, channels, side, 1.0, noted)
    except InputError as error:
        yield error


def _values(
    image: ImageFile.ImageFile,
    path: Path,
    channels: int,
    side: int | None,
    crop: float,
    noted: list[str],
) -> NDArray:
    """An opened image, upright, as [channels, height, width]: see `read_frames` and `pixels`."""
    plain = _plain(image, path, noted)
    if plain.mode != "F":
        plain = plain.convert("L" if channels == 1 else "RGB")
    if image.format != "TIFF":  # Pillow has turned it
        plain = ImageOps.exif_transpose(plain)
    if side is not None:
        edge = round(crop * min(plain.size))
        left, top = (plain.width - edge) // 2, (plain.height - edge) // 2
        square = plain.crop((left, top, left + edge, top + edge))
        plain = square.resize((side, side), Image.Resampling.BILINEAR)
    values = np.asarray(plain)
    return np.repeat(values[None], channels, 0) if values.ndim == 2 else np.moveaxis(values, 2, 0)


def _plain(image: ImageFile.ImageFile, path: Path, noted: list[str]) -> Image.Image:
    """The image as bytes of grey or colour (mode L or RGB), or as numbers (mode F)."""
    if getattr(image, "tag_v2", {}).get(277, 1) > len(image.getbands()):  # the tag of the samples in a pixel
        noted.append(FURTHER)
    if any(";16" in str(tile[-1]) for tile in image.tile) and image.mode in ("RGB", "RGBA"):
        noted.append(CUT)
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        if np.isinf(values).any():
            raise InputError(f"Image {path} holds infinite values, expected finite numbers.")
        if values.dtype.kind != "f" and np.abs(values.astype(np.int64)).max() > 1 << 24:
            raise InputError(
                f"Image {path} holds whole numbers beyond 16,777,216, which float32 does not tell apart."
            )
        turned = Image.fromarray(values.astype(np.float32))
        turned.info |= image.info
        return turned
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        grey = image.mode in ("L", "LA", "La")
        layered = image.convert("RGBA")
        if np.asarray(layered.getchannel("A")).min() < 255:
            noted.append(ON_WHITE)
            layered = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
            layered.info |= image.info
        return layered.convert("L" if grey else "RGB")
    if image.mode == "CMYK":
        noted.append(OF_INKS)
    if image.mode == "LAB":
        made = ImageCms.applyTransform(image, _lab_to_rgb())
        assert made is not None  # as it is of one in place alone
        made.info |= image.info
        return made
    if image.mode not in ("1", "L", "P", "RGB", "CMYK", "YCbCr"):
        raise InputError(f"Image {path} has mode {image.mode}, expected grey or RGB.")
    return (
        image.convert("L")
        if image.mode == "1"
        else image
        if image.mode in ("L", "RGB")
        else image.convert("RGB")
    )


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    """From CIE L*a*b* of the white D50, as TIFF has it, to sRGB."""
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(*profiles, "LAB", "RGB")


def side_by_side(n: int, work: Callable[[int], None], label: str) -> None:
    """Do `work` for 0 to n - 1 on all cores, with a progress bar."""

    def in_turn(several: range) -> None:
        for i in several:
            work(i)

    with ThreadPoolExecutor(os.cpu_count()) as pool, Bar(f"Reading {label}", n, enabled=True) as bar:
        for start in range(0, n, _PART):
            part = range(start, min(start + _PART, n))
            some = [part[i : i + _AT_ONCE] for i in range(0, len(part), _AT_ONCE)]
            list(pool.map(in_turn, some))
            bar.advance(len(part))


def decode(
    paths: Sequence[Path], into: NDArray[np.uint8], read: Callable[[Path], NDArray[np.uint8]], label: str
) -> None:
    """Fill `into` [n, c, h, w] with the images that `read` makes of paths [n]; see `side_by_side`."""

    def work(i: int) -> None:
        into[i] = read(paths[i])

    side_by_side(len(paths), work, label)


def decoded_once(
    world: str,
    filename: str,
    paths: Sequence[Path],
    shape: tuple[int, int, int],
    read: Callable[[Path], NDArray[np.uint8]],
) -> NDArray[np.uint8]:
    """The images [n, *shape] of a world that `read` makes of files; see `made_once`."""
    return made_once(world, filename, (len(paths), *shape), lambda into: decode(paths, into, read, world))


def made_once(
    world: str, filename: str, wanted: tuple[int, ...], fill: Callable[[NDArray[np.uint8]], None]
) -> NDArray[np.uint8]:
    """Images of a world, memory-mapped from a .npy file of the data folder.

    Where that file is missing, or holds another number of images, `fill` is given the array of the wanted shape to
    write them to, and the file is there whole or not at all.
    """
    kept = find(world, filename)
    if kept is None or (images := _mapped(kept)) is None or images.shape != wanted:
        kept = place(world, filename)
        with written_whole(kept) as part:
            into = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=wanted)
            fill(into)
            into.flush()
        images = _mapped(kept)
        assert images is not None
    return images


def _mapped(path: Path) -> NDArray[np.uint8] | None:
    """The array of a file, in memory only where it is looked at; None for a damaged file, which is made again."""
    try:
        return np.load(path, mmap_mode="c", allow_pickle=False)  # "c", since torch wants to be able to write
    except (OSError, EOFError, ValueError):
        return None
