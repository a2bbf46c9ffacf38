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
from prismae.latent.labels import embedded, supervised
from prismae.methods import Method
from prismae.methods.few_labels import FewLabels
from prismae.methods.vae import VAE
from prismae.testing.methods import (
    a_stopped_training_goes_on_to_the_bit,
    gradients_reach_every_weight_of_the_autoencoder,
)


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


def test_distances_are_from_the_scaled_code_to_the_factor_from_minus_1_to_1() -> None:
    z, share = torch.tensor([[1.0, 5.0], [-3.0, 5.0]]), torch.tensor([[0.5], [0.0]])
    by_hand = ((2 * 1.0 - 0.0) ** 2 + (2 * -3.0 + 1.0) ** 2) / 2
    assert float(supervised(z, share, "l2", scale=2.0)) == pytest.approx(by_hand)
    assert float(supervised(2 * share - 1, share, "l2")) == 0


def test_a_value_s_place_on_its_latent_is_its_logit() -> None:
    values, places = (
        (torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 1.0])),
        torch.tensor([[-1.0, 2.0]] * 3),
    )
    z = torch.tensor([[-1.0, 0.0, 9.0], [0.5, 1.0, 9.0]], dtype=torch.float64)
    known = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    sharp = torch.tensor([1.5, 2.0, 1.0])
    by_hand = 0.0
    for row, factors in zip(z.tolist(), known.tolist(), strict=True):
        for j, each in enumerate(values):
            weights = [np.exp(-((float(sharp[j]) * (row[j] + 1 - 2 * float(v))) ** 2)) for v in each]
            by_hand -= np.log(weights[each.tolist().index(factors[j])] / sum(weights)) / 2
    assert float(embedded(z, known, values, places, sharp)) == pytest.approx(by_hand)
    assert float(embedded(2 * known - 1, known, values, places[:2], 50 * sharp)) == pytest.approx(0, abs=1e-6)
    even = embedded(torch.zeros(2, 1), known[:, :1], values[:1], torch.zeros(1, 2), sharp)
    assert float(even) == pytest.approx(np.log(3))


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


@pytest.mark.parametrize("loss", ["cov", "l2", "embed"])
def test_each_term_trains_and_teaches_all_that_it_learns(loss) -> None:
    chosen = FewLabels(loss=loss)
    for check in (gradients_reach_every_weight_of_the_autoencoder, a_stopped_training_goes_on_to_the_bit):
        check(chosen)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["l2", "embed"])
def test_so_do_terms_that_learn_how_to_read_the_code(loss) -> None:
    assert aligned(FewLabels(n_labels=30, beta=1.0, loss=loss)) > 0.95
