"""JointVAE: its code, its capacities, and the category that it finds."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from flat import train
from numpy.typing import NDArray
from torch import Tensor, nn

from prismae.data import World
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.evaluation import codes_table
from prismae.latent.gaussian import Gaussian
from prismae.methods import Context, Method
from prismae.methods.joint_vae import JointVAE
from prismae.methods.vae import VAE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import MSE


class Given(nn.Module):
    """An encoder that gives what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def terms_of(method: JointVAE, parameters: Tensor, n_latents: int, step: int = 0) -> dict[str, Tensor]:
    decoder = nn.Linear(n_latents, parameters.shape[1])
    ae = AutoencoderNet(Given(), decoder, method.posterior, MSE(), 0.0, 1.0)
    return method.terms(ae, parameters, Context(len(parameters), {}, step=step))


def test_even_categories_cost_nothing_certain_ones_log_k_and_groups_add() -> None:
    method = JointVAE(categories=5, groups=2, capacity=0.0, category_capacity=0.0)
    even = torch.zeros(3, method.n_outputs(11))
    assert method.n_outputs(11) == 12
    assert float(terms_of(method, even, 11)["kl_categories"]) == pytest.approx(0, abs=1e-6)
    one, both = even.clone(), even.clone()
    one[:, 2] = both[:, 2] = both[:, 9] = 1e3
    assert float(terms_of(method, one, 11)["kl_categories"]) == pytest.approx(log(5), rel=1e-5)
    assert float(terms_of(method, both, 11)["excess_categories"]) == pytest.approx(2 * log(5), rel=1e-5)


def test_capacities_grow_and_that_of_categories_stops_at_what_they_can_tell() -> None:
    method = JointVAE(categories=4, capacity=8.0, category_capacity=5.0, capacity_steps=100)
    certain = torch.zeros(3, method.n_outputs(5))
    certain[:, 0] = 1e3
    certain[:, 4] = 2.0  # a mean of 2: a KL of 2 nats
    early, late = terms_of(method, certain, 5, step=20), terms_of(method, certain, 5, step=1000)
    assert float(early["kl"]) == pytest.approx(2)
    assert float(early["excess"]) == pytest.approx(2 - 0.2 * 8)
    assert float(early["excess_categories"]) == pytest.approx(log(4) - 0.2 * 5, rel=1e-4)
    assert float(late["excess"]) == pytest.approx(8 - 2)
    assert float(late["excess_categories"]) == pytest.approx(0, abs=1e-4)


def test_the_code_is_one_hot_beside_means_and_its_draws_become_so() -> None:
    torch.manual_seed(0)
    method = JointVAE(categories=3)
    p = torch.tensor([0.5, 0.3, 0.2])
    parameters = torch.cat([p.log(), torch.tensor([1.5, -20.0])]).expand(20_000, 5)
    q = method.posterior(parameters, nn.ModuleDict())
    assert q.mean[0].tolist() == [1.0, 0.0, 0.0, 1.5]
    draws = q.drawn(1e-3)
    assert float((draws[:, :3].amax(1) > 0.99).float().mean()) > 0.98
    torch.testing.assert_close(draws[:, :3].mean(0), p, atol=0.015, rtol=0)
    torch.testing.assert_close(draws[:, 3].mean(), torch.tensor(1.5), atol=1e-3, rtol=0)
    assert isinstance(q.gaussian, Gaussian)


def test_a_code_without_room_for_the_categories_is_refused() -> None:
    with pytest.raises(InputError, match="needs at least 10 latents, got 6"):
        JointVAE(categories=10).n_outputs(6)


def three_kinds(n: int = 300) -> tuple[World, NDArray, NDArray]:
    """Vectors of a kind, one of three that are equally far from each other, and of a place along another direction;
    all turned."""
    rng = np.random.default_rng(0)
    kind, place = np.arange(n) % 3, rng.uniform(-1, 1, n)
    corners = 3 * np.stack([np.cos(2 * np.pi * kind / 3), np.sin(2 * np.pi * kind / 3)])
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0][:3]
    x = np.concatenate([corners, 3 * place[None]]).T @ turn + 0.1 * rng.normal(size=(n, 6))
    return World("kinds", Dense(torch.from_numpy(x.astype(np.float32)))), np.eye(3)[kind], place


def told(method: Method, steps: int = 400) -> tuple[float, float]:
    """How well some latent says whether an observation is of a kind, of the kind that is said worst, and how well one
    says the place: correlations."""
    data, kinds, place = three_kinds()
    options = {"n_latents": 4, "net": "mlp:width=32", "steps": steps, "lr": 5e-3, "batch": 64}
    codes = codes_table(train(method, data, device="cpu", **options).ae, data)
    with np.errstate(invalid="ignore"):
        found = np.nan_to_num(np.abs(np.corrcoef(codes.T, np.column_stack([kinds, place]).T)[:4, 4:])).max(0)
    return float(found[:3].min()), float(found[3])


@pytest.mark.slow
def test_it_finds_the_kind_which_a_vae_does_not_and_the_place() -> None:
    kind, place = told(JointVAE(categories=3, gamma=3.0, capacity=3.0, capacity_steps=200))
    assert kind > 0.99
    assert place > 0.95
    assert told(VAE())[0] < 0.95
