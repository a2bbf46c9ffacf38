"""The likelihood of columns: each column's term is that of its own distribution, held against SciPy's."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import prismae as pr
from prismae.nets.likelihood import Columns, Gaussian

rng = np.random.default_rng(0)
N = 50
TABLE = pd.DataFrame(
    {
        "length": rng.normal(30, 5, N),
        "eggs": rng.negative_binomial(2, 0.3, N).astype(float),
        "wet": rng.integers(0, 2, N),
        "sex": rng.choice(["f", "m"], N),
        "colour": rng.choice(["red", "green", "blue"], N),
    }
)


def made():
    world = pr.world(TABLE)
    x = world.data[torch.arange(N)]
    mean, std = world.summary.mean, world.summary.std
    likelihood = Columns()
    likelihood.set_columns(*world.kind.column_sorts(), d=8, mean=mean, std=std)
    with torch.no_grad():
        likelihood.log_scale.copy_(torch.tensor([-0.4, 0.3, 9.0]))
    return likelihood, world, (x - mean) / std, mean, std


def test_terms_are_those_of_the_columns_distributions():
    likelihood, world, x, _, _ = made()
    output = torch.randn(N, 8)
    found = likelihood.each(output, x).detach().numpy()
    o = output.double().numpy()
    scaled = (TABLE["length"] - TABLE["length"].mean()) / TABLE["length"].std(ddof=0)
    np.testing.assert_allclose(
        found[:, 0], -stats.norm(o[:, 0], np.exp(-0.4)).logpdf(scaled), rtol=1e-4, atol=1e-4
    )
    rate, size = TABLE["eggs"].mean() * np.exp(o[:, 1]), np.exp(-0.3)
    counts = stats.nbinom(size, size / (size + rate)).logpmf(TABLE["eggs"])
    np.testing.assert_allclose(found[:, 1], -counts, rtol=1e-3, atol=1e-3)
    p = 1 / (1 + np.exp(-o[:, 2]))
    np.testing.assert_allclose(found[:, 2], -stats.bernoulli(p).logpmf(TABLE["wet"]), rtol=1e-4, atol=1e-4)
    for column, part in (("sex", slice(3, 5)), ("colour", slice(5, 8))):
        share = np.exp(o[:, part]) / np.exp(o[:, part]).sum(1, keepdims=True)
        known = world.kind.scheme.categories[column]
        right = share[np.arange(N), [known.index(each) for each in TABLE[column]]]
        np.testing.assert_allclose(found[:, part].sum(1), -np.log(right), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(likelihood.nll(output, x).detach(), torch.from_numpy(found).sum(1))
    unit = Gaussian().nll(output[:, :1], torch.tensor(scaled.to_numpy(np.float32))[:, None])
    torch.testing.assert_close(
        likelihood.error(output, x).detach(),
        unit + torch.from_numpy(found[:, 1:]).sum(1),
        rtol=1e-4,
        atol=1e-4,
    )


def test_expected_are_rates_and_probabilities():
    likelihood, world, _, mean, std = made()
    output = torch.randn(4, 8)
    back = (likelihood.mean(output) * std + mean).numpy()
    np.testing.assert_allclose(back[:, 3:5].sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(back[:, 5:], torch.softmax(output[:, 5:], 1), atol=1e-5)
    frame = world.kind.scheme.to_frame(back)
    np.testing.assert_allclose(frame["eggs"], TABLE["eggs"].mean() * np.exp(output[:, 1]), rtol=1e-3)
    np.testing.assert_allclose(frame["wet"], torch.sigmoid(output[:, 2]), rtol=1e-4)


@pytest.mark.filterwarnings("ignore::prismae.errors.DataWarning")
def test_a_model_of_columns_is_trained_and_loaded_to_the_bit(tmp_path):
    gaps = TABLE.assign(
        sex=TABLE["sex"].where(rng.random(N) < 0.8), length=TABLE["length"].where(rng.random(N) < 0.8)
    )
    model = pr.Autoencoder("vae", 2, likelihood="columns", net="mlp:width=16", steps=30, device="cpu").fit(
        gaps
    )
    codes = model.transform(gaps)
    back = model.inverse_transform(codes)
    assert (back["eggs"] >= 0).all()
    assert back["wet"].between(0, 1).all()
    assert not back.isna().any().any()
    again = pr.load(model.save(tmp_path / "run", gaps).path)
    pd.testing.assert_frame_equal(again.inverse_transform(again.transform(gaps)), back)
