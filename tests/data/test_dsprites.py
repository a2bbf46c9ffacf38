"""dSprites: rendered as the genuine ones, kept on disk, read from the official file where it is there."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from prismae.data import World, world
from prismae.data.rendering import SIZES, render
from prismae.data.worlds import dsprites
from prismae.errors import InputError

FULL = int(np.prod(SIZES))


@pytest.fixture(scope="module")
def genuine(real_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Packed images [20000, 512], factors [20000, 5] and indices [20000] of genuine dSprites."""
    path = real_data / "dsprites" / "dsprites_genuine_20000.npz"
    if not path.exists():
        pytest.skip(f"no genuine dSprites at {path}")
    with np.load(path) as arrays:
        return arrays["imgs_packed"], arrays["latents_classes"][:, 1:], arrays["original_index"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which dSprites was rendered once."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISMAE_DATA", str(folder))
        patch.setattr("prismae.data.files.user_cache", lambda: folder)
        assert world("dsprites").source == "rendered dSprites"
    return folder


@pytest.fixture
def rendered(kept: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("PRISMAE_DATA", str(kept))
    monkeypatch.setattr(dsprites, "render", lambda _: pytest.fail("rendered although it was kept"))
    return world("dsprites")


def test_renders_genuine_images_bit_for_bit(genuine: tuple[np.ndarray, ...]) -> None:
    images, factors, _ = genuine
    render(factors[:1])  # compiles
    start = time.process_time()
    made = render(factors)
    assert time.process_time() - start < 5  # about 0.04 on an idle core
    wrong_pixels = np.bitwise_count(made ^ images).sum(axis=1)
    assert (wrong_pixels == 0).sum() >= 19_995
    assert wrong_pixels.max() <= 1


def test_images_do_not_depend_on_the_order_they_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=200) for size in SIZES], axis=1)
    order = rng.permutation(200)
    np.testing.assert_array_equal(render(factors)[order], render(factors[order]))


def test_a_full_turn_and_a_shift_change_nothing_else() -> None:
    first, last = np.array([[2, 3, 0, 7, 9]]), np.array([[2, 3, 39, 7, 9]])
    np.testing.assert_array_equal(render(first), render(last))
    # 31 steps of position are 32 pixels
    left = np.unpackbits(render(np.array([[1, 2, 5, 0, 4]]))).reshape(64, 64)
    right = np.unpackbits(render(np.array([[1, 2, 5, 31, 4]]))).reshape(64, 64)
    np.testing.assert_array_equal(left[:, :32], right[:, 32:])


def test_factors_out_of_range() -> None:
    with pytest.raises(
        InputError, match=r"no image with the factors \[ 0  0 40  0  0\], expected each below"
    ):
        render(np.array([[0, 0, 0, 0, 0], [0, 0, 40, 0, 0]]))


def test_the_whole_world(rendered: World) -> None:
    assert (len(rendered), rendered.shape, rendered.factor_sizes) == (FULL, (1, 64, 64), SIZES)
    assert rendered.factor_names == ("shape", "scale", "orientation", "pos_x", "pos_y")
    assert rendered.factor_kinds == ("categorical",) + ("continuous",) * 4
    assert rendered.source == "rendered dSprites"
    assert isinstance(rendered.data, dsprites.BitPacked)
    packed = rendered.data.packed.numpy()
    assert packed.nbytes + rendered.factors.nbytes < 0.4e9
    assert sum(int(np.bitwise_count(part).sum()) for part in np.array_split(packed, 100)) == 128_328_859


def test_the_order_is_the_official_one(rendered: World, genuine: tuple[np.ndarray, ...]) -> None:
    images, factors, indices = genuine
    np.testing.assert_array_equal(rendered.factors[indices], factors)
    pixels = np.unpackbits(images[:500], axis=1).reshape(-1, 1, 64, 64)
    drawn = rendered.data[torch.from_numpy(indices[:500].astype(np.int64))]
    assert (drawn.numpy() != pixels).sum() <= 1


def test_a_damaged_copy_is_replaced(kept: Path, folder: Path) -> None:
    whole = (kept / "dsprites" / dsprites.RENDERED).read_bytes()
    path = folder / "dsprites" / dsprites.RENDERED
    path.parent.mkdir(parents=True)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dsprites, "render", lambda factors: np.full((FULL, 512), 3, np.uint8))
        drawn = world("dsprites").data[torch.tensor([5])]
    assert drawn.sum() == 2 * 512
    with np.load(path) as arrays:
        assert arrays["packed"].shape == (FULL, 512)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_read_only_disk_is_no_obstacle_but_is_told(tmp_path: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "dsprites").write_text("in the way")
    (tmp_path / "cache").write_text("in the way")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dsprites, "render", lambda factors: np.full((FULL, 512), 3, np.uint8))
        with pytest.warns(
            UserWarning, match="will be rendered anew next time, as they could not be kept: .*neither"
        ):
            assert len(world("dsprites")) == FULL


# The official file


def write_official(path: Path, factors: np.ndarray, packed: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    classes = np.concatenate([np.zeros((len(factors), 1), np.int64), factors], axis=1)
    pixels = np.unpackbits(packed, axis=1).reshape(-1, 64, 64)
    np.savez_compressed(path, imgs=pixels, latents_classes=classes)


def test_the_official_format(tmp_path: Path) -> None:
    factors = np.indices((3, 6, 2, 16, 16)).reshape(5, -1).T  # 9,216 images: more than are read at a time
    packed = render(factors)
    write_official(tmp_path / "official.npz", factors, packed)
    found_packed, found_factors = dsprites.read_official(tmp_path / "official.npz")
    np.testing.assert_array_equal(found_packed, packed)
    np.testing.assert_array_equal(found_factors, factors)


def test_an_official_file_that_is_not_the_whole(folder: Path) -> None:
    factors = np.zeros((7, 5), int)
    path = folder / "dsprites" / dsprites.OFFICIAL
    write_official(path, factors, render(factors))
    sentence = (
        f"{path} holds 7 images whose factors are not the grid of dSprites, expected all 737280 in order"
    )
    with pytest.raises(InputError, match=re.escape(sentence)):
        world("dsprites")


def test_a_corrupted_official_file(folder: Path) -> None:
    path = folder / "dsprites" / dsprites.OFFICIAL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK no archive")
    with pytest.raises(InputError, match=re.escape(f"{path} is corrupted or no official dSprites file")):
        world("dsprites")
    np.savez(path, imgs=np.zeros((4, 32, 32), np.uint8), latents_classes=np.zeros((4, 6), int))
    with pytest.raises(InputError, match=re.escape("imgs is uint8 (4, 32, 32), expected uint8 (4, 64, 64)")):
        world("dsprites")
    np.savez(path, imgs=np.zeros((4, 64, 64), np.uint8))
    with pytest.raises(InputError, match="latents_classes"):
        world("dsprites")


@pytest.mark.slow
def test_as_many_distinct_images_as_there_should_be(rendered: World) -> None:
    assert isinstance(rendered.data, dsprites.BitPacked)
    assert len(np.unique(rendered.data.packed.numpy().view("V512").ravel())) == 715_706


@pytest.mark.slow
def test_the_whole_official_file(rendered: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(rendered.data, dsprites.BitPacked)
    assert rendered.factors is not None
    packed = rendered.data.packed
    write_official(folder / "dsprites" / dsprites.OFFICIAL, rendered.factors, packed.numpy())
    monkeypatch.setenv("PRISMAE_DATA", str(folder))
    made = world("dsprites")
    assert made.source == "official dSprites"
    assert torch.equal(made.data.packed, packed)  # type: ignore[attr-defined]
