"""The kernel estimate of dependence: values of known codes, and what leaves it as it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MixtureSameFamily, Normal

from prismae.latent.kernel_density import kernel_dependence


def even(draws: int, m: int) -> Tensor:
    return torch.rand(draws, 64, m, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("m", "independent", "equal"), [(2, 0.362, 1.146), (12, 7.08, 9.33)])
def test_64_codes_have_these_values_whether_independent_or_equal(
    m: int, independent: float, equal: float
) -> None:
    """Far from 0 and from infinity: only the difference says something."""
    found = torch.stack([kernel_dependence(z) for z in even(100, m)]).mean()
    same = torch.stack([kernel_dependence(z[:, :1].expand(-1, m)) for z in even(100, m)]).mean()
    assert float(found) == pytest.approx(independent, abs=0.02)
    assert float(same) == pytest.approx(equal, abs=0.02)


def test_scale_place_and_order_do_not_matter() -> None:
    z = even(1, 4)[0].double()
    expected = float(kernel_dependence(z))
    changed = z[:, [2, 0, 3, 1]] * torch.tensor([3.0, 0.2, -1.0, 7.0]) + 5
    assert float(kernel_dependence(changed)) == pytest.approx(expected, rel=1e-4)


def test_it_is_the_difference_of_densities_of_torch() -> None:
    z = even(1, 3)[0].double()
    batch, m = z.shape
    unit = z.std(0, correction=0) + 1e-6
    silverman = (4 / (m + 2)) ** (1 / (m + 4)) * batch ** (-1 / (m + 4))

    def density(points: Tensor, width: Tensor) -> Tensor:
        shares = torch.distributions.Categorical(torch.ones(batch, dtype=z.dtype))
        return MixtureSameFamily(shares, Independent(Normal(points, width), 1)).log_prob(points)

    joint = density(z, unit * silverman)
    alone = sum(density(z[:, [j]], unit[j]) for j in range(m))
    assert float(kernel_dependence(z)) == pytest.approx(float((joint - alone).mean()), rel=1e-9)
