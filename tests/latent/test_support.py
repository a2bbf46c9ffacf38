"""Hausdorff distances of codes from a factorised support, against closed forms and brute force."""

from itertools import product

import numpy as np
import pytest
import torch

from prismae.latent import support
from prismae.latent.support import hausdorff

ONE = torch.tensor([[0, 1]])


def codes(*points):
    return torch.tensor(points, dtype=torch.float64)


def brute(z, i, j):
    return max(min((a[i] - n[i]) ** 2 + (c[j] - n[j]) ** 2 for n in z) for a, c in product(z, z))


@pytest.mark.parametrize("sizes", [(2, 3), (4, 4), (1, 5)])
def test_a_full_grid_is_factorised(sizes):
    z = torch.from_numpy(np.indices(sizes).reshape(2, -1).T.astype(np.float64))
    assert hausdorff(z, ONE).item() == 0


def test_two_corners_of_a_square_lack_the_others_by_1():
    assert hausdorff(codes((0, 0), (1, 1)), ONE).item() == 1


def test_one_code_and_no_pairs_are_0():
    assert hausdorff(codes((3, 4)), ONE).item() == 0
    assert hausdorff(codes((3, 4)), ONE[:0]).shape == (0,)


@pytest.mark.parametrize("at_once", [1, 100, 2**22])
def test_it_is_the_definition(at_once, monkeypatch):
    monkeypatch.setattr(support, "AT_ONCE", at_once)
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 4)))
    pairs = torch.combinations(torch.arange(4))
    expected = [brute(z.tolist(), i, j) for i, j in pairs.tolist()]
    assert hausdorff(z, pairs).tolist() == pytest.approx(expected)


def test_order_duplicates_and_the_order_of_latents_change_nothing_and_scale_squares():
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 2)))
    value = hausdorff(z, ONE)
    for other in (z.flip(0), z.flip(1), torch.cat([z, z])):
        torch.testing.assert_close(hausdorff(other, ONE), value)
    torch.testing.assert_close(hausdorff(3 * z, ONE), 9 * value)


def test_the_gradient_is_that_of_differences():
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(9, 3)))
    pairs = torch.combinations(torch.arange(3))
    assert torch.autograd.gradcheck(lambda z: hausdorff(z, pairs), z.requires_grad_())


def test_its_gradient_turns_a_grid_back_to_its_axes():
    # a diagonal band of the grid has more codes than the rest: the support does not mind
    factors = np.indices((5, 5)).reshape(2, -1).T
    factors = np.repeat(factors, 5 - np.abs(factors[:, 0] - factors[:, 1]), axis=0)
    grid, angle = (
        torch.from_numpy(factors / 2.0 - 1),
        torch.tensor(0.5, dtype=torch.float64, requires_grad=True),
    )
    optimizer = torch.optim.Adam([angle], lr=0.02)
    for _ in range(60):
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
        optimizer.zero_grad()
        hausdorff(grid @ turn, ONE).sum().backward()
        optimizer.step()
    assert abs(angle.item()) < 0.05
