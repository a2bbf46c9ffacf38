"""Few labels: what the term is, and that each factor gets its latent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from flat import train
from test_quantized_family import grid

from prismae.data import World
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.evaluation import codes_table
from prismae.latent.labels import supervised
from prismae.methods import Method
from prismae.methods.few_labels import FewLabels
from prismae.methods.vae import VAE


def test_a_code_that_is_the_factor_costs_the_factors_entropy_and_no_covariance() -> None:
    share = torch.tensor([[0.25, 0.5], [0.25, 0.9], [0.25, 0.1], [0.25, 0.5]], dtype=torch.float64)
    perfect = torch.cat([torch.logit(share), torch.zeros(4, 1)], 1)
    entropy = -(torch.xlogy(share, share) + torch.xlogy(1 - share, 1 - share)).sum(1).mean()
    assert float(supervised(perfect, share)) == pytest.approx(float(entropy))
    assert float(supervised(perfect + 0.1, share)) > float(entropy)
    assert float(supervised(perfect, share, "cov")) == pytest.approx(0, abs=1e-12)


def test_covariances_with_other_factors_are_squared_and_those_with_the_own_are_not() -> None:
    rng = np.random.default_rng(0)
    z, known = torch.from_numpy(rng.normal(size=(50, 3))), torch.from_numpy(rng.uniform(size=(50, 2)))
    by_hand = 0.0
    for i in range(3):
        for j in range(2):
            by_hand += (i != j) * np.cov(z[:, i], known[:, j], bias=True)[0, 1] ** 2
    assert float(supervised(z, known, "cov")) == pytest.approx(by_hand)


def test_more_factors_than_latents_are_refused() -> None:
    with pytest.raises(InputError, match="3 factors are known, so the code needs at least 3 latents, got 2"):
        supervised(torch.zeros(4, 2), torch.zeros(4, 3))
    bare = replace(grid(), factors=None, factor_names=(), factor_kinds=())
    with pytest.raises(InputError, match="few-labels learns from labels by their factors, and world 'grid'"):
        train(FewLabels(), bare, n_latents=2, steps=2, device="cpu")


def aligned(method: Method, steps: int = 200) -> float:
    """The worse of two correlations, of the first latent with the first factor and of the second with the second."""
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, (400, 2))
    plane = np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
    x = torch.from_numpy((3 * factors @ plane + 0.05 * rng.normal(size=(400, 6))).astype(np.float32))
    data = World("plane", Dense(x), factors, ("a", "b"), ("continuous", "continuous"))
    settings = {"n_latents": 2, "net": "mlp:width=16", "likelihood": "gaussian", "steps": steps, "lr": 1e-2}
    codes = codes_table(train(method, data, batch=32, device="cpu", **settings).ae, data)
    return min(float(np.corrcoef(codes[:, j], factors[:, j])[0, 1]) for j in range(2))


def test_thirty_labels_give_each_factor_its_latent_which_a_vae_does_not() -> None:
    assert aligned(FewLabels(n_labels=30, beta=1.0)) > 0.97
    assert aligned(VAE()) < 0.8
