"""The additive decoder: the sum of its parts, and the factors that it finds where they add up."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from flat import train
from torch import nn
from torch.autograd.functional import hessian

from prismae.data import World
from prismae.data.storage import Dense
from prismae.evaluation import codes_table
from prismae.methods.ae import AE
from prismae.metrics import mig
from prismae.nets import net
from prismae.nets.additive import AdditiveDecoder


def decoder(n_latents: int = 3, pooling: str = "mean") -> AdditiveDecoder:
    torch.manual_seed(0)
    made = net(f"additive:width=8,pooling={pooling}").build((2, 5), 4, n_latents)[1].double()
    assert isinstance(made, AdditiveDecoder)
    return made


def alone(made: AdditiveDecoder, j: int, z: torch.Tensor) -> torch.Tensor:
    """What latent j makes of its values z [n], as a plain decoder of one latent with the same weights."""
    first = nn.Linear(1, 8).double()
    with torch.no_grad():
        first.weight.copy_(made.slope[j].unsqueeze(1))
        first.bias.copy_(made.start[j])
    return nn.Sequential(first, nn.SELU(), made.body)(z.unsqueeze(1)).view(len(z), 2, 5)


@pytest.mark.parametrize("pooling", ["mean", "logsumexp"])
def test_it_is_the_mean_of_decoders_of_one_latent_each(pooling: str) -> None:
    made, z = decoder(pooling=pooling), torch.randn(7, 3, dtype=torch.float64)
    parts = torch.stack([alone(made, j, z[:, j]) for j in range(3)])
    expected = parts.mean(0) if pooling == "mean" else parts.exp().mean(0).log()
    torch.testing.assert_close(made(z), expected)
    one = decoder(1, pooling)
    torch.testing.assert_close(one(z[:, :1]), alone(one, 0, z[:, 0]))


def test_no_latent_changes_what_another_does() -> None:
    z = torch.randn(3, dtype=torch.float64)

    def mixed(made: nn.Module) -> float:
        bent = hessian(lambda at: made(at.unsqueeze(0)).sum(), z)
        assert isinstance(bent, torch.Tensor)
        return float(bent.fill_diagonal_(0).abs().max())

    assert mixed(decoder()) < 1e-12
    assert mixed(net("mlp:width=8").build((2, 5), 4, 3)[1].double()) > 1e-3


def curves(n: int = 9) -> World:
    """All pairs of two factors, each of which moves along a bent line of its own; the two add up."""
    factors = np.array(list(product(range(n), repeat=2)))
    a, b = (factors / (n - 1) * 2 - 1).T
    bent = np.stack([2 * a, a**2, np.sin(3 * a), 2 * b, np.cos(2 * b), b**3], 1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    x = torch.from_numpy((bent @ turn).astype(np.float32))
    return World("curves", Dense(x), factors, ("a", "b"), ("categorical",) * 2)


def found(chosen: str, seed: int, steps: int = 600) -> float:
    data = curves()
    settings = {"net": chosen, "likelihood": "mse", "batch": len(data), "device": "cpu", "lr": 5e-3}
    trained = train(AE(), data, n_latents=2, steps=steps, seed=seed, **settings)
    return float(mig(codes_table(trained.ae, data), data.factors))


@pytest.mark.slow
def test_an_autoencoder_with_it_finds_factors_that_add_up_and_with_a_plain_decoder_not() -> None:
    assert min(found("additive:width=32", seed) for seed in (0, 1)) > 0.8
    assert min(found("mlp:width=32", seed) for seed in (0, 1)) < 0.5
