import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import prismae as pr
from prismae.errors import InputError

FAST = {"n_latents": 3, "steps": 30, "batch": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(120, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(120, 8))).astype(
        np.float32
    )


def test_codes_and_back(table):
    model = pr.Autoencoder("vae", **FAST | {"steps": 200, "lr": 2e-3}).fit(table)
    codes = model.transform(table)
    assert codes.shape == (120, 3)
    assert codes.dtype == np.float32
    assert model.inverse_transform(codes).shape == table.shape
    assert 0.5 < model.score(table) <= 1
    assert np.allclose(model.transform(table[:1]), codes[:1], atol=1e-5)


def test_images_keep_their_units():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(40, 12, 10), dtype=np.uint8)
    model = pr.Autoencoder(pr.BetaVAE(beta=0.5), **FAST).fit(pixels)
    out = model.inverse_transform(model.transform(pixels))
    assert out.shape == (40, 1, 12, 10)
    assert 0 <= out.min() <= out.max() <= 1
    assert np.allclose(model.transform(pixels), model.transform(torch.from_numpy(pixels / 255.0)), atol=1e-5)


def test_works_in_a_pipeline_and_is_cloned(table):
    pipeline = make_pipeline(StandardScaler(), pr.Autoencoder("vae", **FAST))
    assert clone(pipeline).fit_transform(table).shape == (120, 3)


@pytest.mark.parametrize("method", ["vae", pr.EDGCAE(critic_warmup=3, critic_width=16, n_nodes=4)])
def test_save_and_load_keep_everything(method, table, tmp_path):
    model = pr.Autoencoder(method, **FAST).fit(table)
    model.save(tmp_path / "mine")
    loaded = pr.load(tmp_path / "mine")
    assert np.array_equal(loaded.transform(table), model.transform(table))
    assert loaded.method_ == model.method_
    assert loaded.n_latents == 3
    loaded.save(tmp_path / "again")
    assert np.array_equal(pr.load(tmp_path / "again").transform(table), model.transform(table))
    assert not list(tmp_path.rglob("*.pkl"))


def test_a_run_of_the_command_line_loads_too(tmp_path):
    job = pr.Job("vae", "digits", n_latents=3, steps=5, batch=16)
    model = pr.load(pr.run(job, tmp_path, device="cpu").path)
    assert model.transform(pr.world("digits")).shape == (1797, 3)


def test_the_same_random_state_gives_the_same_codes(table):
    first, second, other = (
        pr.Autoencoder("vae", random_state=s, **FAST).fit_transform(table) for s in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_evaluate_takes_models_and_bare_codes(table):
    model = pr.Autoencoder("vae", **FAST).fit(pr.world("pulses"))
    scores = pr.evaluate(model, pr.world("pulses"), metrics=["mig"])
    assert 0 <= scores["mig"].score <= 1
    codes = model.transform(pr.world("pulses"))
    bare = pr.evaluate(torch.from_numpy(codes), pr.world("pulses").factors, metrics=["mig"])
    assert bare["mig"].score == pytest.approx(scores["mig"].score, abs=1e-6)


def test_label_free_scores_need_no_factors_and_udr_takes_other_seeds():
    world = pr.world(np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32))
    models = [pr.Autoencoder("vae", random_state=seed, **FAST).fit(world) for seed in (0, 1)]
    names = ["gaussian-total-correlation", "active-units", "udr-spearman"]
    scores = pr.evaluate(models[0], world, metrics=names, other_runs=models[1:])
    assert all(np.isfinite(score.score) for score in scores.values())
    assert 0 <= scores["udr-spearman"].score <= 1
    with pytest.raises(InputError, match="compares runs"):
        pr.evaluate(models[0], world, metrics=["udr-spearman"])


def test_mistakes(table):
    model = pr.Autoencoder("vae", **FAST)
    with pytest.raises(NotFittedError):
        model.transform(table)
    with pytest.raises(InputError, match="Unknown method 'va'"):
        pr.Autoencoder("va", **FAST).fit(table)
    model.fit(table)
    with pytest.raises(InputError, match=r"shape \(5,\), expected \(8,\) as in the fit"):
        model.transform(table[:, :5])
    with pytest.raises(InputError, match=r"Codes have shape \(2, 4\), expected \[n, 3\]"):
        model.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(InputError, match="NaN or infinite"):
        model.transform(np.full((2, 8), np.nan))
    with pytest.raises(InputError, match="evaluated on a World"):
        pr.evaluate(model, table)
