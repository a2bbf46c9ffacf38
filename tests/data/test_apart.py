"""Columns of arrays and channels of images that lie far apart: scaled each, in memory, from files and in pieces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import prismae as pr
from prismae.data import World, rows, world
from prismae.data.arrays import from_array
from prismae.data.kinds import Numbers, kind_of


def everything(made: World) -> np.ndarray:
    return made.data[torch.arange(len(made))].numpy()


def kind(made: World) -> Numbers:
    assert isinstance(made.kind, Numbers)
    return made.kind


def given(x: np.ndarray, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world of an array in memory, of its file, or of its file where that is larger than memory."""
    if way == "array":
        return world(x)
    np.save(tmp_path / "x.npy", x)
    if way == "rows":
        monkeypatch.setattr(rows, "WHOLE", 0)
    return world(tmp_path / "x.npy")


WAYS = pytest.mark.parametrize("way", ["array", "npy", "rows"])
SHAPES = pytest.mark.parametrize(("shape", "axis"), [((20, 4), 1), ((20, 4, 8, 8), 1), ((20, 8, 8, 4), 3)])


def of_other(shape: tuple[int, ...], axis: int, factor: float, level: float) -> np.ndarray:
    """Numbers in [0, 1], of which column or channel 2 has a range of its own."""
    x = np.random.default_rng(0).random(shape)
    one = np.moveaxis(x, axis, 0)[2]
    one[:] = one * factor + level
    return x


@WAYS
@SHAPES
@pytest.mark.parametrize(
    ("factor", "level", "said"),
    [
        (1000, 500, "differ by a factor of 1,"),
        (1, 2020, "lie up to 2,0"),
        (1e-3, 1e5, "differ by a factor of 1,"),
    ],
)
def test_columns_and_channels_that_lie_apart_are_scaled_each(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    shape: tuple[int, ...],
    axis: int,
    factor: float,
    level: float,
    said: str,
) -> None:
    x = of_other(shape, axis, factor, level)
    made = given(x, way, tmp_path, monkeypatch)
    (notice,) = [each for each in made.notices if "each is scaled by itself" in each]
    assert said in notice
    seen = everything(made).astype(np.float64)
    over = (0, *range(2, seen.ndim))
    np.testing.assert_allclose(seen.mean(over), 0, atol=1e-6)
    np.testing.assert_allclose(seen.std(over), 1, atol=1e-6)
    assert made.summary.std == pytest.approx(1, rel=0.1)
    back = made.kind.given_back(seen.astype(np.float32), x.shape[1:])
    width = np.ptp(x, tuple(i for i in range(x.ndim) if i != axis), keepdims=True)
    np.testing.assert_allclose(back / width, x / width, rtol=0, atol=2e-6)
    told = kind_of(json.loads(json.dumps(made.kind.to_json() | {"shape": made.shape})))
    assert told == made.kind
    again = from_array(x[:1], name="x", like=made.kind, new=True)  # new ones get the scale of the fit
    assert (kind(again).channels, kind(again).offset) == (kind(made).channels, 0.0)
    np.testing.assert_allclose(everything(again), seen[:1], atol=1e-6)
    other = from_array(x, name="x", new=True)  # of a world with no scale of its own
    (part,) = made.kind.parts_of(other.data, other.kind, made.shape, "x")
    if level < 1e5:  # of which float32 has what varies
        np.testing.assert_allclose(part, seen, atol=1e-3)


@WAYS
@SHAPES
def test_columns_and_channels_that_lie_near_each_other_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, shape: tuple[int, ...], axis: int
) -> None:
    x = of_other(shape, axis, 50, -5)
    made = given(x, way, tmp_path, monkeypatch)
    assert kind(made).channels is None
    assert not any("ranges" in notice for notice in made.notices)
    back = made.kind.given_back(everything(made), x.shape[1:])
    np.testing.assert_array_equal(back, x.astype(np.float32))


@WAYS
def test_columns_that_lie_within_the_widest_are_told_of_and_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    x = of_other((20, 4), 1, 1000, 0)
    x[0] = 0  # as pixels are that are hardly ever drawn on
    made = given(x, way, tmp_path, monkeypatch)
    assert kind(made).channels is None
    assert any("have one scale, so the small ones hardly count" in notice for notice in made.notices)


@WAYS
@pytest.mark.parametrize("constant", [True, False])
def test_curves_and_constants_far_from_the_rest_are_centred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, constant: bool
) -> None:
    x = np.random.default_rng(0).random((20, 4 if constant else 40)) * [1, 2, *[1] * (2 if constant else 38)]
    x[:, 2] = x[:, 2] * (not constant) + 2020
    x[3, 1] = np.nan
    made = given(x, way, tmp_path, monkeypatch)
    assert any("so the mean of each is taken off" in notice for notice in made.notices)
    seen = everything(made).astype(np.float64)
    np.testing.assert_allclose(np.nanmean(seen, 0), 0, atol=1e-6)
    spread = np.nanstd(x, 0)
    np.testing.assert_allclose(np.nanstd(seen, 0) * spread[0], spread * np.nanstd(seen[:, 0]), atol=1e-6)
    varies = spread > 0
    assert np.sqrt(np.nanmean(np.square(seen[:, varies]))) == pytest.approx(1)
    np.testing.assert_allclose(
        made.kind.given_back(seen.astype(np.float32), x.shape[1:]),
        x,
        rtol=1e-6,
        atol=1e-6,
    )


def test_a_model_of_columns_that_lie_apart_rebuilds_all_of_them() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 5)) * [1000, 1, 1, 0.01, 1] + [0, 1e6, 0, 0, -50]
    with pytest.warns(pr.errors.DataWarning, match="each is scaled by itself"):
        model = pr.Autoencoder("ae", n_latents=2, net="mlp:width=32", lr=3e-3, steps=300, random_state=0).fit(
            x
        )
    left = np.square(model.inverse_transform(model.transform(x)) - x).mean(0) / x.var(0)
    assert left.max() < 0.1
