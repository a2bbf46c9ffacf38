"""Cross-entropy of a Gaussian under a Laplace distribution, against closed forms, limits and sampling."""

from math import log

import pytest
import torch
from torch.distributions import Laplace

from prismae.latent.gaussian import Gaussian
from prismae.latent.laplace import cross_entropy


def at(mean, deviation, centre=0.0, rate=6.0):
    mean, log_var = torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[2 * log(deviation)]])
    return cross_entropy(Gaussian(mean, log_var.double()), torch.tensor([[centre]]).double(), rate).item()


def test_its_value_at_a_known_point():
    assert at(0.3, 0.2) == pytest.approx(0.77172, abs=1e-5)
    assert at(1.3, 0.2, centre=1.0) == pytest.approx(0.77172, abs=1e-5)


def test_a_point_has_the_distribution_s_own_density():
    expected = -Laplace(0.0, 1 / 6).log_prob(torch.tensor(0.4)).item()
    assert at(0.4, 1e-6) == pytest.approx(expected, abs=1e-5)


def test_at_the_centre_it_is_the_mean_of_a_half_normal():
    assert at(0.0, 0.5) == pytest.approx(-log(3) + 6 * 0.5 * (2 / torch.pi) ** 0.5)


def test_it_is_even():
    assert at(0.7, 0.3) == pytest.approx(at(-0.7, 0.3))


@pytest.mark.parametrize(("mean", "deviation", "rate"), [(0.5, 0.8, 2.0), (-1.0, 0.1, 6.0)])
def test_it_is_the_mean_over_draws(mean, deviation, rate):
    torch.manual_seed(0)
    z = mean + deviation * torch.randn(400_000, dtype=torch.float64)
    expected = -Laplace(0.0, 1 / rate).log_prob(z).mean().item()
    assert at(mean, deviation, rate=rate) == pytest.approx(expected, abs=0.01)
