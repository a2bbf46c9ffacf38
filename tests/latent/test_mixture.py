import numpy as np
import pytest
import torch
from scipy.stats import f_oneway
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence
from torch.nn.functional import linear, relu

from prismae.latent.gaussian import Gaussian
from prismae.latent.mixture import (
    batch_fisher_ratio,
    categorical_kl,
    fisher_ratio,
    kl_to_components,
    log_assignments,
    mixture_kl_bound,
    pairwise_kl,
    sample_mixture,
    weighted_sum,
)
from prismae.nets.mixture import ComponentNets


def test_component_networks_equal_a_loop_over_them_in_double_precision():
    torch.manual_seed(0)
    nets = ComponentNets(3, 2, 4, 16).double()
    z, w = torch.randn(5, 3, 2, dtype=torch.float64), torch.rand(5, 3, dtype=torch.float64)
    found = nets(z, w)
    for k in range(3):
        hidden = relu(linear(torch.cat([z[:, k], w], 1), nets.hidden.weight[k], nets.hidden.bias[k]))
        mean, log_var = linear(hidden, nets.last.weight[k], nets.last.bias[k]).chunk(2, 1)
        torch.testing.assert_close(found.mean[:, k], mean, rtol=1e-12, atol=1e-15)
        torch.testing.assert_close(found.log_var[:, k], log_var, rtol=1e-12, atol=1e-15)


def normal(g):
    return Normal(g.mean, (0.5 * g.log_var).exp())


def made(batch=20, k=3, m=4):
    torch.manual_seed(0)
    q = Gaussian.from_parameters(torch.randn(batch, 2 * m, dtype=torch.float64))
    components = Gaussian.from_parameters(torch.randn(k, 2 * m, dtype=torch.float64))
    return q, components, torch.randn(k, dtype=torch.float64).log_softmax(0)


def test_kl_to_another_gaussian_equals_that_of_torch_distributions():
    q, _, _ = made()
    other = Gaussian.from_parameters(torch.randn(20, 8, dtype=torch.float64))
    torch.testing.assert_close(q.kl_to(other), kl_divergence(normal(q), normal(other)))
    zero = torch.zeros((), dtype=torch.float64)
    torch.testing.assert_close(q.kl_to(Gaussian(zero, zero)), q.kl_to_standard())


def test_kl_to_each_component():
    q, components, _ = made()
    for k, column in enumerate(kl_to_components(q, components).unbind(1)):
        one = Gaussian(components.mean[k], components.log_var[k])
        torch.testing.assert_close(column, q.kl_to(one).sum(1))


def test_assignments_follow_bayes_rule():
    q, components, log_weights = made()
    z = q.mean
    mixture = MixtureSameFamily(Categorical(logits=log_weights), Independent(normal(components), 1))
    log_c = log_assignments(z, components, log_weights)
    torch.testing.assert_close(log_c.exp().sum(1), torch.ones(20, dtype=torch.float64))
    joint = components.log_prob(z.unsqueeze(1)).sum(2) + log_weights
    torch.testing.assert_close(joint - log_c, mixture.log_prob(z).unsqueeze(1).expand(-1, 3))


def test_assignments_far_from_all_components_stay_finite():
    _, components, log_weights = made()
    log_c = log_assignments(torch.full((1, 4), 1e3, dtype=torch.float64), components, log_weights)
    assert log_c.isfinite().all()
    assert categorical_kl(log_c, log_weights).isfinite().all()


def test_categorical_kl_equals_that_of_torch_distributions():
    p, q = torch.randn(2, 6, 5, dtype=torch.float64).log_softmax(2)
    expected = kl_divergence(Categorical(logits=p), Categorical(logits=q))
    torch.testing.assert_close(categorical_kl(p, q), expected)


def mixtures(batch=20, k=3, m=4):
    torch.manual_seed(1)
    q, p = (Gaussian.from_parameters(torch.randn(batch, k, 2 * m, dtype=torch.float64)) for _ in range(2))
    return q, p, *torch.randn(2, batch, k, dtype=torch.float64).softmax(2)


def test_kl_of_all_pairs_equals_that_of_torch_distributions():
    q, p, _, _ = mixtures()
    expected = kl_divergence(normal(Gaussian(q.mean[:, :, None], q.log_var[:, :, None])), normal(
        Gaussian(p.mean[:, None], p.log_var[:, None])))  # fmt: skip
    torch.testing.assert_close(pairwise_kl(q, p), expected.sum(3))


def test_the_bound_is_above_the_kl_of_two_mixtures():
    q, p, w, v = mixtures()

    def mixture(components, weights):
        return MixtureSameFamily(Categorical(probs=weights), Independent(normal(components), 1))

    z = mixture(q, w).sample((2_000,))
    kl = (mixture(q, w).log_prob(z) - mixture(p, v).log_prob(z)).mean(0)
    assert (mixture_kl_bound(q, w, p, v) > kl).all()


def test_the_bound_of_coinciding_mixtures_is_zero_for_one_component_only():
    q, _, w, _ = mixtures(k=1)
    assert mixture_kl_bound(q, w, q, w).abs().max() == 0
    q, _, w, _ = mixtures(k=3)
    assert mixture_kl_bound(q, w, q, w).min() > 0
    one = Gaussian(q.mean[:, :1].expand(-1, 3, -1), q.log_var[:, :1].expand(-1, 3, -1))
    assert mixture_kl_bound(one, w, one, w).abs().max() == 0


def test_a_weighted_sum_of_gaussians_has_the_mean_and_variance_of_its_samples():
    q, _, w, _ = mixtures(batch=2)
    drawn = normal(q).sample((50_000,))  # [n, batch, k, m]
    u = (w.unsqueeze(2) * drawn).sum(2)
    found = weighted_sum(q, w)
    torch.testing.assert_close(found.mean, u.mean(0), atol=0.03, rtol=0)
    torch.testing.assert_close(found.log_var.exp(), u.var(0), atol=0, rtol=0.04)


def test_a_weighted_sum_of_one_is_the_component():
    q, _, w, _ = mixtures(k=1)
    torch.testing.assert_close(weighted_sum(q, w).mean, q.mean[:, 0])
    torch.testing.assert_close(weighted_sum(q, w).log_var, q.log_var[:, 0])


def test_fisher_ratio_equals_the_trace_of_full_matrices():
    q, _, w, _ = mixtures()
    squared = w.square()[:, :, None, None]
    within = (squared * torch.diag_embed(q.log_var.exp())).sum(1)
    between = (squared * q.mean.unsqueeze(3) * q.mean.unsqueeze(2)).sum(1)
    expected = torch.linalg.solve(within, between).diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(fisher_ratio(q, w), expected)


def test_the_ratio_over_a_batch_is_that_of_the_analysis_of_variance():
    rng = np.random.default_rng(0)
    codes, classes = rng.normal(size=(60, 4)), rng.integers(3, size=60)
    codes += classes[:, None]
    found = batch_fisher_ratio(torch.tensor(codes), torch.eye(3, dtype=torch.float64)[classes])
    f = f_oneway(*(codes[classes == k] for k in range(3))).statistic  # of each column, per degree of freedom
    assert float(found) == pytest.approx(float(f.sum()) * (3 - 1) / (60 - 3), rel=1e-12)


def test_the_ratio_over_a_batch_of_shares_and_of_a_class_without_codes():
    codes = torch.tensor([[-1.0], [1.0], [3.0]])
    # Two classes of 1.5 codes each and an empty one; the mean of all is 1.
    shares = torch.tensor([[0.75, 0.25, 0], [0.75, 0.25, 0], [0.0, 1.0, 0]])
    means = np.array([0.0, (0.25 * -1 + 0.25 * 1 + 3) / 1.5])
    between = 1.5 * ((means - 1) ** 2).sum()
    within = 0.75 * 2 + (0.25 * (-1 - means[1]) ** 2 + 0.25 * (1 - means[1]) ** 2 + (3 - means[1]) ** 2)
    assert float(batch_fisher_ratio(codes, shares)) == pytest.approx(between / within, rel=1e-6)
    equal = torch.full((3, 2), 0.5)
    assert float(batch_fisher_ratio(codes, equal)) == 0


def test_fisher_ratio_of_one_component_is_the_signal_to_noise_ratio():
    q, _, w, _ = mixtures(k=1)
    expected = (q.mean.square() / q.log_var.exp()).sum((1, 2))
    torch.testing.assert_close(fisher_ratio(q, w), expected)


@pytest.mark.parametrize("log_var", [-15.0, 15.0])
def test_gradients_stay_finite_at_extreme_variances_and_without_weight(log_var):
    logits = torch.tensor([[0.0, -200.0, 0.0]], requires_grad=True)  # the second weight is 0 in float32
    mean = torch.ones(1, 3, 4, requires_grad=True)
    spread = torch.tensor([0.0, 0.0, log_var])[:, None].expand(1, 3, 4).clone().requires_grad_()
    q, w = Gaussian(mean, spread), logits.softmax(1)
    assert w[0, 1] == 0
    p = Gaussian(mean.detach() + 1, torch.zeros(1, 3, 4))
    for value in (
        torch.log1p(fisher_ratio(q, w)),
        mixture_kl_bound(q, w, p, w),
        mixture_kl_bound(p, w, q, w),
        weighted_sum(q, w).kl_to(weighted_sum(p, w)).sum(1),
    ):
        for gradient in torch.autograd.grad(value.sum(), (logits, mean, spread), retain_graph=True):
            assert gradient.isfinite().all()


def test_samples_of_a_mixture_come_from_its_components_by_weight():
    torch.manual_seed(0)
    components = Gaussian(torch.tensor([[-9.0, 0.0], [9.0, 5.0]]), torch.tensor([[0.0, 0.0], [2.0, -2.0]]))
    z = sample_mixture(components, torch.tensor([0.25, 0.75]).log(), 20_000)
    left = z[:, 0] < 0
    assert left.float().mean().item() == pytest.approx(0.25, abs=0.02)
    torch.testing.assert_close(z[~left].mean(0), torch.tensor([9.0, 5.0]), atol=0.1, rtol=0)
    torch.testing.assert_close(z[~left].var(0).log(), torch.tensor([2.0, -2.0]), atol=0.1, rtol=0)


def test_samples_of_a_mixture_per_row_come_from_the_row_s_own():
    torch.manual_seed(0)
    components = Gaussian(10 * torch.arange(5.0)[:, None, None].expand(5, 3, 2), torch.full((5, 3, 2), -9.0))
    z = sample_mixture(components, torch.full((3,), 1 / 3).log(), 5)
    torch.testing.assert_close(z, 10 * torch.arange(5.0)[:, None].expand(5, 2), atol=0.1, rtol=0)
