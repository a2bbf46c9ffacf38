from math import e, log, pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from prismae.latent.density_ratio import (
    DENSITY_SLACK,
    excess_entropy_power,
    highest_log_density,
    histogram_entropy,
    node_sums,
    uniform_nodes,
)

BOUND, COPIES = 4.0, 8


def logits_of(conditional):
    """The optimal critic's logits for a conditional density."""
    return (conditional * 2 * BOUND / COPIES).log()


def correlated(rho, deviation, batch, n_nodes, seed=0):
    """p(z1 | z2) of a correlated Gaussian at nodes [s, batch], and its exact mutual information and entropy."""
    torch.manual_seed(seed)
    z2 = deviation * torch.randn(batch, dtype=torch.float64)
    u = uniform_nodes(1, n_nodes, BOUND, "stratified", z2)[0]
    conditional = Normal(rho * z2, deviation * (1 - rho**2) ** 0.5).log_prob(u[:, None]).exp()
    grid = torch.linspace(-BOUND, BOUND, 100_001, dtype=torch.float64)
    p = Normal(0.0, deviation).log_prob(grid).exp()
    tails_cut = (
        -torch.where(p < 0.01, 0.0, p * p.log()).mean().item() * 2 * BOUND
    )  # as the entropy is defined
    assert tails_cut == pytest.approx(0.5 * log(2 * pi * e * deviation**2), abs=0.04)
    exact = -0.5 * log(1 - rho**2), tails_cut
    return logits_of(conditional), exact


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_optimal_critics_give_a_gaussian_s_information_and_entropy(rho):
    logits, (information, entropy) = correlated(rho, 0.7, batch=4000, n_nodes=400)
    sums = node_sums(logits, COPIES, BOUND)
    assert float(sums.information) / 400 == pytest.approx(information, abs=0.02)
    assert float(sums.entropy) / 400 == pytest.approx(entropy, abs=0.02)


def test_excess_entropy_power_of_a_gaussian_is_its_variance_times_the_information():
    power = excess_entropy_power(torch.tensor([0.3]), torch.tensor([0.5 * log(2 * pi * e * 0.49)]))
    assert power.item() == pytest.approx(0.3 * 0.49, rel=1e-6)


def test_slope_is_the_derivative_of_the_information_where_nothing_is_clamped():
    torch.manual_seed(0)
    logits = (0.5 * torch.randn(3, 7, 20, dtype=torch.float64)).requires_grad_()

    def information(values):
        log_rho = values + log(COPIES / (2 * BOUND))
        rho = log_rho.exp()
        ratio = log_rho - rho.mean(-1, keepdim=True).log()
        return 2 * BOUND * (rho * ratio).mean(-1).sum()

    (expected,) = torch.autograd.grad(information(logits), logits)
    torch.testing.assert_close(node_sums(logits.detach(), COPIES, BOUND).slope, expected)


def test_logits_beyond_a_sigmoid_s_reach_stay_finite():
    logits = torch.full((1, 4, 8), 30.0)
    sums = node_sums(logits, COPIES, BOUND)
    assert sums.slope.isfinite().all()
    assert sums.entropy.isfinite().all()


@pytest.mark.parametrize("sigma", [0.05, 0.2, 1.0])
def test_no_density_of_a_noisy_code_is_above_that_of_its_noise(sigma):
    limit = highest_log_density(torch.tensor(sigma, dtype=torch.float64)).item()
    u = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    for several in (torch.zeros(1), torch.tensor([-0.3, 0.3]), torch.rand(50)):  # codes before the noise
        density = Normal(several.double(), sigma).log_prob(u[:, None]).exp().mean(1)
        assert density.max().log() <= limit + 1e-9
    assert Normal(0.0, sigma).log_prob(torch.tensor(0.0)).item() == pytest.approx(limit, abs=1e-6)
    assert highest_log_density(torch.tensor(0.0)) == torch.inf


def test_a_critic_that_lost_its_way_leaves_sums_finite_and_a_slope_that_leads_back():
    torch.manual_seed(0)
    logits = torch.randn(1, 4, 8)
    logits[0, 2, 3] = 6847.0
    highest = highest_log_density(torch.full((1, 1, 1), 0.2))
    assert not node_sums(logits, COPIES, BOUND).slope.isfinite().all()
    sums = node_sums(logits, COPIES, BOUND, highest)
    assert sums.information.isfinite().all()
    assert sums.entropy.isfinite().all()
    assert sums.slope.isfinite().all()
    assert sums.slope[0, 2, 3] > 0  # against the loss, the density falls
    held = logits.clamp(max=float(highest) + DENSITY_SLACK - log(COPIES / (2 * BOUND)))
    torch.testing.assert_close(sums.slope, node_sums(held, COPIES, BOUND).slope)


def test_densities_that_can_be_are_left_as_they_are():
    torch.manual_seed(0)
    logits = torch.randn(3, 4, 8)
    sums = node_sums(logits, COPIES, BOUND), node_sums(logits, COPIES, BOUND, torch.full((3, 1, 1), 8.0))
    assert all(torch.equal(a, b) for a, b in zip(vars(sums[0]).values(), vars(sums[1]).values(), strict=True))


def test_an_empty_marginal_adds_no_entropy():
    assert node_sums(torch.full((1, 4, 8), -20.0), COPIES, BOUND).entropy.item() == 0


@settings(deadline=None, max_examples=25)
@given(m=st.integers(1, 5), n=st.integers(1, 40), bound=st.floats(0.5, 10))
def test_stratified_nodes_fall_one_in_each_cell(m, n, bound):
    u = uniform_nodes(m, n, bound, "stratified", torch.zeros(1, dtype=torch.float64))
    cells = ((u + bound) * n / (2 * bound)).floor().long().clamp(0, n - 1)
    assert (cells == torch.arange(n)).all()


def test_stratified_nodes_have_the_same_mean_and_a_far_smaller_variance():
    def estimates(rule):
        torch.manual_seed(1)
        u = uniform_nodes(4000, 16, BOUND, rule, torch.zeros(1, dtype=torch.float64))
        return 2 * BOUND * Normal(0.0, 0.7).log_prob(u).exp().mean(1)  # of an integral that is 1

    independent, stratified = estimates("independent"), estimates("stratified")
    assert independent.mean().item() == pytest.approx(1, abs=0.03)
    assert stratified.mean().item() == pytest.approx(1, abs=0.005)
    assert stratified.var() < 0.05 * independent.var()


def test_histogram_entropy_of_a_uniform_and_of_a_constant():
    torch.manual_seed(0)
    z = torch.stack([6 * torch.rand(100_000) - 3, torch.zeros(100_000)], 1)
    uniform, constant = histogram_entropy(z, 3.0, bins=30)
    assert uniform.item() == pytest.approx(log(6), abs=0.01)
    assert constant.item() == pytest.approx(log(6 / 30), abs=1e-5)  # all in one cell
