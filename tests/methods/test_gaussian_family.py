"""The Gaussian family: its limits, and the defects of public implementations, each guarded by name."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from prismae import world
from prismae.latent.gaussian import Gaussian, Point
from prismae.methods import Context
from prismae.methods.annealed_vae import AnnealedVAE
from prismae.methods.beta_tcvae import BetaTCVAE
from prismae.methods.dip_vae import DIPVAE
from prismae.methods.factor_vae import FactorVAE
from prismae.methods.free_bits_vae import FreeBitsVAE
from prismae.methods.vae import VAE
from prismae.train import build

M, N = 4, 1797


@pytest.fixture(scope="module")
def x():
    return world("digits").data[torch.arange(64)]


@pytest.fixture(scope="module")
def ae():
    """An autoencoder whose posteriors differ from the prior and from each other."""
    data = world("digits")
    torch.manual_seed(0)
    made = build(VAE(), data.kind, data.shape, data.summary, n_latents=M, net="mlp", likelihood="bernoulli")
    with torch.no_grad():
        made.encoder[-1][-1].weight.mul_(3)
    return made


def terms(method, ae, x, critic=None, step=0):
    torch.manual_seed(1)
    return method.terms(ae, x, Context(N, method.weights(), critic=critic, step=step))


def loss_and_gradient(method, ae, x, critic=None, step=0):
    found = terms(method, ae, x, critic, step)
    loss = sum(weight * found[name].mean() for name, weight in method.weights().items())
    return loss, torch.autograd.grad(loss, list(ae.parameters()))


def assert_is_the_vae(method, ae, x, critic=None):
    (loss, gradient), (vae, expected) = (
        loss_and_gradient(method, ae, x, critic),
        loss_and_gradient(VAE(), ae, x),
    )
    torch.testing.assert_close(loss, vae)
    for a, b in zip(gradient, expected, strict=True):
        torch.testing.assert_close(a, b)


class Codes:
    """An autoencoder of which only the posterior is asked."""

    def __init__(self, q):
        self.q = q

    def encode(self, x):
        return self.q

    def nll(self, x, z):
        return torch.zeros(len(z))


def gaussian(mean, variance):
    return Gaussian(torch.as_tensor(mean), torch.as_tensor(variance).log())


# beta-TCVAE


def test_beta_tcvae_of_1_1_1_is_the_vae_in_expectation(ae, x):
    q = ae.encode(x)
    torch.manual_seed(0)
    differences = []
    for _ in range(100):
        found = BetaTCVAE(1.0, 1.0, 1.0).terms(Codes(q), x, Context(N, {}))
        kl = found["mi"] + found["tc"] + found["dwkl"]
        differences.append((kl - q.kl_to_standard().sum(1)).detach().mean())
    assert abs(np.mean(differences)) < 4 * np.std(differences) / 10


def test_beta_tcvae_adds_no_second_kl(ae, x):
    # a public defect: (beta - 1) TC on top of beta KL
    method = BetaTCVAE(alpha=2.0, beta=5.0, gamma=3.0)
    found = terms(method, ae, x)
    assert set(found) == {"recon", "mi", "tc", "dwkl"}
    assert method.weights() == {"recon": 1.0, "mi": 2.0, "tc": 5.0, "dwkl": 3.0}


# FactorVAE


def test_factor_vae_of_gamma_0_is_the_vae(ae, x):
    method = FactorVAE(gamma=0.0, critic_width=8)
    assert_is_the_vae(method, ae, x, method.critic(M))


def test_factor_vae_critic_labels_codes_as_they_are_1_and_shuffled_ones_0():
    # a public defect: the wrong labels, which turn the total correlation's sign
    torch.manual_seed(0)
    z = torch.randn(512, 1).expand(-1, 2) * torch.tensor([1.0, -1.0])  # z_1 = -z_0

    class Product(nn.Module):
        def forward(self, z):
            return -5 * z[:, 0] * z[:, 1] - 1  # large for codes as they are

    loss = FactorVAE().critic_terms(Product(), Point(z), Context(512, {}))["critic"]
    real = Product()(z[:256])
    right = binary_cross_entropy_with_logits(real, torch.ones(256))
    assert loss < right + 3
    torch.manual_seed(0)
    assert FactorVAE().critic_terms(lambda z: -Product()(z), Point(z), Context(512, {}))["critic"] > loss + 1


def test_factor_vae_shuffles_other_codes_than_those_it_takes_as_they_are():
    seen = []

    def critic(z):
        seen.append(z)
        return z.sum(1)

    z = torch.arange(20.0).unsqueeze(1).expand(-1, 3) + torch.tensor([0.0, 100.0, 200.0])
    FactorVAE().critic_terms(critic, Point(z), Context(20, {}))
    joint, shuffled = seen
    assert set(joint[:, 0].tolist()).isdisjoint(shuffled[:, 0].tolist())
    torch.testing.assert_close(shuffled.sort(0).values, z[10:])  # each column keeps its own values


def test_factor_vae_s_critic_learns_the_total_correlation():
    torch.manual_seed(0)
    rho = 0.8
    method = FactorVAE(critic_layers=2, critic_width=32)
    critic = method.critic(2)
    adam = torch.optim.Adam(critic.parameters(), lr=3e-3)
    mixing = torch.linalg.cholesky(torch.tensor([[1.0, rho], [rho, 1.0]]))
    for _ in range(300):
        z = torch.randn(256, 2) @ mixing.T
        method.critic_terms(critic, Point(z), Context(512, {}))["critic"].backward()
        adam.step()
        adam.zero_grad()
    with torch.no_grad():
        tc = critic(torch.randn(20_000, 2) @ mixing.T).mean().item()
    assert tc == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.1)


# DIP-VAE


@pytest.mark.parametrize("variant", ["i", "ii"])
def test_dip_vae_of_0_0_is_the_vae(variant, ae, x):
    assert_is_the_vae(DIPVAE(variant, 0.0, 0.0), ae, x)


def test_dip_vae_ii_adds_the_mean_variances_to_each_dimension_s_own_variance():
    # public defects: `diag` of a batch of variances that collapses to a scalar; means centred over the wrong axis
    mean = torch.tensor([[1.0, 10.0], [3.0, 14.0], [2.0, 12.0], [2.0, 12.0]])  # covariance [[.5, 1], [1, 2]]
    variance = torch.tensor([[0.1, 0.4], [0.3, 0.4], [0.2, 0.4], [0.2, 0.4]])
    q = gaussian(mean, variance)
    one = DIPVAE("i").terms(Codes(q), mean, Context(4, {}))
    assert one["off_diagonal"].item() == pytest.approx(2 * 1.0)
    assert one["diagonal"].item() == pytest.approx(0.5**2 + 1.0**2)
    two = DIPVAE("ii").terms(Codes(q), mean, Context(4, {}))
    assert two["off_diagonal"].item() == pytest.approx(2 * 1.0)
    assert two["diagonal"].item() == pytest.approx((0.5 + 0.2 - 1) ** 2 + (2 + 0.4 - 1) ** 2)


def test_dip_vae_s_codes_of_identity_covariance_cost_nothing():
    torch.manual_seed(0)
    mean = torch.randn(100_000, 3) * 0.6**0.5
    found = DIPVAE("ii").terms(Codes(gaussian(mean, torch.full((3,), 0.4).expand(100_000, -1))), mean, None)
    assert found["off_diagonal"] + found["diagonal"] < 1e-3


def test_dip_vae_s_diagonal_weight_follows_the_variant():
    assert DIPVAE("i", 2.0).weights()["diagonal"] == 20.0
    assert DIPVAE("ii", 2.0).weights()["diagonal"] == 2.0
    assert DIPVAE("i", 2.0, 5.0).weights()["diagonal"] == 5.0


# capacity


def test_annealed_vae_takes_the_mean_kl_s_distance_not_the_mean_of_distances():
    # a public defect: |KL_i - C| per sample, which punishes samples of unlike information
    mean = torch.tensor([[0.0], [2.0]])  # KLs 0 and 2 nats, mean 1
    codes = Codes(gaussian(mean, torch.ones(2, 1)))
    method = AnnealedVAE(capacity=1.0, capacity_steps=1)
    assert method.terms(codes, mean, Context(2, {}, step=1))["excess"].item() == pytest.approx(0)


def test_annealed_vae_counts_its_capacity_in_steps(ae, x):
    # a public defect: capacity counted in epochs
    method = AnnealedVAE(capacity=20.0, capacity_steps=1000)
    targets = [terms(method, ae, x, step=step)["target"].item() for step in (0, 250, 1000, 5000)]
    assert targets == pytest.approx([0.0, 5.0, 20.0, 20.0])


def test_annealed_vae_without_capacity_is_the_beta_vae(ae, x):
    assert_is_the_vae(AnnealedVAE(gamma=1.0, capacity=0.0), ae, x)


# free bits


@pytest.mark.parametrize("per", ["dimension", "sample", "batch"])
def test_free_bits_of_0_are_the_vae(per, ae, x):
    assert_is_the_vae(FreeBitsVAE(floor=0.0, per=per), ae, x)
