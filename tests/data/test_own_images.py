"""A folder of images: sizes, modes, labels, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from prismae.data import World, world
from prismae.data.storage import Dense
from prismae.errors import InputError

rng = np.random.default_rng(0)
GREY = rng.integers(0, 256, (12, 16), np.uint8)
COLOUR = rng.integers(0, 256, (12, 16, 3), np.uint8)


def bytes_of(made: World) -> np.ndarray:
    assert isinstance(made.data, Dense)
    assert made.data.values.dtype == torch.uint8
    return made.data.values.numpy()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four grey images of 16x12 pixels in two subfolders."""
    home = tmp_path / "photos"
    for i, name in enumerate(("cat/a.png", "cat/b.png", "dog/a.png", "dog/c.PNG")):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY + np.uint8(i)).save(home / name)
    return home


def test_a_folder_in_the_order_of_its_paths(photos: Path) -> None:
    (photos / ".thumbnails").mkdir()
    Image.new("L", (3, 3)).save(photos / ".thumbnails" / "a.png")
    (photos / "notes.txt").write_text("no image")
    made = world(photos)
    assert (made.name, made.source, made.shape) == ("photos", "own folder photos", (1, 12, 16))
    np.testing.assert_array_equal(bytes_of(made)[:, 0], [GREY + np.uint8(i) for i in range(4)])
    assert (made.factor_names, made.factor_kinds) == (("folder",), ("categorical",))
    assert made.factors is not None
    assert made.factors[:, 0].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp", ".png"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 5
    for i in range(3):
        Image.fromarray(smooth + np.uint8(i * 20)).save(tmp_path / f"{i}{suffix}", quality=95)
    made = bytes_of(world(tmp_path))
    assert made.shape[0] == 3
    np.testing.assert_allclose(made.mean((1, 2, 3)), smooth.mean() + 20 * np.arange(3), atol=2)


def test_sizes_are_scaled_where_asked_for(photos: Path) -> None:
    Image.fromarray(np.full((40, 30), 7, np.uint8)).save(photos / "dog" / "z.png")
    with pytest.raises(InputError, match=r"cat/a\.png of 16x12 and dog/z\.png of 30x40 pixels: give a size"):
        world(photos)
    made = world(photos, size=8)
    assert made.shape == (1, 8, 8)
    assert (bytes_of(made)[4] == 7).all()


def test_the_centre_is_kept(tmp_path: Path) -> None:
    for i in range(2):
        pixels = np.zeros((8, 16), np.uint8)
        pixels[:, 4:12] = 99 + i
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    np.testing.assert_array_equal(
        bytes_of(world(tmp_path, size=4))[:, 0], [np.full((4, 4), 99 + i) for i in (0, 1)]
    )


def with_second(make: Callable[[], Image.Image], tmp_path: Path, name: str = "b.png") -> np.ndarray:
    """The second of two images in a folder, of which the first is other grey noise."""
    Image.fromarray(GREY[::-1]).save(tmp_path / "a.png")
    make().save(tmp_path / name)
    return bytes_of(world(tmp_path))[1]


LOSSLESS: dict[str, tuple[Callable[[], Image.Image], np.ndarray]] = {
    "1": (lambda: Image.fromarray(GREY > 99), np.where(GREY > 99, 255, 0)[None]),
    "P": (lambda: Image.fromarray(GREY).convert("P"), np.stack([GREY] * 3)),
    "RGB": (lambda: Image.fromarray(COLOUR), np.moveaxis(COLOUR, 2, 0)),
    "RGBA": (lambda: Image.fromarray(COLOUR).convert("RGBA"), np.moveaxis(COLOUR, 2, 0)),
    "LA": (lambda: Image.fromarray(GREY).convert("LA"), GREY[None]),
    "I;16": (lambda: Image.fromarray(GREY.astype(np.uint16) * 257), GREY[None]),
}


@pytest.mark.parametrize("mode", LOSSLESS)
def test_other_modes_are_converted_where_nothing_is_lost(tmp_path: Path, mode: str) -> None:
    make, expected = LOSSLESS[mode]
    np.testing.assert_array_equal(with_second(make, tmp_path), expected)


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    for i in range(2):
        Image.fromarray(GREY + np.uint8(i)).save(tmp_path / f"{i}.png", exif=exif)
    np.testing.assert_array_equal(bytes_of(world(tmp_path))[0, 0], np.rot90(GREY, -1))


def transparent() -> Image.Image:
    image = Image.fromarray(COLOUR).convert("RGBA")
    image.putalpha(128)
    return image


def keyed() -> Image.Image:
    image = Image.fromarray(GREY)
    image.info["transparency"] = int(GREY[0, 0])
    return image


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, rows: bytes) -> bytes:
    """A colour PNG of any claimed size."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def whole() -> bytes:
    return png(16, 12, 8, b"".join(b"\0" + row.tobytes() for row in COLOUR))


BAD_IMAGES: dict[str, tuple[bytes | Image.Image, str]] = {
    "transparent": (transparent(), "has transparent pixels, expected none: put it on a background first."),
    "16 bits": (Image.fromarray(GREY.astype(np.uint16) * 256 + 1), "has 16 bits a pixel, which do not fit"),
    "16 bits a channel": (
        png(16, 12, 16, b"".join(b"\0" + bytes(96) for _ in range(12))),
        "has 16 bits a channel, expected 8.",
    ),
    "cut off": (whole()[:300], "is damaged or no image ("),
    "empty": (b"", "is damaged or no image ("),
    "text": (b"this is no image", "is damaged or no image ("),
    "a bomb": (png(10_000, 9_000, 8, b"\0"), "claims 10000x9000 pixels, expected at most 64 million."),
    "a big bomb": (
        png(60_000, 60_000, 8, b"\0"),
        "claims more than 178 million pixels, expected at most 64 million.",
    ),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bad_images_get_one_sentence(tmp_path: Path, case: str) -> None:
    content, sentence = BAD_IMAGES[case]
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    path = tmp_path / "b.png"
    path.write_bytes(content) if isinstance(content, bytes) else content.save(path)
    with pytest.raises(InputError, match=re.escape(f"Image {path} {sentence}")):
        world(tmp_path)


def test_a_transparent_colour(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has transparent pixels"):
        with_second(keyed, tmp_path)


def test_cmyk(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"b\.jpg has mode CMYK, expected grey or RGB\."):
        with_second(lambda: Image.new("CMYK", (16, 12)), tmp_path, "b.jpg")


def test_several_frames(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "b.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"b\.webp has several frames, expected a still image\."):
        world(tmp_path)


def test_more_than_fits(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prismae.data.image_folder._MOST_BYTES", 700)
    with pytest.raises(
        InputError, match="4 images of 16x12 pixels take 0 GB, expected at most 16 GB: give a size"
    ):
        world(photos)
    assert world(photos, size=8).shape == (1, 8, 8)


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path} holds no images, expected files .png, .jpg")):
        world(tmp_path)


# Labels


def test_labels_csv_and_names_of_factors(photos: Path) -> None:
    (photos / "labels.csv").write_text(
        "file,size,age\ndog/c.PNG,1.5,old\ncat/a.png,2.5,young\ncat/b.png,3,old\ndog/a.png,4,old\n"
    )
    made = world(photos)
    assert made.factor_names == ("folder", "size", "age")
    assert made.factor_kinds == ("categorical", "continuous", "categorical")
    assert made.factors is not None
    assert made.factors.tolist() == [[0, 2.5, 1], [0, 3, 0], [1, 4, 0], [1, 1.5, 0]]
    assert world(photos, factors=["age", "folder"]).factor_names == ("age", "folder")
    with pytest.raises(InputError, match="Unknown label of photos 'ages': did you mean 'age'"):
        world(photos, factors=["ages"])


BAD_LABELS = {
    "no column": ("name,size\na,1\n", "has the columns name, size, expected one named 'file'."),
    "twice": ("file,size\ncat/a.png,1\ncat/a.png,2\n", "names 'cat/a.png' twice."),
    "no image": ("file,size\nb.png,1\nx.png,2\n", "names 'b.png' and 1 more, but there is no such image."),
    "no label": ("file,size\ncat/a.png,1\ndog/a.png,2\n", "has no labels for 'cat/b.png' and 1 more."),
    "empty": ("", "labels.csv is empty."),
    "missing value": (
        "file,size\ncat/a.png,1\ncat/b.png,\ndog/a.png,2\ndog/c.PNG,3\n",
        "factor 'size' lacks a value, the first in row 2",
    ),
    "constant": (
        "file,size\ncat/a.png,1\ncat/b.png,1\ndog/a.png,1\ndog/c.PNG,1\n",
        "factor 'size' is constant (1), expected a factor that varies.",
    ),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_labels_that_do_not_match_get_one_sentence(photos: Path, case: str) -> None:
    content, sentence = BAD_LABELS[case]
    (photos / "labels.csv").write_text(content)
    with pytest.raises(InputError, match=re.escape(sentence)):
        world(photos)
