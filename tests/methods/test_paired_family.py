"""Methods that learn from pairs: their limits, and that they find factors which single observations do not show."""

from itertools import product

import numpy as np
import pytest
import torch
from flat import train
from torch.distributions import Laplace, Normal

from prismae import method, world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.evaluation import codes_table
from prismae.latent.gaussian import Gaussian
from prismae.methods import Context, Pairs
from prismae.methods.ada_vae import AdaVAE
from prismae.methods.beta_vae import BetaVAE
from prismae.methods.slow_vae import SlowVAE
from prismae.methods.vae import VAE
from prismae.metrics import mig

BOTH = [AdaVAE(average="gvae", beta=3.0), AdaVAE(average="ml-vae", beta=3.0)]


class Codes:
    """An autoencoder of posteriors that are given in turn; its reconstruction term depends on the code."""

    def __init__(self, *posteriors):
        self.posteriors = list(posteriors)

    def encode(self, x):
        return self.posteriors.pop(0)

    def nll(self, x, z):
        return z.square().sum(1)


def gaussian(seed, batch=40, m=4):
    torch.manual_seed(seed)
    return Gaussian(torch.randn(batch, m, dtype=torch.float64), torch.randn(batch, m, dtype=torch.float64))


def terms(method, q, p):
    torch.manual_seed(1)
    x = q.mean
    return method.terms(
        Codes(q, p), x, Context(100, {}, pairs=Pairs(x, torch.zeros(len(x), 2, dtype=torch.bool)))
    )


def single(method, q):
    return method.terms(Codes(q), q.mean, Context(100, {}))


@pytest.mark.parametrize("method", BOTH)
def test_without_shared_latents_it_is_the_mean_of_two_beta_vaes(method):
    means = gaussian(
        0
    ).mean.round()  # so that all differences, and with them divergences, are equal to the bit
    q, p = (Gaussian(each, torch.zeros_like(each)) for each in (means, means + 1))
    found = terms(method, q, p)
    assert found["shared"] == 0
    torch.manual_seed(1)
    one, other = single(BetaVAE(beta=3.0), q), single(BetaVAE(beta=3.0), p)
    for name in ("recon", "kl"):
        torch.testing.assert_close(found[name], (one[name] + other[name]) / 2)
    assert method.weights() == BetaVAE(beta=3.0).weights()


@pytest.mark.parametrize("method", BOTH)
def test_shared_latents_have_one_posterior_and_the_others_keep_theirs(method):
    q = gaussian(0, m=3)
    far = q.mean.clone()
    far[:, 2] += 50
    found = terms(method, q, Gaussian(far, q.log_var))
    assert found["shared"].item() == pytest.approx(2 / 3)
    expected = (q.kl_to_standard().sum(1) + Gaussian(far, q.log_var).kl_to_standard().sum(1)) / 2
    torch.testing.assert_close(found["kl"], expected)  # of two equal ones the average is the same


def test_the_slow_term_is_the_kl_to_laplace_distributions_around_the_other_s_mean():
    q, p = gaussian(0, m=2), gaussian(1, m=2)
    expected = torch.zeros(40, dtype=torch.float64)
    for one, other in ((q, p), (p, q)):
        torch.manual_seed(2)
        normal = Normal(one.mean, (one.log_var / 2).exp())
        z = normal.sample((20_000,))
        expected += (normal.log_prob(z) - Laplace(other.mean, 1 / 6).log_prob(z)).mean(0).sum(1) / 2
    torch.testing.assert_close(terms(SlowVAE(), q, p)["slow"], expected, rtol=0.02, atol=0.05)


def test_without_its_slow_term_it_is_the_mean_of_two_beta_vaes():
    q, p = gaussian(0), gaussian(1)
    found = terms(SlowVAE(beta=3.0, gamma=0.0), q, p)
    torch.manual_seed(1)
    one, other = single(BetaVAE(beta=3.0), q), single(BetaVAE(beta=3.0), p)
    for name in ("recon", "kl"):
        torch.testing.assert_close(found[name], (one[name] + other[name]) / 2)
    assert SlowVAE(beta=3.0, gamma=0.0).weights() == {**BetaVAE(beta=3.0).weights(), "slow": 0.0}


def test_its_names_are_those_of_the_two_averages():
    assert method("ada-gvae") == AdaVAE(average="gvae")
    assert method("ada-ml-vae", beta=2.0) == AdaVAE(average="ml-vae", beta=2.0)
    assert AdaVAE(average="ml-vae").called() == "ada-ml-vae"


def bell(d=12):
    """Two factors of 5 values, distributed like a bell, on a plane: next to nothing says how the plane is turned."""
    factors = np.array(list(product(range(5), repeat=2)))
    factors = np.repeat(factors, np.prod(np.array([1, 4, 6, 4, 1])[factors], axis=1), axis=0)
    plane = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0][:2]
    x = torch.from_numpy(((factors / 2 - 1) @ plane * 3).astype(np.float32))
    return World(
        "bell", Dense(x), factors=factors, factor_names=("a", "b"), factor_kinds=("categorical",) * 2
    )


def walk(n=1000):
    """A recording of which nothing but its order is known: at each moment one of the two factors is drawn anew."""
    rng, seen = np.random.default_rng(0), bell()
    moments = rng.binomial(4, 0.5, (n, 2))
    still = rng.integers(2, size=n)
    for t in range(1, n):
        moments[t, still[t]] = moments[t - 1, still[t]]
    rows = [int(np.flatnonzero((seen.factors == each).all(1))[0]) for each in moments]
    return World("walk", Dense(seen.data[torch.tensor(rows)]))


def found(method, seed, steps, recorded=None, lr=3e-3):
    data = bell() if recorded is None else recorded
    settings = {"net": "mlp:width=32", "likelihood": "gaussian", "batch": 64, "device": "cpu", "lr": lr}
    trained = train(method, data, n_latents=2, steps=steps, seed=seed, **settings)
    return mig(codes_table(trained.ae, bell()), bell().factors)


def test_pairs_show_how_the_plane_is_turned():
    method = AdaVAE(average="gvae", differing=1)
    assert found(method, 0, 150, lr=1e-2) > 0.6
    assert found(VAE(), 0, 150, lr=1e-2) < 0.25


@pytest.mark.slow
@pytest.mark.parametrize("average", ["gvae", "ml-vae"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pairs_find_the_factors_of_a_plane(average, seed):
    assert found(AdaVAE(average=average, differing=1), seed, 800) > 0.5
    assert found(VAE(), seed, 800) < 0.25


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_slowness_finds_the_factors_of_a_plane(seed):
    assert found(SlowVAE(differing=1, gamma=1.0), seed, 800) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_a_recording_shows_its_factors(seed):
    assert found(SlowVAE(differing="next", gamma=1.0), seed, 800, walk()) > 0.5
    assert found(VAE(), seed, 800, walk()) < 0.25


@pytest.mark.parametrize("name", ["ada-gvae", "ada-ml-vae", "slow-vae"])
def test_a_world_of_digits_has_pairs(name):
    history = train(method(name), world("digits"), n_latents=3, steps=2, batch=16, device="cpu").history
    assert history.notna().all()["recon"]
    if "shared" in history:
        assert history["shared"].between(0, 1).all()
