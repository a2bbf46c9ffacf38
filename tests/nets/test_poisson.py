"""The Poisson likelihood, of arrays and of columns, held against SciPy's."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import prismae as pr
from prismae.data import Table
from prismae.errors import InputError
from prismae.nets.likelihood import Columns, Poisson

rng = np.random.default_rng(0)
CELLS = rng.poisson(rng.gamma(2, 2, (60, 1)) * np.linspace(0.2, 3, 7))


def test_terms_of_an_array_are_those_of_scipy():
    world = pr.world(CELLS)
    likelihood, mean, std = Poisson(), world.summary.mean, world.summary.std
    likelihood.set_columns((), (), d=7, mean=mean, std=std)
    x, output = world.data[torch.arange(60)], torch.randn(60, 7)
    rate = mean * np.exp(output.double().numpy())
    found = likelihood.nll(output, (x - mean) / std)
    np.testing.assert_allclose(found, -stats.poisson(rate).logpmf(CELLS).sum(1), rtol=1e-4)
    np.testing.assert_allclose(likelihood.mean(output) * std + mean, rate, rtol=1e-4, atol=1e-5)


def test_rebuilt_counts_are_never_negative(tmp_path):
    model = pr.Autoencoder("vae", 2, likelihood="poisson", net="mlp:width=16", steps=20, device="cpu").fit(
        CELLS
    )
    back = model.reconstruct(CELLS)
    assert (back >= 0).all()
    np.testing.assert_array_equal(pr.load(model.save(tmp_path / "run").path).reconstruct(CELLS), back)
    with pytest.raises(InputError, match="needs data in"):
        pr.Autoencoder("vae", 2, likelihood="poisson", steps=2).fit(CELLS - 1.0)
    with pytest.raises(InputError, match="take 'columns'"):
        pr.Autoencoder("vae", 2, likelihood="poisson", steps=2).fit(pd.DataFrame(CELLS).add_prefix("gene "))


def test_columns_as_variable_as_poisson_counts_are_poisson_counts():
    table = pd.DataFrame(
        {
            "poisson": rng.poisson(3, 400),
            "more": rng.negative_binomial(1, 0.2, 400),
            "less": rng.binomial(10, 0.9, 400) - 1,
            "length": rng.normal(size=400),
        }
    )
    table["less"] -= table["less"].min()
    world = pr.world(table)
    assert isinstance(world.kind, Table)
    assert world.kind.scheme is not None
    assert world.kind.scheme.sorts == {"poisson": "poisson", "more": "count"}
    likelihood, mean, std = Columns(), world.summary.mean, world.summary.std
    likelihood.set_columns(*world.kind.column_sorts(), d=4, mean=mean, std=std)
    x, output = world.data[torch.arange(400)], torch.randn(400, 4)
    found = likelihood.each(output, (x - mean) / std)[:, 0].detach()
    rate = table["poisson"].mean() * np.exp(output[:, 0].double().numpy())
    np.testing.assert_allclose(found, -stats.poisson(rate).logpmf(table["poisson"]), rtol=1e-3, atol=1e-3)
