import pytest
import torch
from torch.distributions import Normal, kl_divergence

from prismae.latent.gaussian import Gaussian, bounded, covariance, free_bits


@pytest.fixture
def q():
    torch.manual_seed(0)
    return Gaussian.from_parameters(2 * torch.randn(50, 6, dtype=torch.float64))


def test_kl_equals_that_of_torch_distributions(q):
    normal = Normal(q.mean, (0.5 * q.log_var).exp())
    torch.testing.assert_close(q.kl_to_standard(), kl_divergence(normal, Normal(0.0, 1.0)))


def test_log_prob_equals_that_of_torch_distributions(q):
    z = torch.randn_like(q.mean)
    torch.testing.assert_close(q.log_prob(z), Normal(q.mean, (0.5 * q.log_var).exp()).log_prob(z))


def test_kl_of_the_prior_is_zero_and_keeps_small_values():
    zero = torch.zeros(1, 1)
    assert Gaussian(zero, zero).kl_to_standard().item() == 0
    tiny = Gaussian(zero, torch.tensor([[1e-4]]))  # 1 - exp would lose it in float32
    assert tiny.kl_to_standard().item() == pytest.approx(2.5e-9, rel=0.05)


def test_samples_have_the_posterior_s_mean_and_deviation():
    torch.manual_seed(0)
    q = Gaussian(torch.tensor([[1.0, -2.0]]).expand(100_000, 2), torch.tensor([0.0, 2.0]).expand(100_000, 2))
    z = q.rsample()
    torch.testing.assert_close(z.mean(0), torch.tensor([1.0, -2.0]), atol=0.04, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 2.718]), atol=0.04, rtol=0)


def test_extreme_log_variances_are_kept_finite():
    q = Gaussian.from_parameters(torch.tensor([[0.0, 1e9], [0.0, -1e9]]))
    assert q.kl_to_standard().isfinite().all()
    assert q.rsample().isfinite().all()


def test_log_variances_from_minus_10_to_4_are_as_they_are_to_the_bit_and_so_is_their_gradient():
    x = torch.linspace(-10, 4, 1001)[1:-1].requires_grad_()
    y = bounded(x)
    assert torch.equal(y, x)
    y.backward(weight := torch.randn(len(x)))
    assert torch.equal(x.grad, weight)


def test_log_variances_beyond_are_bent_without_a_corner_and_their_gradient_leads_back():
    x = torch.tensor([-1e4, -15.0, -10.001, -9.999, 3.999, 4.001, 6.0, 1e4], dtype=torch.float64)
    x.requires_grad_()
    y = bounded(x)
    # r y / (r + y) beyond the ends, with r = 5 below and 2 above
    expected = [-10 - 5 * 9990 / 9995, -12.5, -10.001, -9.999, 3.999, 4.001, 5.0, 4 + 2 * 9996 / 9998]
    torch.testing.assert_close(y, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)
    y.sum().backward()
    slopes = [(5 / 9995) ** 2, 0.25, 1, 1, 1, 1, 0.25, (2 / 9998) ** 2]
    torch.testing.assert_close(x.grad, torch.tensor(slopes, dtype=torch.float64), atol=2e-3, rtol=0)
    assert (x.grad > 0).all()


def test_covariance_is_over_the_batch_and_exact_inside_a_bf16_run():
    z = torch.randn(50, 3) + 7
    centred = z - z.mean(0)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(covariance(z), (centred[:, :, None] * centred[:, None]).mean(0))


def test_free_bits_floor_what_they_say():
    kl = torch.tensor([[0.0, 2.0], [0.2, 4.0]])
    assert free_bits(kl, 1.0, "dimension").item() == pytest.approx(1.0 + 3.0)
    assert free_bits(kl, 3.0, "sample").tolist() == pytest.approx([3.0, 4.2])
    assert free_bits(kl, 5.0, "batch").item() == 5.0
    for per in ("dimension", "sample", "batch"):
        assert free_bits(kl, 0.0, per).mean().item() == pytest.approx(3.1)


def test_free_bits_have_no_gradient_below_the_floor():
    kl = torch.tensor([[0.1, 2.0]], requires_grad=True)
    free_bits(kl, 0.5, "dimension").backward()
    assert kl.grad.tolist() == [[0.0, 1.0]]
