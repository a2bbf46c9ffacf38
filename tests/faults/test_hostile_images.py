"""Images that reach for files, run programs, or claim more than any memory holds are refused in one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import prismae as pr
from prismae.data import image_folder
from prismae.errors import InputError


def test_pages_of_a_tiff_that_lie_in_another_file_are_not_followed(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "secret.tif", np.full((8, 8), 77, np.uint8))
    (tmp_path / "mine").mkdir()
    for i in range(3):
        name = f"{i}.tif"
        pages = "".join(
            f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1"><UUID FileName="{file}">urn:uuid:{z}</UUID></TiffData>'
            for z, file in enumerate((name, "../secret.tif"))
        )
        about = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            'UUID="urn:uuid:0"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" '
            f'SizeY="8" SizeZ="2" SizeC="1" SizeT="1">{pages}</Pixels></Image></OME>'
        )
        tifffile.imwrite(
            tmp_path / "mine" / name, np.full((8, 8), i, np.uint8), description=about, metadata=None
        )
    world = pr.world(tmp_path / "mine", axes="hw")
    assert world.shape == (1, 8, 8)


def test_a_pipe_among_images_is_no_image(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / f"{i}.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "labels.csv")
    assert len(pr.world(tmp_path)) == 3


def test_frames_of_an_animation_are_counted_before_they_are_unpacked(tmp_path, monkeypatch):
    frames = [Image.new("P", (2000, 2000), i % 2) for i in range(8)]
    for i, frame in enumerate(frames):
        frame.putpixel((0, i), 3)
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert (tmp_path / "x.gif").stat().st_size < 32_000
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**12)  # 17 MB
        with pytest.raises(InputError, match=r"x.gif holds 0 GB of pixels in 8 frames"):
            pr.world(tmp_path / "x.gif")


def test_many_images_that_claim_far_more_than_they_have_are_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "_MOST", 1_000_000)
    for i in range(3):
        Image.new("L", (1000, 1000)).save(tmp_path / f"{i}.png")
    monkeypatch.setattr(image_folder, "read_frames", lambda *given: pytest.fail("an image was decoded"))
    with pytest.raises(InputError, match=r"holds 0.0 GB of pixels in 0.0 MB of files.*500 times"):
        pr.world(tmp_path, size=8)


def test_many_large_photos_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "_MOST", 10_000)
    for i in range(3):
        noise = np.random.default_rng(i).integers(0, 255, (100, 100), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    assert pr.world(tmp_path, size=8).shape == (1, 8, 8)


def test_images_are_not_scaled_to_more_than_is_held(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "0.png")
    with pytest.raises(InputError, match="size should be less than or equal to 4096, got 100000"):
        pr.world(tmp_path, size=100_000)


def test_an_image_of_a_format_that_is_not_read_is_not_handed_to_another_program(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "PIL.EpsImagePlugin.Ghostscript", lambda *given, **more: pytest.fail("Ghostscript was run")
    )
    for i in range(3):
        text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
        (tmp_path / f"{i}.png").write_bytes(text)
    with pytest.raises(
        InputError, match=r"3 of 3 images cannot be read.*0.png is a file of EPS, expected one of .png"
    ):
        pr.world(tmp_path)
