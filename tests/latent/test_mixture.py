import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from prismae.latent.gaussian import Gaussian
from prismae.latent.mixture import categorical_kl, kl_to_components, log_assignments


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
