import pytest
import torch

from prismae.latent.divergence import IMQ_SCALES, kernel, mmd, sliced_wasserstein


def rbf_mean(shift, variance, bandwidth, m):
    """E exp(-d^2 / 2 bandwidth) for d ~ N(shift, variance I) in m dimensions."""
    return (bandwidth / (bandwidth + variance)) ** (m / 2) * torch.exp(-shift / (2 * (bandwidth + variance)))


def expected_kernel(shift, variance, m, name):
    """E k(x, y) where x - y ~ N(delta, variance I), |delta|^2 = shift. IMQ is a scale mixture of Gaussian kernels."""
    shift = torch.tensor(float(shift), dtype=torch.float64)
    if name == "rbf":
        return rbf_mean(shift, variance, m, m).item()
    t = (
        torch.arange(200_000, dtype=torch.float64) + 0.5
    ) / 5000  # C / (C + d^2) = int exp(-t (1 + d^2 / C)) dt
    total = sum(
        (torch.exp(-t) * rbf_mean(shift, variance, 2 * m * s / (2 * t), m)).sum() / 5000 for s in IMQ_SCALES
    )
    return float(total)


@pytest.mark.parametrize("name", ["imq", "rbf"])
@pytest.mark.parametrize(("shift", "deviation"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.4)])
def test_mmd_of_two_gaussians_is_the_analytic_value(name, shift, deviation):
    # a public defect: an MMD normalised twice, so that the penalty vanishes
    torch.manual_seed(0)
    m, n = 3, 1000
    exact = (
        expected_kernel(0, 2 * deviation**2, m, name)
        + expected_kernel(0, 2.0, m, name)
        - 2 * expected_kernel(m * shift**2, 1 + deviation**2, m, name)
    )
    values = torch.stack(
        [mmd(shift + deviation * torch.randn(n, m), torch.randn(n, m), name) for _ in range(6)]
    )
    assert values.mean().item() == pytest.approx(exact, abs=0.01 * kernel(torch.zeros(1), m, name).item())


@pytest.mark.parametrize("name", ["imq", "rbf"])
def test_mmd_is_unbiased_in_small_batches_and_so_below_0_at_times(name):
    torch.manual_seed(0)
    values = torch.stack([mmd(torch.randn(8, 2), torch.randn(8, 2), name) for _ in range(2000)])
    assert abs(values.mean()) < 4 * values.std() / 2000**0.5
    assert values.min() < 0


def test_the_imq_kernel_s_sum_of_scales():
    squared = torch.tensor([[0.0, 3.0]])
    at_3 = sum(4 * s / (4 * s + 3) for s in IMQ_SCALES)
    torch.testing.assert_close(kernel(squared, 2, "imq"), torch.tensor([[7.0, at_3]]))


def test_mmd_s_gradient_is_finite_where_codes_coincide():
    x = torch.zeros(5, 2, requires_grad=True)
    mmd(x, torch.zeros(5, 2), "imq").backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(("shift", "deviation"), [(1.0, 1.0), (0.0, 0.5), (0.0, 1.0)])
def test_sliced_wasserstein_of_two_gaussians(shift, deviation):
    # along a direction a, N(mu, s^2 I) and N(0, I) are (a mu)^2 + (s - 1)^2 apart; the mean of (a mu)^2 is |mu|^2 / m
    torch.manual_seed(0)
    x = deviation * torch.randn(2000, 4) + shift
    distance = sliced_wasserstein(x, torch.randn(2000, 4), 1000)
    assert distance.item() == pytest.approx(shift**2 + (deviation - 1) ** 2, abs=0.03 + 0.12 * shift)


def test_sliced_wasserstein_in_one_dimension_is_that_of_sorted_samples():
    x, y = torch.tensor([[3.0], [1.0], [2.0]]), torch.tensor([[0.0], [5.0], [2.0]])
    assert sliced_wasserstein(x, y, 7).item() == pytest.approx((1 + 0 + 4) / 3)


@pytest.mark.parametrize(
    "distance", [lambda x, y: mmd(x, y, "imq"), lambda x, y: sliced_wasserstein(x, y, 9)]
)
def test_distances_are_exact_inside_a_bf16_run(distance):
    x, y = torch.randn(2, 64, 3) + torch.tensor([[[5.0]], [[5.1]]])
    torch.manual_seed(0)
    expected = distance(x, y)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(distance(x, y), expected)
