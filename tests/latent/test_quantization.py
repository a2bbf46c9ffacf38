"""Quantised codes: where values lie, which is taken, and where gradients go, against closed forms."""

from math import log

import pytest
import torch

from prismae.latent.quantization import fixed_grid, nearest, picked, straight_through


def grid(n, m=1, dtype=torch.float64):
    return torch.linspace(-0.5, 0.5, n, dtype=dtype).repeat(m, 1)


def test_the_nearest_value_is_taken_and_of_two_the_first():
    values = torch.tensor([[0.0, 1.0, 2.0], [5.0, -5.0, 0.0]])
    q = nearest(torch.tensor([[0.4, 2.5], [0.5, -2.5], [9.0, 0.1]]), values)
    assert q.index.tolist() == [[0, 0], [0, 1], [2, 2]]  # 0.5 lies between 0 and 1, 2.5 between 5 and 0
    assert q.mean.tolist() == [[0.0, 5.0], [0.0, -5.0], [2.0, 0.0]]
    assert q.levels == 3


def test_the_error_of_a_uniform_code_is_that_of_its_cells():
    # spacing s = 1 / 9 in [-1/2, 1/2]: E (z - q)^2 = s^2 / 12
    z = (torch.arange(900_000, dtype=torch.float64) + 0.5).unsqueeze(1) / 900_000 - 0.5
    error = (nearest(z, grid(10)).mean - z).square().mean()
    assert error.item() == pytest.approx(1.02881e-3, rel=1e-4)
    assert error.item() == pytest.approx((1 / 9) ** 2 / 12, rel=1e-4)


def test_gradients_pass_straight_to_the_code_and_not_to_the_values():
    z = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    values = grid(4, 3).requires_grad_()
    wanted = torch.randn(7, 3, dtype=torch.float64)
    (nearest(z, values).mean * wanted).sum().backward()
    torch.testing.assert_close(z.grad, wanted, rtol=0, atol=0)
    assert values.grad is None


def test_the_value_is_there_to_the_bit():
    z, q = torch.randn(1000) * 1e4, torch.randn(1000)
    assert torch.equal(straight_through(z, q), q)


def test_what_is_picked_has_the_gradient_and_nothing_else():
    values = grid(4, 2).requires_grad_()
    picked(values, torch.tensor([[0, 3], [0, 1]])).sum().backward()
    assert values.grad.tolist() == [[2.0, 0, 0, 0], [0, 1.0, 0, 1.0]]


def test_moving_codes_and_values_together_moves_nothing_else():
    z, values = torch.randn(50, 3, dtype=torch.float64), torch.randn(3, 6, dtype=torch.float64)
    a, b = nearest(z, values), nearest(z + 0.75, values + 0.75)
    assert torch.equal(a.index, b.index)
    torch.testing.assert_close(a.mean + 0.75, b.mean)


def test_the_fixed_grid_is_symmetric_for_odd_and_even_numbers_of_levels():
    z = torch.tensor([[-10.0], [-1.0], [0.0], [1.0], [10.0]])
    assert fixed_grid(z, 5).mean.flatten().tolist() == [-1.0, -1.0, 0.0, 1.0, 1.0]
    for levels in (2, 5, 8, 12):
        values = fixed_grid(z, levels).values[0]
        torch.testing.assert_close(values, -values.flip(0))
        torch.testing.assert_close(values, torch.linspace(-1, 1, levels))


def test_the_fixed_grid_takes_the_nearest_of_its_values():
    z = torch.randn(2000, 2, dtype=torch.float64)
    q = fixed_grid(z, 12)
    by_hand = (torch.tanh(z).unsqueeze(-1) - q.values).abs().argmin(-1)
    assert torch.equal(q.index, by_hand)
    assert torch.equal(q.mean, picked(q.values, q.index))


def test_the_fixed_grid_s_gradient_is_that_of_the_tanh():
    z = torch.randn(20, 3, dtype=torch.float64, requires_grad=True)
    fixed_grid(z, 4).mean.sum().backward()
    torch.testing.assert_close(z.grad, 1 - torch.tanh(z.detach()).square())


def test_levels_of_a_normal_code_are_used_as_its_cells_say():
    # 2.4668 nats of log 12 for z ~ N(0, 1), by the normal distribution between the cells' ends
    ends = torch.atanh((torch.arange(1, 12, dtype=torch.float64) - 0.5) * 2 / 11 - 1)
    cdf = torch.distributions.Normal(0.0, 1.0).cdf(ends)
    shares = torch.diff(cdf, prepend=torch.zeros(1), append=torch.ones(1))
    expected = -(shares * shares.log()).sum()
    assert expected.item() == pytest.approx(2.4668, abs=1e-4)
    torch.manual_seed(0)
    counts = fixed_grid(torch.randn(200_000, 1), 12).index.flatten().bincount(minlength=12) / 200_000
    assert -(counts * counts.log()).sum().item() == pytest.approx(expected.item(), abs=2e-3)
    assert expected < log(12)
