"""Folders of many images, decoded once into a file of the cache."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import prismae as pr
from prismae.data import Images, decoded, image_folder
from prismae.data.images import read_frames
from prismae.errors import InputError

RNG = np.random.default_rng(0)
X = RNG.integers(0, 255, (6, 8, 8), np.uint8)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six images, which count as many."""
    monkeypatch.setattr(image_folder, "HEAVY", 0)
    monkeypatch.setattr(decoded, "user_cache", lambda: tmp_path / "cache")
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, each in enumerate(X):
        Image.fromarray(each).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded."""
    names: list[str] = []

    def counted(frames, *options):
        names.append(frames[0].path.name)
        return read_frames(frames, *options)

    monkeypatch.setattr(image_folder, "read_frames", counted)
    return names


def pixels(folder: Path, **options: object) -> np.ndarray:
    world = pr.world(folder, **options)
    return (world.data[torch.arange(len(world))] * 255).round().numpy().astype(np.uint8)


def kept(folder: Path) -> list[Path]:
    return [each for each in (folder.parent / "cache" / "decoded").iterdir() if not each.name.startswith(".")]


def test_images_are_decoded_once_to_the_pixel(photos: Path, read: list[str]) -> None:
    for _ in range(2):
        np.testing.assert_array_equal(pixels(photos)[:, 0], X)
    assert sorted(read) == [f"{i}.png" for i in range(6)]
    assert len(kept(photos)) == 1
    assert (
        f"below {photos.parent / 'cache' / 'decoded'}, which may be removed" in pr.world(photos).notices[-1]
    )


def test_another_size_is_decoded_for_itself(photos: Path, read: list[str]) -> None:
    assert pixels(photos).shape == (6, 1, 8, 8)
    assert pixels(photos, size=4).shape == (6, 1, 4, 4)
    assert (len(read), len(kept(photos))) == (12, 2)


def test_a_photo_that_changed_is_seen_and_what_is_old_is_removed_when_nobody_reads_it(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels(photos)
    Image.fromarray(X[0] // 2).save(photos / "3.png")
    os.utime(photos / "3.png", (1, 1))
    np.testing.assert_array_equal(pixels(photos)[3, 0], X[0] // 2)
    assert len(kept(photos)) == 2  # a training may still read the other one
    for each in kept(photos):
        os.utime(each, (1, 1))
    (photos / "5.png").unlink()
    assert len(pixels(photos)) == 5
    assert len(kept(photos)) == 1


def test_damaged_ones_are_skipped_the_second_time_too(photos: Path, read: list[str]) -> None:
    (photos / "2.png").unlink()
    Image.fromarray(X[2]).save(photos / "2.jpg")
    (photos / "2.jpg").write_bytes((photos / "2.jpg").read_bytes()[:-30])  # its header is fine
    with pytest.raises(InputError, match=r"1 of 6 images cannot be read: --skip-damaged"):
        pr.world(photos)
    assert kept(photos) == []
    worlds = [pr.world(photos, skip_damaged=True) for _ in range(2)]
    assert len(read) == 12  # the refused reading, and one
    for world in worlds:
        assert world.called.tolist() == ["0.png", "1.png", "3.png", "4.png", "5.png"]
        assert world.notices[-1] == "left out, since they cannot be read: 1 images (2.jpg)"
    np.testing.assert_array_equal(pixels(photos, skip_damaged=True)[:, 0], X[[0, 1, 3, 4, 5]])
    with pytest.raises(InputError, match=r"1 of 6 images cannot be read"):
        pr.world(photos)


@pytest.mark.parametrize("wide", [False, True])
def test_images_of_16_bits(photos: Path, wide: bool) -> None:
    for i, each in enumerate(X):
        Image.fromarray(each.astype(np.uint16) * 257 + wide).save(photos / f"{i}.png")
    world = pr.world(photos)
    assert isinstance(world.kind, Images)
    assert world.kind.pixels != wide
    expected = X.astype(np.float32) * 257 + 1 if wide else X / np.float32(255)
    np.testing.assert_allclose(world.data[torch.arange(6)][:, 0], expected, rtol=1e-6)


def test_more_than_is_kept_in_memory_is_read_in_pieces(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prismae.data.rows.WHOLE", 100)
    world = pr.world(photos)
    assert type(world.data).__name__ == "Pieces"
    np.testing.assert_array_equal((world.data[torch.tensor([5, 0])][:, 0] * 255).round(), X[[5, 0]])


def test_a_cache_without_room_is_one_sentence(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = decoded.shutil.disk_usage(photos)
    monkeypatch.setattr(decoded.shutil, "disk_usage", lambda path: usage._replace(free=100))
    with pytest.raises(InputError, match=r"has room for 0\.0 GB: give a size"):
        pr.world(photos)


def test_a_reading_that_ends_early_leaves_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(frames, *options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(image_folder, "read_frames", stopped)
        with pytest.raises(KeyboardInterrupt):
            pr.world(photos)
    assert kept(photos) == []
    assert list((photos.parent / "cache" / "decoded").iterdir()) == []


KILLED = """
import sys, time
from pathlib import Path
from prismae.data import decoded, image_folder
import prismae as pr
image_folder.HEAVY = 0
decoded.user_cache = lambda: Path(sys.argv[1]) / "cache"
def slow(frames, *options):
    print("decoding", flush=True)
    time.sleep(60)
image_folder.read_frames = slow
pr.world(Path(sys.argv[1]) / "photos")
"""


@pytest.mark.slow
def test_a_kill_while_images_are_decoded_leaves_nothing_wrong(photos: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, photos.parent], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"decoding\n"
    child.kill()
    child.wait()
    assert kept(photos) == []
    assert len(list((photos.parent / "cache" / "decoded").iterdir())) == 1
    np.testing.assert_array_equal(pixels(photos)[:, 0], X)
    assert len(list((photos.parent / "cache" / "decoded").iterdir())) == 1  # the child's is swept away


def test_two_that_decode_at_once_agree(photos: Path) -> None:
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(pixels(photos))) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for images in found:
        np.testing.assert_array_equal(images[:, 0], X)
    assert len(kept(photos)) == 1
