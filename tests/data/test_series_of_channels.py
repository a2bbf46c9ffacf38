"""Series of several channels: told from images, scaled each by itself, and given back in the user's units."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import prismae as pr
from prismae.data.channels import ChannelScheme
from prismae.errors import InputError
from prismae.runs.observations import observations
from prismae.studies import Job

rng = np.random.default_rng(0)
SERIES = rng.normal(size=(30, 3, 20)) * [[1], [500], [1e-3]] + [[0], [1e4], [-7]]  # [n, c, length]
LAST = np.moveaxis(SERIES, 1, 2)
FAST = {"n_latents": 2, "steps": 3, "batch": 8}


def test_both_layouts_are_one_world_of_scaled_channels():
    first = pr.world(SERIES, series="channels-first")
    last = pr.world(LAST, series="channels-last")
    rows = torch.arange(30)
    x = first.data[rows].numpy()
    assert first.shape == last.shape == (3, 20)
    assert first.kind.scheme == last.kind.scheme
    np.testing.assert_array_equal(x, last.data[rows].numpy())
    np.testing.assert_allclose(x.mean(axis=(0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(0, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(first.kind.scheme.in_units(x), SERIES, rtol=1e-5, atol=1e-4)
    assert "3x20 (series of 3 channels, each scaled)" in first.describe()
    assert not first.kind.pixels
    assert first.split(0.5)[0].kind.scheme == first.kind.scheme


@pytest.mark.parametrize(("shape", "likely"), [((3, 1000), "channels-first"), ((50, 12), "channels-last")])
def test_slender_arrays_are_not_guessed_at(shape, likely):
    x = rng.normal(size=(5, *shape))
    expected = f"observations of shape {shape} may be series of several channels or slender images"
    with pytest.raises(InputError, match=re.escape(expected)) as refused:
        pr.world(x)
    assert f"--series {likely}" in str(refused.value)
    assert pr.world(x, series=likely).shape == tuple(sorted(shape))
    assert pr.world(x[:, None]).shape == (1, *shape)


@pytest.mark.parametrize(
    ("x", "series", "sentence"),
    [
        (SERIES[0, 0], "channels-last", "are arrays [n, length, c], got the shape (20,)."),
        (SERIES[:, None], "channels-first", "are arrays [n, c, length], got the shape (30, 1, 3, 20)."),
        (SERIES, "channels", "series should be 'channels-first', 'channels-last' or 'rows', got 'channels'."),
        (SERIES[:1], "channels-first", "expected at least two and none empty"),
        (np.where(SERIES > 1e4, np.inf, SERIES), "channels-first", "infinite or beyond 1e+38, the first at index"),
        (SERIES * [[1], [np.nan], [1]], "channels-first", "channel 2 of 3 has no values"),
    ],
)  # fmt: skip
def test_bad_series_get_one_sentence(x, series, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        pr.world(x, series=series)


def test_only_arrays_have_a_layout():
    with pytest.raises(InputError, match="series can be given with own data only"):
        pr.world("pulses", series="channels-first")


def test_a_job_says_where_channels_stand(tmp_path: Path):
    np.save(tmp_path / "x.npy", LAST)
    job = {"method": "ae", "world": str(tmp_path / "x.npy"), "steps": 3}
    assert Job(**job).id == Job(**job, series=None).id != Job(**job, series="channels-last").id
    data = observations({**job, "series": "channels-last"})
    assert data.shape == (3, 20)
    chosen = Job(**job, series="channels-last").choices(data)
    assert [each.described() for each in chosen] == ["conv1d", "gaussian"]
    assert (
        Job(**job).choices(pr.world(SERIES[..., :15], series="channels-first"))[0].described()
        == "mlp:width=256"
    )  # too short


@pytest.mark.parametrize(("x", "series"), [(SERIES, "channels-first"), (LAST, "channels-last")])
def test_the_estimator_gives_series_back_as_they_came(tmp_path: Path, x, series):
    model = pr.Autoencoder("ae", series=series, **FAST).fit(x)
    codes = model.transform(x)
    back = model.inverse_transform(codes)
    assert back.shape == x.shape
    channel = (slice(None), 1) if series == "channels-first" else (..., 1)
    assert 9e3 < back[channel].mean() < 1.1e4
    np.testing.assert_array_equal(codes, model.transform(pr.world(x, series=series)))
    np.testing.assert_allclose(codes[:4], model.transform(pr.world(x[:4], series=series)), atol=1e-4)
    again = pr.load(model.save(tmp_path / "run").path)
    np.testing.assert_array_equal(codes, again.transform(x))
    np.testing.assert_array_equal(back, again.inverse_transform(codes))
    assert again.get_params()["series"] == series


def test_layouts_train_alike():
    first = pr.Autoencoder("vae", series="channels-first", **FAST).fit(SERIES)
    last = pr.Autoencoder("vae", series="channels-last", **FAST).fit(LAST)
    np.testing.assert_array_equal(first.transform(SERIES), last.transform(LAST))
    with pytest.raises(InputError, match=re.escape("Observations have shape (20, 3), expected (3, 20)")):
        first.transform(LAST)


NAMES = ["pressure", "flow", "leak"]


def test_channels_have_names_from_the_call_or_the_file(tmp_path: Path):
    called = pr.world(SERIES, series="channels-first", channel_names=NAMES)
    assert called.kind.scheme.names == tuple(NAMES)
    assert "3x20 (series of 3 channels: pressure, flow, leak; each scaled)" in called.describe()
    assert ChannelScheme.from_json(called.kind.scheme.to_json()) == called.kind.scheme
    np.savez(tmp_path / "x.npz", x=SERIES, channel_names=NAMES)
    assert pr.world(tmp_path / "x.npz", series="channels-first").kind.scheme == called.kind.scheme
    other = pr.world(tmp_path / "x.npz", series="channels-first", channel_names=["a", "b", "c"])
    assert other.kind.scheme.names == ("a", "b", "c")


def test_a_constant_channel_comes_back_as_the_constant():
    x = SERIES * [[1], [0], [1]] + [[0], [0.1], [0]]
    made = pr.world(x, series="channels-first", channel_names=NAMES)
    assert made.notices == ("flow is constant, and rebuilt as the constant",)
    back = made.kind.given_back(np.ones((2, 3, 20), np.float32), (3, 20))
    assert (back[:, 1] == 0.1).all()


def test_series_may_have_gaps():
    x = np.where(SERIES > 1e4, np.nan, SERIES)
    made = pr.world(x, series="channels-first")
    assert made.kind.lacking == ()
    assert made.kind.scheme.means[1] == pytest.approx(np.nanmean(x[:, 1]), rel=1e-9)
    model = pr.Autoencoder("ae", series="channels-first", **FAST).fit(x)
    assert np.isfinite(model.inverse_transform(model.transform(x))).all()


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "a"], ["a", " ", "c"]])
def test_channel_names_are_one_for_each_and_differ(names):
    with pytest.raises(InputError, match="expected 3 that differ, one for each channel"):
        pr.world(SERIES, series="channels-first", channel_names=names)


def test_names_need_to_know_where_channels_stand():
    with pytest.raises(InputError, match=re.escape("series='channels-first' or 'channels-last'")):
        pr.world(SERIES, channel_names=NAMES)


def test_channels_in_another_order_are_refused():
    model = pr.Autoencoder("ae", **FAST).fit(pr.world(SERIES, series="channels-first", channel_names=NAMES))
    codes = model.transform(pr.world(SERIES, series="channels-first"))
    assert codes.shape == (30, 2)
    swapped = pr.world(SERIES[:, ::-1].copy(), series="channels-first", channel_names=NAMES[::-1])
    sentence = "The channels are leak, flow, pressure, expected pressure, flow, leak as in the fit."
    with pytest.raises(InputError, match=re.escape(sentence)):
        model.transform(swapped)


def test_a_job_with_channel_names_says_so(tmp_path: Path):
    np.save(tmp_path / "x.npy", LAST)
    job = {"method": "ae", "world": str(tmp_path / "x.npy"), "steps": 3, "series": "channels-last"}
    assert Job(**job).id == Job(**job, channel_names=()).id != Job(**job, channel_names=tuple(NAMES)).id
    data = observations({**job, "channel_names": NAMES})
    assert data.kind.scheme.names == tuple(NAMES)
