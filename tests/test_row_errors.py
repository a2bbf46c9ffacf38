"""What the estimator says of single observations: errors, reconstructions, deviations, samples."""

import numpy as np
import pandas as pd
import pytest
import torch

import prismae as pr
from prismae.errors import InputError

rng = np.random.default_rng(0)
X = (rng.normal(size=(90, 2)) @ rng.normal(size=(2, 6))).astype(np.float32)
FAST = {"n_latents": 2, "steps": 20, "batch": 16, "net": "mlp:width=8", "device": "cpu"}


@pytest.fixture(scope="module")
def model():
    return pr.Autoencoder("vae", **FAST).fit(X)


def test_errors_are_those_of_the_reconstructions(model):
    again = model.inverse_transform(model.transform(X))
    np.testing.assert_array_equal(model.reconstruct(X), again)
    errors = model.row_errors(X)
    np.testing.assert_allclose(errors, ((again - X) ** 2).mean(1) / X.std(ddof=1) ** 2, rtol=1e-4)
    with torch.no_grad():
        mse, nats = (float(each) for each in model.net_.errors(torch.from_numpy(X)))
    assert errors.mean() == pytest.approx(mse, rel=1e-5)
    assert model.row_errors(X, "nats").mean() == pytest.approx(nats, rel=1e-5)
    with pytest.raises(InputError, match="'variance' or 'nats', got 'mse'"):
        model.row_errors(X, "mse")


@pytest.mark.filterwarnings("ignore::prismae.errors.DataWarning")
def test_errors_of_missing_values_count_nothing():
    gaps = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    model = pr.Autoencoder("vae", **FAST).fit(gaps)
    some = gaps[:5].copy()
    some[4] = np.nan
    errors = model.row_errors(some)
    again = model.reconstruct(some)
    expected = np.nanmean((again - some)[:4] ** 2, 1) / np.nanvar(gaps, ddof=1)
    np.testing.assert_allclose(errors[:4], expected, rtol=1e-3)
    assert np.isnan(errors[4])
    assert model.row_errors(some, "nats")[4] == 0


def test_a_table_is_rebuilt_with_its_index():
    frame = pd.DataFrame(
        {"a": X[:, 0], "b": np.where(X[:, 1] > 0, "up", "down")}, index=[f"r{i}" for i in range(90)]
    )
    back = pr.Autoencoder("vae", **FAST).fit(frame).reconstruct(frame)
    assert list(back.columns) == ["a", "b"]
    assert back.index.equals(frame.index)


def test_deviations_are_those_of_the_posteriors(model):
    log_var = model.net_.encode(torch.from_numpy(X)).log_var.detach().numpy()
    np.testing.assert_allclose(model.deviations(X), np.exp(log_var / 2), rtol=1e-5)
    with pytest.raises(InputError, match="ae have no deviations"):
        pr.Autoencoder("ae", **FAST).fit(X).deviations(X)


def test_samples_are_decoded_from_the_prior(model):
    some = model.sample(7)
    codes = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(some, model.inverse_transform(codes), rtol=1e-5)
    assert not np.array_equal(some, model.sample(7, random_state=1))
    with pytest.raises(InputError, match="ae has no prior"):
        pr.Autoencoder("ae", **FAST).fit(X).sample()
    with pytest.raises(InputError, match=r"sample: n should be greater than or equal to 1, got 0"):
        model.sample(0)


def test_errors_of_sentences(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a cat sat\na dog ran far away\nthe cat ran\nthe dog sat\n" * 3)
    world = pr.world(path)
    model = pr.Autoencoder("vae", 2, net="lstm:width=8", steps=3, batch=4, device="cpu").fit(world)
    x = world.data[torch.arange(len(world))]
    with torch.no_grad():
        singles = [[float(each) for each in model.net_.errors(row[None])] for row in x]
    for unit, expected in zip(("variance", "nats"), np.transpose(singles), strict=True):
        np.testing.assert_allclose(model.row_errors(world, unit), expected, rtol=1e-4)
