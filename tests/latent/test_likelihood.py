from itertools import pairwise
from math import log

import pytest
import torch
from torch.distributions import MultivariateNormal

from prismae.latent import likelihood
from prismae.latent.decomposition import log_aggregates
from prismae.latent.gaussian import Gaussian
from prismae.latent.likelihood import (
    effective_samples,
    index_code_information,
    log_importance_weights,
    log_mean_density,
    log_mean_exp,
)


def linear_gaussian(loading, n=200):
    """Observations x ~ N(W z, I) with z ~ N(0, I), their log-likelihood, and p(z|x) for orthogonal columns of W."""
    d, m = loading.shape
    x = torch.randn(n, m, dtype=torch.float64) @ loading.T + torch.randn(n, d, dtype=torch.float64)
    marginal = MultivariateNormal(torch.zeros(d, dtype=torch.float64), loading @ loading.T + torch.eye(d))
    variance = 1 / (1 + loading.square().sum(0))
    return x, marginal.log_prob(x), Gaussian(variance * (x @ loading), variance.log().expand(n, m))


def weights(loading, x, q, k):
    z = torch.stack([q.rsample() for _ in range(k)], 1)
    nll = 0.5 * ((x.unsqueeze(1) - z @ loading.T).square() + log(2 * torch.pi)).sum(-1)
    return log_importance_weights(nll, Gaussian(q.mean.unsqueeze(1), q.log_var.unsqueeze(1)), z)


@pytest.fixture
def loading():
    torch.manual_seed(0)
    return torch.linalg.qr(torch.randn(6, 2, dtype=torch.float64))[0] * torch.tensor([2.0, 0.7])


def test_at_the_exact_posterior_every_single_weight_is_the_likelihood(loading):
    x, log_p, q = linear_gaussian(loading)
    torch.testing.assert_close(weights(loading, x, q, 5), log_p.unsqueeze(1).expand(-1, 5))


def test_with_one_sample_the_bound_is_the_elbo(loading):
    x, log_p, exact = linear_gaussian(loading, n=50_000)
    q = Gaussian(exact.mean + 0.2, exact.log_var + 0.5)
    gap = log_p - log_mean_exp(weights(loading, x, q, 1))
    expected, noise = q.kl_to(exact).sum(1).mean(), gap.std() / len(x) ** 0.5
    assert float(gap.mean()) == pytest.approx(float(expected), abs=4 * float(noise))


def test_more_samples_tighten_the_bound_until_it_is_the_likelihood(loading):
    x, log_p, exact = linear_gaussian(loading, n=1_000)
    q = Gaussian(exact.mean + 0.2, exact.log_var + 0.5)
    gaps = [float((log_p - log_mean_exp(weights(loading, x, q, k))).mean()) for k in (1, 5, 25, 125, 625)]
    assert all(now > 2 * later > 0 for now, later in pairwise(gaps[:-1]))
    assert abs(gaps[-1]) < 0.005


def test_log_mean_exp_keeps_what_would_underflow():
    assert float(log_mean_exp(torch.tensor([-2000.0, -2000.0]))) == -2000
    torch.testing.assert_close(log_mean_exp(torch.tensor([[0.0, log(3)]])), torch.tensor([log(2)]))


def test_effective_samples_of_equal_weights_and_of_one_alone():
    rows = [torch.full((10,), -700.0), torch.eye(10)[0] * 1000, torch.arange(10) // 5 * 1000]
    expected = torch.tensor([10, 1, 5]).double()
    torch.testing.assert_close(effective_samples(torch.stack([each.double() for each in rows])), expected)


def test_the_aggregate_posterior_is_the_equal_mixture_in_parts_of_any_size(monkeypatch):
    torch.manual_seed(0)
    q = Gaussian.from_parameters(torch.randn(30, 8, dtype=torch.float64))
    z = q.rsample()
    expected = log_aggregates(q, z, 30, (4,), "leave-one-out")[0].squeeze(1)
    torch.testing.assert_close(log_mean_density(q, z), expected)
    monkeypatch.setattr(likelihood, "PAIRS", 500)
    torch.testing.assert_close(log_mean_density(q, z), expected)
    assert len(log_mean_density(q, z[:7])) == 7


@pytest.mark.parametrize(("groups", "expected"), [(1, 0.0), (2, log(2)), (40, log(40))])
def test_information_of_posteriors_that_coincide_or_lie_apart(groups, expected):
    mean = 100.0 * (torch.arange(40, dtype=torch.float64) % groups).unsqueeze(1).expand(-1, 3)
    q = Gaussian(mean, torch.zeros(40, 3))
    each = index_code_information(q, q.rsample())
    torch.testing.assert_close(each, torch.full((40,), expected, dtype=torch.float64))


def test_information_of_a_gaussian_channel():
    torch.manual_seed(0)
    mean = 2 * torch.randn(3_000, 2, dtype=torch.float64)
    q = Gaussian(mean, torch.full_like(mean, 2 * log(0.5)))
    exact = 2 * 0.5 * log(1 + 4 / 0.25)
    assert float(index_code_information(q, q.rsample()).mean()) == pytest.approx(exact, abs=0.06)
