"""Images from files: opened, checked, made grey or colour without loss, cut square, and decoded side by side."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from prismae._files import written_whole
from prismae.data.files import find, place
from prismae.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")
_MOST_PIXELS = 64_000_000  # of one file; a few bytes can claim to be more than a memory holds
_PART = 1024  # images handed to the threads at a time
_BROKEN = (OSError, EOFError, SyntaxError, ValueError, zlib.error)


@contextmanager
def opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """The image of a file, upright as its camera noted; what is wrong with it is said in one sentence.

    Raises
    ------
    InputError
        For a file that is missing, no image, cut off or damaged (also where that shows while the image is used),
        of more than 64 million pixels, or of several frames.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise InputError(
                    f"Image {path} claims {image.width}x{image.height} pixels, "
                    f"expected at most {_MOST_PIXELS // 1_000_000} million."
                )
            if getattr(image, "n_frames", 1) > 1:
                raise InputError(f"Image {path} has several frames, expected a still image.")
            yield image
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no image {path}.") from None
    except Image.DecompressionBombError:
        raise InputError(
            f"Image {path} claims more than {2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000} million pixels, "
            f"expected at most {_MOST_PIXELS // 1_000_000} million."
        ) from None
    except _BROKEN as error:
        raise InputError(f"Image {path} is damaged or no image ({error}).") from None


def shape_of(path: Path) -> tuple[int, int, int]:
    """Channels (1 or 3), height and width of an image, from its header."""
    with opened(path) as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # the tag of the camera's orientation
        width, height = image.size[::-1] if turned else image.size
        return (1 if image.mode in _GREY else 3), height, width


def pixels(path: Path, channels: int, side: int | None = None, crop: float = 1.0) -> NDArray[np.uint8]:
    """Decode an image.

    Parameters
    ----------
    channels
        1 for grey, 3 for colour. A grey image becomes a colour one of three equal channels; a colour image becomes
        grey by the luma of ITU-R 601, as Pillow has it.
    side
        Width and height to which the centre is scaled, bilinear with antialiasing; None: as it is.
    crop
        Side of the square that is cut out of the centre first, as a part of the image's shorter side.

    Returns
    -------
    uint8 [channels, height, width].

    Raises
    ------
    InputError
        For an image that cannot be read, or whose pixels are not bytes of grey or colour without loss:
        transparent ones, 16 bits, CMYK.
    """
    with opened(path) as image:
        plain = _plain(image, path).convert("L" if channels == 1 else "RGB")
        plain = ImageOps.exif_transpose(plain)
        if side is not None:
            edge = round(crop * min(plain.size))
            left, top = (plain.width - edge) // 2, (plain.height - edge) // 2
            square = plain.crop((left, top, left + edge, top + edge))
            plain = square.resize((side, side), Image.Resampling.BILINEAR)
        values = np.asarray(plain)
        return values[None] if channels == 1 else np.moveaxis(values, 2, 0)


def decode(
    paths: Sequence[Path], into: NDArray[np.uint8], read: Callable[[Path], NDArray[np.uint8]], label: str
) -> None:
    """Fill `into` [n, c, h, w] with the images that `read` makes of paths [n], on all cores, with a progress bar."""
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        Progress(console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task(escape(f"Reading {label}"), total=len(paths))
        for start in range(0, len(paths), _PART):
            part = paths[start : start + _PART]
            for i, values in enumerate(pool.map(read, part), start):
                into[i] = values
            progress.advance(task, len(part))


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


def _plain(image: ImageFile.ImageFile, path: Path) -> Image.Image:
    """The image as bytes of grey or colour (mode L or RGB), if that is possible without loss."""
    if any(";16" in str(tile[-1]) for tile in image.tile) and image.mode in ("RGB", "RGBA"):
        raise InputError(
            f"Image {path} has 16 bits a channel, expected 8."
        )  # Pillow would drop the lower ones
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        grey = image.mode in ("L", "LA", "La")
        layered = image.convert("LA" if grey else "RGBA")
        if np.asarray(layered.getchannel("A")).min() < 255:
            raise InputError(
                f"Image {path} has transparent pixels, expected none: put it on a background first."
            )
        return layered.convert("L" if grey else "RGB")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if (values % 257).any() or values.min() < 0 or values.max() > 65535:
            raise InputError(f"Image {path} has 16 bits a pixel, which do not fit into 8 without loss.")
        return Image.fromarray((values // 257).astype(np.uint8))
    if image.mode not in ("1", "L", "P", "RGB"):
        raise InputError(f"Image {path} has mode {image.mode}, expected grey or RGB.")
    return image.convert("L") if image.mode == "1" else image.convert("RGB") if image.mode == "P" else image
