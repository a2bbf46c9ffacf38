"""Worlds that are composed when they are drawn: rooms, coloured and noisy sprites, squares."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prismae.data import World, world
from prismae.data.composed import Layers, Noisy, even_noise
from prismae.data.rooms import LAYERS, SIZES, render
from prismae.data.storage import Dense
from prismae.data.worlds.rooms3d import layers
from prismae.testing import check_world

FLOOR, WALL, OBJECT, SKY = range(4)


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    return render()


def rooms(masks: np.ndarray, factors: list[list[int]]) -> np.ndarray:
    flat = Dense(torch.from_numpy(masks.reshape(-1, 64, 64)))
    made = layers(flat, np.array(factors, dtype=np.int32))
    return made[torch.arange(len(made))].numpy()


def test_rooms_are_as_bright_as_the_published_ones(masks: np.ndarray) -> None:
    """Over all hues a layer is half of its light in each channel; the means are those published of 3D Shapes."""
    light = masks.astype(float).mean(axis=(0, 1, 2, 4, 5)) / 255
    mean = light[:SKY].sum() / 2 + light[SKY] * np.array([153, 226, 249]) / 255
    assert mean == pytest.approx([0.502585, 0.578760, 0.603450], abs=0.01)


def test_orientations_are_mirror_images_but_for_light(masks: np.ndarray) -> None:
    np.testing.assert_array_equal(masks[:, :, ::-1, [FLOOR, SKY], :, ::-1], masks[:, :, :, [FLOOR, SKY]])
    np.testing.assert_array_equal(masks[:, :, ::-1, OBJECT, :, ::-1] > 0, masks[:, :, :, OBJECT] > 0)


def test_objects_grow_with_their_scale_and_layers_share_pixels(masks: np.ndarray) -> None:
    area = (masks[:, :, :, OBJECT] > 0).sum(axis=(-1, -2))
    assert (np.diff(area, axis=0) > 0).all()
    assert masks.astype(int).sum(axis=3).max() <= 255
    assert masks.shape == (*SIZES, len(LAYERS), 64, 64)


@pytest.mark.parametrize("layer", [FLOOR, WALL, OBJECT])
def test_a_hue_changes_only_the_pixels_of_its_layer(masks: np.ndarray, layer: int) -> None:
    first = [1, 2, 3, 4, 2, 5]
    other = [*first[:layer], 8, *first[layer + 1 :]]
    a, b = rooms(masks, [first, other])
    changed = (a != b).any(axis=0)
    np.testing.assert_array_equal(changed, masks[4, 2, 5, layer] > 0)


def test_all_hues_together_are_grey(masks: np.ndarray) -> None:
    found = rooms(masks, [[hue, 0, 0, 4, 0, 7] for hue in range(10)]).mean(axis=0)
    inside = masks[4, 0, 7, FLOOR] == masks[..., FLOOR, :, :].max()
    assert found[:, inside] == pytest.approx(0.95 / 2, abs=2e-3)


def test_a_ball_is_round_and_where_the_camera_sees_its_middle(masks: np.ndarray) -> None:
    """Of a ball at distance d its outline is a circle of angular radius asin(r / d), seen almost straight ahead."""
    seen = masks[0, 2, 7, OBJECT] > 0  # sphere of scale 0.75, from the front
    radius = 0.75 * 0.55
    distance = np.hypot(3.3, 1.12 - radius)
    outline = 70 * np.tan(np.arcsin(radius / distance))
    assert seen.sum() == pytest.approx(np.pi * (outline + 0.5) ** 2, rel=0.03)  # with pixels that it cuts
    rows, columns = np.nonzero(seen)
    assert columns.mean() == pytest.approx(31.5, abs=0.01)
    assert rows.mean() - 31.5 == pytest.approx(70 * np.tan(np.arctan((1.12 - radius) / 3.3) - 0.041), abs=0.7)


def tiny_sprites() -> World:
    """Six images of dSprites' shape, with 10 pixels of each set."""
    images = torch.zeros(6, 1, 64, 64)
    images.view(6, -1)[:, 100:110] = 1
    factors = np.arange(12).reshape(6, 2)
    return World("dsprites", Dense(images), factors, ("a", "b"), ("continuous",) * 2, "sprites")


@pytest.fixture
def sprites(monkeypatch: pytest.MonkeyPatch) -> World:
    made = tiny_sprites()
    for name in ("color_dsprites", "noisy_dsprites"):
        monkeypatch.setattr(f"prismae.data.worlds.{name}.load_dsprites", lambda: made)
    return made


def test_coloured_sprites_have_a_colour_each(sprites: World) -> None:
    made = world("color-dsprites")
    x = made.data[torch.arange(6)]
    on = sprites.data[torch.arange(6)].bool().expand_as(x)
    colours = x[:, :, 1, 36:46]
    assert (x[~on] == 0).all()
    assert (colours == colours[:, :, :1]).all()
    assert colours.min() >= 0.5
    assert len(torch.unique(colours[:, :, 0], dim=0)) == 6
    assert made.source == "sprites in colours"
    assert made.kind.default_likelihood(made.summary) == "bernoulli"


def test_colours_are_three_quarters_on_average() -> None:
    colours = np.rint(255 * np.random.default_rng(0).uniform(0.5, 1, (10_000, 3))) / 255
    assert colours.mean(axis=0) == pytest.approx(0.75, abs=0.005)


def test_noise_is_even_and_stays_with_its_image(sprites: World) -> None:
    made = world("noisy-dsprites")
    x = made.data[torch.arange(6)]
    on = sprites.data[torch.arange(6)].bool().expand_as(x)
    assert (x[on] == 1).all()
    assert float(x[~on].mean()) == pytest.approx(0.5, abs=4 / np.sqrt(12 * int((~on).sum())))
    assert float(x[~on].var()) == pytest.approx(1 / 12, rel=0.03)
    part = made.data.take(torch.tensor([4, 1]))
    torch.testing.assert_close(part[torch.tensor([1, 0])], x[[1, 4]])
    flat = x[~on].view(-1)[:60_000].double()
    assert abs(float(torch.corrcoef(torch.stack([flat[:-1], flat[1:]]))[0, 1])) < 0.02


def test_noise_of_large_numbers_is_noise() -> None:
    noise = even_noise(torch.arange(10_000) + 737_279 * 12_288)
    counts = torch.histc(noise, 20, 0, 1)
    assert float(((counts - 500) ** 2 / 500).sum()) < 45  # chi-squared of 19 degrees: 1 in 1,000
    assert len(noise.unique()) > 9_990


def test_a_square_is_where_its_factors_say() -> None:
    made = world("xy-object")
    sizes = (25, 25, 5, 24)
    assert len(made) == np.prod(sizes)
    row = np.ravel_multi_index((3, 20, 1, 6), sizes)
    x = made.data[torch.tensor([row])][0]
    expected = torch.zeros(3, 64, 64)
    expected[:2, 40 + 3 : 40 + 12, 6 + 3 : 6 + 12] = 191 / 255  # a 9 in a place of 15; yellow, third of four
    torch.testing.assert_close(x, expected)
    assert isinstance(made.data, Layers)
    area = np.mean([side**2 for side in (7, 9, 11, 13, 15)]) / 64**2
    colour = made.data.colours.float().mean() / 255
    assert float(area * colour) == pytest.approx(0.0098187615, abs=1e-8)  # as published


def test_three_squares_cover_three_cells() -> None:
    made = world("xy-squares")
    assert len(made) == 8**6
    row = np.ravel_multi_index((1, 2, 1, 2, 7, 0), (8,) * 6)
    expected = torch.zeros(3, 64, 64)
    expected[:2, 16:24, 8:16] = 1  # red and green on one another
    expected[2, 0:8, 56:64] = 1
    torch.testing.assert_close(made.data[torch.tensor([row])][0], expected)
    some = made.data[torch.arange(0, len(made), 5_000)]
    assert some.mean(dim=(2, 3)).unique().tolist() == [0.015625]


@pytest.mark.parametrize("storage", [Layers, Noisy])
def test_what_is_composed_moves_and_counts_its_bytes(storage: type, sprites: World) -> None:
    made = world("color-dsprites" if storage is Layers else "noisy-dsprites").data
    assert isinstance(made.to("cpu"), storage)
    assert made.nbytes > sprites.data.nbytes
    assert made.shape == (3, 64, 64)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rooms3d", "xy-object", "xy-squares"])
def test_what_rendered_worlds_must_hold(name: str) -> None:
    check_world(name)
