"""Numbers that lie far from zero keep what varies: an offset is taken off before they become float32."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

import numpy as np
import pandas as pd
import pytest
import torch

import prismae as pr
from prismae.data import World
from prismae.data.offset import less, offset_of
from prismae.data.storage import BitPacked, Dense
from prismae.errors import InputError

FAST = {"n_latents": 2, "steps": 8, "batch": 16, "net": "mlp:width=16", "lr": 1e-3, "device": "cpu"}
rng = np.random.default_rng(0)
WAVES = np.sin(np.arange(24) / 3 + rng.uniform(0, 6, (40, 1))) + 0.1 * rng.normal(size=(40, 24))
FAR = 1e7


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (WAVES, {}),
        (WAVES.reshape(40, 4, 6), {}),
        (WAVES.reshape(40, 2, 12), {"series": "channels-first"}),
        (WAVES.reshape(40, 12, 2), {"series": "channels-last"}),
    ],
)
@pytest.mark.parametrize("kind", ["array", "world", "loaded"])
def test_a_large_offset_changes_nothing_but_the_offset(x, options, kind, tmp_path):
    near = pr.Autoencoder("beta-vae", **FAST, **options).fit(x)
    far = pr.Autoencoder("beta-vae", **FAST, **options).fit(x + FAR)
    new = x[:7] + FAR
    if kind == "loaded":
        far.save(tmp_path / "run", x + FAR)
        far = pr.load(tmp_path / "run")
    if kind == "world":  # of another mean, and so another offset
        new = pr.world(new, **options)
    np.testing.assert_allclose(far.transform(new), near.transform(x[:7]), rtol=1e-4, atol=1e-5)
    back, expected = far.inverse_transform(far.transform(new)), near.inverse_transform(near.transform(x[:7]))
    assert back.shape == x[:7].shape
    np.testing.assert_allclose(back - FAR, expected, rtol=1e-4, atol=1e-5)
    assert far.score(new) == pytest.approx(near.score(x[:7]), rel=1e-4)


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_distinct_values_stay_distinct(convert):
    values = (WAVES * 1000).round() / 1000
    made = pr.world(convert(values + FAR))
    kept = made.data.values.double().numpy() + made.kind.offset
    assert len(np.unique(kept)) == len(np.unique(values))
    np.testing.assert_allclose(kept, values + FAR, rtol=0, atol=1e-6)
    assert len(np.unique((values + FAR).astype(np.float32))) < 10  # what single precision alone would leave
    seconds = np.arange(200, dtype=np.int64).reshape(40, 5) + 1_700_000_000  # time stamps
    made = pr.world(seconds)
    np.testing.assert_array_equal(made.data.values.double().numpy() + made.kind.offset, seconds)
    assert "values 1700000000 to 1700000199," in made.describe()


def test_what_float32_holds_is_left_as_it_is():
    for x in (WAVES, WAVES + 50, WAVES.astype(np.float32) + 1e5, np.full((4, 3), 7.0), 0.5 + WAVES / 1e9):
        assert offset_of(x) == 0
        np.testing.assert_array_equal(less(x, 0.0), x.astype(np.float32))
    big = np.ones((3, 1 << 17)) * [[1.0], [2.0], [4.0]] + 1e8  # more than is looked at at a time
    assert offset_of(big) == pytest.approx(big.mean(), rel=1e-15)
    np.testing.assert_allclose(less(big, 1e8), big - 1e8)


def test_parts_of_a_world_keep_its_offset():
    kept, part = pr.world(WAVES + FAR).split(0.2)
    assert kept.kind.offset == part.kind.offset == pytest.approx(FAR + WAVES.mean())


@pytest.mark.parametrize("place", [0, 1, 20_500, 40_999])
def test_the_range_is_that_of_all_observations(place):
    values = rng.uniform(0.1, 0.9, (41_000, 3)).astype(np.float32)
    values[place, 1] = -7.0
    values[-place, 2] = 255.0
    summary = World("many", Dense(torch.from_numpy(values))).summary
    assert (summary.low, summary.high) == (-7.0, 255.0)
    pixels = np.full((41_000, 1, 2, 2), 100, np.uint8)
    pixels[place, 0, 1, 1] = 255
    summary = World("pixels", Dense(torch.from_numpy(pixels))).summary
    assert (summary.low, summary.high) == (float(np.float32(100) / 255), 1.0)


@pytest.mark.parametrize("size", [5, 8, 11])
def test_the_range_of_binary_observations(size):
    bits = rng.integers(0, 2, (30, size), np.uint8)
    for x in (bits, np.zeros_like(bits), np.ones_like(bits)):
        packed = BitPacked(torch.from_numpy(np.packbits(x, axis=1)), (size,))
        assert packed.extremes() == (x.min(), x.max())


@pytest.mark.parametrize(
    "x",
    [
        9 * 10**18 + rng.integers(0, 100, (40, 3)),  # double precision has steps of 1,024 there
        9 * 10**18 + rng.integers(0, 10_000, (40, 3)),
        1e-300 * rng.normal(size=(40, 3)),
        1e-40 * rng.normal(size=(40, 8, 8)),
    ],
)
def test_variation_that_no_number_holds_is_refused(x):
    sentence = "varies by less than the computer's numbers can tell: take off what its values have in common"
    with pytest.raises(InputError, match=f"World 'array' {sentence}"):
        pr.world(x)
    if x.ndim == 2:
        with pytest.raises(InputError, match=f"channel 1 of 2 {sentence}"):
            pr.world(np.stack([x, x], 2), series="channels-last")


def test_a_column_of_a_table_whose_variation_no_number_holds_is_refused_and_a_small_one_is_scaled():
    other = rng.normal(size=40)
    far = pd.DataFrame({"a": 9 * 10**18 + rng.integers(0, 10_000, 40), "b": other})
    with pytest.raises(
        InputError, match="table: column 'a' varies by less than the computer's numbers can tell"
    ):
        pr.world(far)
    small = rng.normal(size=40)
    tiny = pr.world(pd.DataFrame({"a": 1e-300 * small, "b": other})).data[torch.arange(40)]
    np.testing.assert_allclose(tiny[:, 0], (small - small.mean()) / small.std(), rtol=1e-5)


def test_the_largest_numbers_are_trained_on_and_those_beyond_are_refused():
    edge = 9e37 * np.sign(WAVES)
    assert pr.Autoencoder("vae", **FAST).fit(edge).history_["recon"].notna().all()
    with pytest.raises(InputError, match=r"960 values are infinite or beyond 1e\+38"):
        pr.world(2 * edge)
