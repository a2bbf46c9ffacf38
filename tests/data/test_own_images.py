"""A folder of images: sizes, modes, labels, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from prismae.data import Images, World, world
from prismae.data.frames import Places
from prismae.data.images import frames_of, opened
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


@pytest.mark.parametrize(
    "suffix", [".jpg", ".jpeg", ".webp", ".png", ".bmp", ".tiff", ".avif", ".jp2", ".ppm"]
)
def test_formats(tmp_path: Path, suffix: str) -> None:
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 5
    for i in range(3):
        Image.fromarray(smooth + np.uint8(i * 20)).save(tmp_path / f"{i}{suffix}", quality=95)
    made = bytes_of(world(tmp_path))
    assert made.shape[0] == 3
    np.testing.assert_allclose(made.mean((1, 2, 3)), smooth.mean() + 20 * np.arange(3), atol=2)


def test_sizes_are_scaled_where_asked_for(photos: Path) -> None:
    Image.fromarray(np.full((40, 30), 7, np.uint8)).save(photos / "dog" / "z.png")
    with pytest.raises(
        InputError, match=r"4 of 16x12 \(cat/a\.png …\), 1 of 30x40 \(dog/z\.png\) pixels: give a size"
    ):
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


def notices(folder: Path, **options: object) -> str:
    return " ".join(world(folder, **options).notices)


@pytest.mark.parametrize("grey", [True, False])
def test_what_is_transparent_is_laid_on_white(tmp_path: Path, grey: bool) -> None:
    alpha = rng.integers(0, 256, (12, 16), np.uint8)
    base = Image.fromarray(GREY if grey else COLOUR).convert("LA" if grey else "RGBA")
    base.putalpha(Image.fromarray(alpha))
    made = with_second(lambda: base, tmp_path)[:3]
    share = alpha[None] / 255
    expected = share * (GREY[None] if grey else np.moveaxis(COLOUR, 2, 0)) + (1 - share) * 255
    np.testing.assert_allclose(made, expected, atol=1)
    assert notices(tmp_path) == "1 of 2 images: transparent, laid on white"


def test_a_transparent_colour(tmp_path: Path) -> None:
    made = with_second(keyed, tmp_path)
    np.testing.assert_array_equal(made[0], np.where(GREY[0, 0] == GREY, 255, GREY))


def test_cmyk(tmp_path: Path) -> None:
    inks = np.full((12, 16, 4), (255, 0, 0, 51), np.uint8)  # cyan, and a fifth of black
    made = with_second(lambda: Image.fromarray(inks, "CMYK"), tmp_path, "b.tif")
    assert made[:, 0, 0].tolist() == [0, 204, 204]
    assert notices(tmp_path) == "1 of 2 images: CMYK, made colours without a colour profile"


def test_colours_of_16_bits_keep_the_upper_8(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + (COLOUR[i].astype(">u2") * 256 + 77).astype(">u2").tobytes() for i in range(12))
    (tmp_path / "b.png").write_bytes(png(16, 12, 16, rows))
    Image.fromarray(COLOUR[::-1]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(bytes_of(world(tmp_path))[1], np.moveaxis(COLOUR, 2, 0))
    assert notices(tmp_path) == "1 of 2 images: colours of 16 bits, of which the upper 8 are kept"


@pytest.mark.parametrize(
    ("suffix", "kind"), [("png", np.uint16), ("tif", np.uint16), ("pgm", np.uint16), ("tif", np.int32)]
)
def test_more_than_8_bits_are_numbers(tmp_path: Path, suffix: str, kind: type) -> None:
    deep = rng.integers(0, 4096, (3, 12, 16)).astype(kind)
    for i in range(3):
        Image.fromarray(deep[i]).save(tmp_path / f"{i}.{suffix}")
    made = world(tmp_path)
    assert isinstance(made.kind, Images)
    assert not made.kind.pixels
    np.testing.assert_array_equal(made.data[torch.arange(3)].numpy()[:, 0], deep)
    assert (
        "images are kept as numbers, not as pixels of 0 to 255: they have more than 8 bits a pixel"
        in made.notices
    )
    assert world(tmp_path, size=6).shape == (1, 6, 6)


def test_bytes_beside_16_bits_are_stretched_to_their_range(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(GREY.astype(np.uint16) * 257 + 1).save(tmp_path / "b.png")
    made = world(tmp_path).data[torch.arange(2)].numpy()[:, 0]
    np.testing.assert_array_equal(made, [GREY * 257.0, GREY * 257.0 + 1])


def test_decimal_numbers_with_gaps(tmp_path: Path) -> None:
    values = rng.normal(size=(2, 12, 16)).astype(np.float32)
    values[0, 3, 4] = np.nan
    for i in range(2):
        Image.fromarray(values[i]).save(tmp_path / f"{i}.tif")
    made = world(tmp_path)
    np.testing.assert_array_equal(made.data[torch.arange(2)].numpy()[:, 0], values)
    assert made.kind.lacking == ()
    Image.fromarray(GREY).save(tmp_path / "c.tif")
    with pytest.raises(InputError, match=r"decimal numbers, such as 0\.tif, beside others, such as c\.tif"):
        world(tmp_path)


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp", "png"])
def test_each_frame_of_a_file_is_an_image(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue", "lime")]
    path = tmp_path / f"b.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    made = world(path)
    assert made.source == f"own file b.{suffix}"
    assert made.called.tolist() == [f"b.{suffix}#{i}" for i in (1, 2, 3)]
    np.testing.assert_allclose(bytes_of(made)[:, :, 5, 5], [(255, 0, 0), (0, 0, 255), (0, 255, 0)], atol=2)
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text(f"file,who\na.png,x\nb.{suffix},y\n")
    both = world(tmp_path)
    assert both.called.tolist() == ["a.png", *made.called]
    assert both.factors is not None
    assert both.factors[:, 0].tolist() == [0, 1, 1, 1]


def test_one_image_is_too_little(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="expected at least two"):
        world(tmp_path / "a.png")


@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize("orientation", [3, 5, 6, 8])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_is_turned_upright(
    tmp_path: Path, pages: int, orientation: int, compression: str | None
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(GREY)
    (tmp_path / "png").mkdir()
    (tmp_path / "tif").mkdir()
    for i in range(2):
        shown = Image.fromarray(GREY + np.uint8(i))
        shown.save(tmp_path / "png" / f"{i}.png", exif=exif)
        more = [image] * (pages - 1)
        shown.save(
            tmp_path / "tif" / f"{i}.tif",
            tiffinfo={0x0112: orientation},
            compression=compression,
            save_all=pages > 1,
            append_images=more,
        )
    expected = bytes_of(world(tmp_path / "png"))
    np.testing.assert_array_equal(bytes_of(world(tmp_path / "tif"))[::pages], expected)


def test_what_cannot_be_read_is_named_at_once_and_skipped_where_asked_for(photos: Path) -> None:
    Image.fromarray(GREY).save(photos / "cat" / "cut.jpg")
    (photos / "cat" / "cut.jpg").write_bytes(
        (photos / "cat" / "cut.jpg").read_bytes()[:-30]
    )  # its header is fine
    (photos / "dog" / "empty.jpg").write_bytes(b"")
    (photos / "notes.txt").write_text("no image")
    Image.new("L", (3, 3)).save(photos / "small.bmp")
    with pytest.raises(InputError) as refused:
        world(photos)
    said = str(refused.value)
    assert "1 of 7 images cannot be read: --skip-damaged leaves them out. Image" in said
    assert "empty.jpg is damaged or no image" in said
    assert "several sizes, 5 of 16x12 (cat/a.png …), 1 of 3x3 (small.bmp) pixels" in said
    (photos / "small.bmp").unlink()
    (photos / "dog" / "empty.jpg").unlink()
    with pytest.raises(InputError, match=r"1 of 5 images cannot be read.*cut\.jpg is damaged or no image"):
        world(photos)
    (photos / "dog" / "empty.jpg").write_bytes(b"")
    made = world(photos, skip_damaged=True)
    np.testing.assert_array_equal(bytes_of(made)[:, 0], [GREY + np.uint8(i) for i in range(4)])
    assert made.called.tolist() == ["cat/a.png", "cat/b.png", "dog/a.png", "dog/c.PNG"]
    assert made.factors is not None
    assert made.factors[:, 0].tolist() == [0, 0, 1, 1]
    assert made.notices == (
        "other files in the folder are not read: 1 .txt",
        "left out, since they cannot be read: 2 images (cat/cut.jpg, dog/empty.jpg)",
    )
    for name in made.called:
        (photos / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"6 of 6 images cannot be read\. "):
        world(photos, skip_damaged=True)


def test_two_pictures_in_a_jpeg(tmp_path: Path) -> None:
    for i in range(2):
        first, second = (Image.new("RGB", (16, 12), (100 * k, 9, 50 * i)) for k in (1, 2))
        first.save(tmp_path / f"{i}.jpg", format="MPO", save_all=True, append_images=[second])
    assert notices(tmp_path) == "2 of 2 images: with a second picture behind it (MPO), which is left out"
    assert bytes_of(world(tmp_path))[:, 0].mean() == pytest.approx(100, abs=3)


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


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["red/square", "red/disc", "blue/disc"], {"folder 1": 2, "folder 2": 2}),
        (["all/red/square", "all/red/disc", "all/blue/disc"], {"folder 2": 2, "folder 3": 2}),
        (["train/cats", "train/dogs"], {"folder": 2}),
        (["red/square", "red", "blue/disc"], {"folder": 3}),
        (["red"], {}),
    ],
    ids=lambda value: ", ".join(value),
)
def test_each_level_of_nested_folders_is_a_factor(tmp_path: Path, folders: list[str], expected: dict) -> None:
    rng = np.random.default_rng(0)
    for i, folder in enumerate(2 * folders):
        (tmp_path / "x" / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 8), np.uint8)).save(tmp_path / "x" / folder / f"{i}.png")
    made = world(tmp_path / "x")
    assert (
        dict(zip(made.factor_names, (made.factor_sizes if made.factor_names else ()), strict=True))
        == expected
    )


def test_pages_of_a_tiff_are_found_without_looking_through_those_before(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        for i in range(5):
            file.write(np.full((4, 4), i, np.uint8), contiguous=False, metadata=None)
    with opened(tmp_path / "x.tif") as image:
        places = image._frame_pos  # type: ignore[attr-defined]
        assert isinstance(places, Places)  # else 20,000 pages take twice the time
        image.seek(4)
        assert len(places) == 5
        assert all(place in places for place in list(places))
    assert [frame.number for frame in frames_of(tmp_path / "x.tif")] == [0, 1, 2, 3, 4]


def test_images_of_8_bits_among_others_are_counted(tmp_path):
    for i in range(4):
        grey = np.random.default_rng(i).integers(0, 255, (8, 8))
        deep = (257 * grey + 1).astype(np.uint16)
        Image.fromarray(grey.astype(np.uint8) if i < 3 else deep).save(tmp_path / f"{i}.png")
    made = world(f"{tmp_path}/")
    assert "3 of 4 images have 8 bits a pixel: they go to 255, whatever others go to" in made.notices
