"""Tripod and FactorQVAE: what their terms are, their limits, and the factors that they find."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
import torch
from flat import train
from test_quantized_family import found, grid
from torch import Tensor, nn

from prismae import world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.evaluation import codes_table
from prismae.latent.categorical import kl_to_even, relaxed
from prismae.latent.quantization import assigned
from prismae.methods import Context, Method
from prismae.methods.factor_qvae import FactorQVAE, falling
from prismae.methods.fsq import FSQ
from prismae.methods.tripod import Tripod
from prismae.methods.vae import VAE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.train import build

M = 3


def ready(method: Method, n: int = 16) -> tuple[AutoencoderNet, Tensor]:
    digits = world("digits")
    torch.manual_seed(0)
    ae = build(
        method, digits.kind, digits.shape, digits.summary, n_latents=M, net="mlp", likelihood="bernoulli"
    )
    return ae.double(), digits.data[torch.arange(n)].double()


def test_tripod_without_two_of_its_legs_is_fsq() -> None:
    ae, x = ready(Tripod())
    terms = Tripod().terms(ae, x, Context(16, {}))
    torch.testing.assert_close(terms["recon"], FSQ().terms(ae, x, Context(16, {}))["recon"])
    assert Tripod(dependence=0, curvature=0).weights() == {"recon": 1.0, "dependence": 0, "curvature": 0}


def test_tripod_s_curvature_moves_the_decoder_and_its_dependence_does_not() -> None:
    ae, x = ready(Tripod())
    terms = Tripod().terms(ae, x, Context(16, {}))
    weights = [each for each in ae.decoder.parameters() if each.ndim > 1][
        :-1
    ]  # the last gives no activations
    moved = torch.autograd.grad(terms["curvature"], weights, retain_graph=True)
    assert all(each.abs().sum() > 0 for each in moved)
    still = torch.autograd.grad(terms["dependence"], weights, allow_unused=True)
    assert all(each is None for each in still)


def test_twelve_levels_of_a_normal_code_are_almost_evenly_taken() -> None:
    """The entropy of the levels of tanh(z), z ~ N(0, 1): 2.4668 nats of log 12 = 2.4849."""
    edges = torch.atanh((2 * torch.arange(11) + 1) / 11 - 1)
    below = torch.distributions.Normal(0.0, 1.0).cdf(edges)
    p = torch.diff(torch.cat([torch.zeros(1), below, torch.ones(1)]))
    assert float(-(p * p.log()).sum()) == pytest.approx(2.4668, abs=1e-4)
    z = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))
    index = Tripod().posterior(z, nn.ModuleDict()).index
    torch.testing.assert_close(torch.bincount(index[:, 0], minlength=12) / len(z), p, atol=0.006, rtol=0)


@pytest.mark.slow
def test_tripod_finds_the_factors_of_a_small_grid() -> None:
    data, short = grid(n=5, d=6), {"seed": 1, "steps": 400, "lr": 1e-2, "net": "mlp:width=32"}
    assert found(Tripod(levels=5), data, **short) > 0.9
    assert found(VAE(), data, **short) < 0.5


def test_the_kl_to_even_values_is_0_for_even_ones_and_log_64_for_a_certain_one() -> None:
    assert float(kl_to_even(torch.zeros(64))) == pytest.approx(0, abs=1e-6)
    certain = torch.full((64,), -1e4)
    certain[3] = 0
    assert float(kl_to_even(certain)) == pytest.approx(log(64))
    assert log(64) == pytest.approx(4.15888, abs=1e-5)


def test_relaxed_draws_become_draws_of_the_values() -> None:
    torch.manual_seed(0)
    p = torch.tensor([0.5, 0.3, 0.2])
    shares = relaxed(p.log().expand(20_000, 3), 1e-3)
    assert float((shares.amax(-1) > 0.99).float().mean()) > 0.98
    torch.testing.assert_close(shares.mean(0), p, atol=0.015, rtol=0)
    assert relaxed(torch.zeros(5, 4), 1.0).sum(-1).tolist() == pytest.approx([1.0] * 5)


def test_a_common_shift_of_values_and_codes_changes_no_assignment() -> None:
    torch.manual_seed(0)
    z, values = torch.randn(9, M, dtype=torch.float64), torch.randn(7, dtype=torch.float64)
    q, moved = assigned(z, values), assigned(z + 3, values + 3)
    torch.testing.assert_close(moved.logits, q.logits)
    assert torch.equal(moved.index, q.index)
    nearest = (z.unsqueeze(-1) - values).abs().argmin(-1)
    assert torch.equal(q.index, nearest)
    torch.testing.assert_close(q.mean, values[nearest])


def test_a_critic_that_knows_nothing_costs_nothing_and_its_loss_is_log_2() -> None:
    method = FactorQVAE(critic_width=8)
    ae, x = ready(method)
    critic = method.critic(M).double()
    for parameter in critic.parameters():
        nn.init.zeros_(parameter)
    ctx = Context(16, {}, critic=critic)
    assert method.terms(ae, x, ctx)["tc"].abs().max() == 0
    assert float(method.critic_terms(critic, ae.encode(x), ctx)["critic"]) == pytest.approx(log(2))
    assert critic[0].in_features == M * 64


def test_the_code_in_training_cools_to_the_values() -> None:
    method = FactorQVAE(critic_width=8, cooling=1.0)
    ae, x = ready(method)
    ctx = Context(16, {}, critic=method.critic(M).double(), step=12)
    shares = method._shares(ae.encode(x), ctx)
    assert float((shares.amax(-1) > 0.99).double().mean()) > 0.95
    assert exp(-12) < 1e-5


def test_the_rate_falls_by_a_cosine_and_stays() -> None:
    assert falling(0) == 1
    assert falling(25_000) == pytest.approx((1 + 1.25e-3) / 2)
    assert 1e-3 * falling(50_000) == pytest.approx(1.25e-6)
    assert falling(90_000) == falling(50_000)


def aligned(method: Method, seed: int) -> float:
    """How well single latents say two even factors of a plane, the one that is said worse: a correlation."""
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, (1000, 2))
    plane = np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
    x = torch.from_numpy((3 * factors @ plane).astype(np.float32))
    data = World("plane", Dense(x), factors, ("a", "b"), ("continuous", "continuous"))
    settings = {"n_latents": 2, "net": "mlp:width=16", "likelihood": "gaussian", "steps": 300, "lr": 5e-3}
    codes = codes_table(train(method, data, batch=128, device="cpu", seed=seed, **settings).ae, data)
    return float(np.abs(np.corrcoef(codes.T, factors.T)[:2, 2:]).max(0).min())


@pytest.mark.slow
def test_factor_qvae_finds_the_factors_of_a_plane() -> None:
    quick = FactorQVAE(
        levels=16, critic_width=32, critic_layers=3, critic_steps=2, gamma=10.0, beta=0.2, cooling=5e-3
    )
    assert min(aligned(quick, seed) for seed in (0, 1)) > 0.93
    assert min(aligned(VAE(), seed) for seed in (0, 1)) < 0.85
