"""What a pair of posteriors shares and becomes, against closed forms."""

from math import log

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from prismae.latent.gaussian import Gaussian
from prismae.latent.pairing import averaged, multiplied, shared


def gaussian(*pairs):
    mean, variance = torch.tensor(pairs, dtype=torch.float64).T
    return Gaussian(mean.unsqueeze(0), variance.log().unsqueeze(0))


def random(seed, batch=50, m=6):
    torch.manual_seed(seed)
    return Gaussian(torch.randn(batch, m, dtype=torch.float64), torch.randn(batch, m, dtype=torch.float64))


def test_the_divergence_of_0_and_2_is_2_nats():
    assert gaussian((0, 1)).kl_to(gaussian((2, 1))).item() == pytest.approx(2.0)


@pytest.mark.parametrize("symmetric", [False, True])
def test_latents_below_the_middle_of_their_divergences_are_shared(symmetric):
    q, p = random(0), random(1)
    a, b = (Normal(each.mean, (each.log_var / 2).exp()) for each in (q, p))
    kl = (kl_divergence(a, b) + kl_divergence(b, a)) / 2 if symmetric else kl_divergence(a, b)
    middle = (kl.min(1, keepdim=True).values + kl.max(1, keepdim=True).values) / 2
    assert torch.equal(shared(q, p, symmetric=symmetric), kl < middle)
    assert torch.equal(shared(q, p, symmetric=True), shared(p, q, symmetric=True))


def test_of_equal_divergences_none_is_shared():
    q = random(0)
    assert not shared(q, q).any()


def test_averages_of_two_unit_variances():
    q, p = gaussian((0, 1)), gaussian((2, 1))
    assert (averaged(q, p).mean.item(), averaged(q, p).log_var.item()) == pytest.approx((1.0, 0.0))
    assert (multiplied(q, p).mean.item(), multiplied(q, p).log_var.item()) == pytest.approx((1.0, 0.0))


def test_averages_by_hand():
    q, p = gaussian((1, 0.5)), gaussian((4, 2.0))
    found = averaged(q, p)
    assert (found.mean.item(), found.log_var.item()) == pytest.approx((2.5, log(1.25)))
    found = multiplied(q, p)
    # the product has precision 2 + 1/2, mean (2 * 1 + 4 / 2) / 2.5, and its variance is taken twice
    assert (found.mean.item(), found.log_var.item()) == pytest.approx((1.6, log(2 / 2.5)))


@pytest.mark.parametrize("average", [averaged, multiplied])
def test_an_average_with_itself_is_itself_and_of_two_has_no_order(average):
    q, p = random(0), random(1)
    once, other = average(q, p), average(p, q)
    twice = average(once, once)
    for a, b in ((once, other), (once, twice)):
        torch.testing.assert_close(a.mean, b.mean)
        torch.testing.assert_close(a.log_var, b.log_var)


@pytest.mark.parametrize("average", [averaged, multiplied])
def test_variances_far_apart_stay_finite(average):
    q, p = (
        Gaussian(torch.zeros(1, 1), torch.full((1, 1), -80.0)),
        Gaussian(torch.ones(1, 1), torch.full((1, 1), 80.0)),
    )
    found = average(q, p)
    assert found.mean.isfinite().all()
    assert found.log_var.isfinite().all()
