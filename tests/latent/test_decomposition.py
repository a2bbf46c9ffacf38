from math import e, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prismae.errors import InputError
from prismae.latent import decomposition
from prismae.latent.decomposition import (
    decompose_kl,
    decompose_kl_by_groups,
    log_aggregates,
    log_weights,
    permute_columns,
    standard_log_prob,
)
from prismae.latent.gaussian import Gaussian

EXACT_TC = 0.5
RHO = (1 - e ** (-2 * EXACT_TC)) ** 0.5


def correlated_codes(batch, deviation=0.15):
    """Posteriors and samples of an aggregate posterior N(0, [[1, rho], [rho, 1]]), whose total correlation is 0.5."""
    covariance = torch.tensor([[1.0, RHO], [RHO, 1.0]], dtype=torch.float64)
    means = (
        torch.randn(batch, 2, dtype=torch.float64)
        @ torch.linalg.cholesky(covariance - deviation**2 * torch.eye(2)).T
    )
    q = Gaussian(means, torch.full_like(means, 2 * log(deviation)))
    return q, q.rsample()


@settings(deadline=None, max_examples=40)
@given(batch=st.integers(2, 60), more=st.integers(0, 10**6))
def test_stratified_weights_have_1_over_n_on_the_diagonal_and_rows_that_sum_to_1(batch, more):
    # public copies of beta-TCVAE fill the first column instead of the diagonal: both properties fail there
    n, others = batch - 1 + more, batch - 1
    weights = log_weights(batch, n, "stratified").double().exp()
    torch.testing.assert_close(weights.diagonal(), torch.full((batch,), 1 / n, dtype=torch.float64))
    torch.testing.assert_close(weights.sum(1), torch.ones(batch, dtype=torch.float64))
    torch.testing.assert_close(weights.sum(0), torch.ones(batch, dtype=torch.float64))
    rest = weights[~torch.eye(batch, dtype=torch.bool)].view(batch, others)
    expected = torch.full((others,), 1 / others, dtype=torch.float64)
    expected[0] = (n - others) / (n * others)
    torch.testing.assert_close(rest.sort(1).values, expected.sort().values.expand(batch, -1))


def test_leave_one_out_weights():
    weights = log_weights(5, 100, "leave-one-out").exp()
    torch.testing.assert_close(weights.diagonal(), torch.full((5,), 0.01))
    torch.testing.assert_close(weights.sum(1), torch.ones(5))
    assert weights[0, 1:].unique().numel() == 1


@pytest.mark.parametrize("batch", [1, 12])
def test_a_batch_that_the_weights_are_not_defined_for_is_refused(batch):
    with pytest.raises(InputError, match="batches of 2 to 11"):
        log_weights(batch, 10, "stratified")


@pytest.mark.parametrize("estimator", ["stratified", "weighted", "leave-one-out"])
def test_the_parts_sum_to_the_kl_sample_by_sample(estimator):
    torch.manual_seed(0)
    q = Gaussian.from_parameters(torch.randn(20, 8, dtype=torch.float64))
    z = q.rsample()
    expected = (q.log_prob(z) - standard_log_prob(z)).sum(1)
    torch.testing.assert_close(sum(decompose_kl(q, z, 500, estimator)), expected)


@pytest.mark.parametrize("estimator", ["stratified", "leave-one-out"])
def test_total_correlation_of_a_correlated_gaussian_converges_with_the_batch(estimator):
    torch.manual_seed(0)
    errors = []
    for batch, repeats in ((32, 20), (128, 8), (512, 4)):
        values = [decompose_kl(*correlated_codes(batch), 50_000, estimator)[1].mean() for _ in range(repeats)]  # type: ignore[call-arg]
        errors.append(abs(float(torch.stack(values).mean()) - EXACT_TC))
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2]
    assert errors[2] < 0.12


def test_weighted_estimator_has_the_gradient_of_an_equal_mixture_but_not_its_value():
    torch.manual_seed(0)
    q, z = correlated_codes(16)
    z.requires_grad_()
    pairs = Gaussian(q.mean[None], q.log_var[None]).log_prob(z[:, None])
    mixture = torch.logsumexp(pairs.sum(2), 1) - torch.logsumexp(pairs, 1).sum(1) + log(16)
    tc = decompose_kl(q, z, 1000, "weighted")[1]
    torch.testing.assert_close(tc - mixture, torch.full_like(tc, log(1000)))
    torch.testing.assert_close(*(torch.autograd.grad(each.sum(), z)[0] for each in (tc, mixture)))


def test_groups_of_dimensions_range_from_the_marginals_to_the_joint():
    torch.manual_seed(0)
    q = Gaussian.from_parameters(torch.randn(9, 10, dtype=torch.float64))
    z = q.rsample()
    (pairs,) = log_aggregates(q, z, 50, (2,), "stratified")
    assert pairs.shape == (9, 3)
    own = [Gaussian(q.mean[:, part], q.log_var[:, part]) for part in (slice(0, 2), slice(2, 4), slice(4, 5))]
    parts = [log_aggregates(p, z[:, part], 50, (2,), "stratified")[0] for p, part in
             zip(own, (slice(0, 2), slice(2, 4), slice(4, 5)), strict=True)]  # fmt: skip
    torch.testing.assert_close(pairs, torch.cat(parts, 1))


def test_densities_taken_in_parts_are_the_same_with_the_same_gradient(monkeypatch):
    torch.manual_seed(0)
    parameters = torch.randn(10, 14, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(10, 7, dtype=torch.float64)

    def all_at_once_or_not():
        q = Gaussian.from_parameters(parameters)
        z = q.mean + torch.exp(0.5 * q.log_var) * noise
        found = log_aggregates(q, z, 500, (7, 3, 1), "stratified")
        (gradient,) = torch.autograd.grad(sum(each.square().sum() for each in found), parameters)
        return *found, gradient

    whole = all_at_once_or_not()
    monkeypatch.setattr(decomposition, "PAIRS", 3 * 10 * 7)  # three samples at once, the last part has one
    for a, b in zip(whole, all_at_once_or_not(), strict=True):
        torch.testing.assert_close(a, b)


def test_two_levels_split_the_parts_of_one_level():
    torch.manual_seed(0)
    q = Gaussian.from_parameters(torch.randn(20, 12, dtype=torch.float64))
    z = q.rsample()
    mi, tc, dwkl = decompose_kl(q, z, 500)
    found = decompose_kl_by_groups(q, z, 500, 2)
    torch.testing.assert_close(found[0], mi)
    torch.testing.assert_close(found[1] + found[2], tc)
    torch.testing.assert_close(found[3], dwkl)
    assert decompose_kl_by_groups(q, z, 500, 6)[1].abs().max() == 0  # one group
    assert decompose_kl_by_groups(q, z, 500, 1)[2].abs().max() == 0  # groups of one


@pytest.mark.parametrize(("order", "deeper"), [([0, 1, 2, 3], False), ([0, 2, 1, 3], True)])
def test_dependence_is_found_at_the_level_where_it_is(order, deeper):
    torch.manual_seed(0)
    (q, z), (p, y) = correlated_codes(256), correlated_codes(256)
    interleaved = (torch.stack([a[:, 0], b[:, 0], a[:, 1], b[:, 1]], 1) for a, b in
                   ((q.mean, p.mean), (q.log_var, p.log_var), (z, y)))  # fmt: skip
    mean, log_var, codes = (each[:, order] for each in interleaved)
    _, between, inside, _ = decompose_kl_by_groups(Gaussian(mean, log_var), codes, 50_000, 2)
    difference = (inside - between).mean()
    assert difference > 0.5 if deeper else difference < -0.5


def test_permuted_columns_keep_each_marginal_and_lose_the_dependence():
    # a permutation over the other axis would mix the dimensions; one order for all columns would keep the dependence
    torch.manual_seed(0)
    z = torch.randn(4000, 1) + torch.tensor([[0.0, 10.0, 20.0]])
    permuted = permute_columns(z)
    torch.testing.assert_close(permuted.sort(0).values, z.sort(0).values)
    assert torch.corrcoef(z.T).min() > 0.99
    assert (torch.corrcoef(permuted.T) - torch.eye(3)).abs().max() < 0.08
