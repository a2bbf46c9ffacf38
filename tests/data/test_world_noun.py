"""World: drawing, holding a factor fixed, the codes table, and statistics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from prismae.data import World, world
from prismae.data.storage import Dense
from prismae.errors import InputError

rng = np.random.default_rng(0)


@pytest.fixture
def grid() -> World:
    """Each observation is its own factors: (0..2, 0..4)."""
    factors = np.indices((3, 5)).reshape(2, -1).T.copy()
    return World(
        "grid", Dense(torch.from_numpy(factors).float()), factors, ("a", "b"), ("categorical", "continuous")
    )


def test_sample_draws_observations_with_their_factors(grid: World) -> None:
    x, factors = grid.sample(200, np.random.default_rng(1))
    np.testing.assert_array_equal(x.numpy(), factors)
    assert len(np.unique(x, axis=0)) == 15
    again, _ = grid.sample(200, np.random.default_rng(1))
    assert torch.equal(x, again)


@pytest.mark.parametrize("batch", [1, 4, 15, 1024])
def test_codes_table_is_in_the_order_of_the_world(grid: World, batch: int) -> None:
    def encode(x: Tensor) -> Tensor:
        return x @ torch.tensor([[1.0], [10.0]])

    codes = grid.codes_table(encode, batch)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(codes[:, 0], grid.factors @ [1, 10])


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_summary(shift: float) -> None:
    x = (rng.normal(size=(3000, 7)) + shift).astype(np.float32)
    found = world(x).summary
    exact = x.astype(np.float64)
    assert found.mean == pytest.approx(exact.mean(), rel=1e-12, abs=1e-9)
    assert found.std == pytest.approx(exact.std(ddof=1), rel=1e-6)
    assert (found.low, found.high) == (exact.min(), exact.max())


def test_summary_of_a_large_world_looks_at_evenly_spaced_observations() -> None:
    found = world(np.arange(50_000, dtype=np.float64)[:, None]).summary
    assert (found.low, found.high) == (0, 49_999)
    assert found.mean == pytest.approx(24_999.5, rel=1e-3)


def test_factors_must_fit() -> None:
    with pytest.raises(InputError, match=r"its factors have shape \(4, 1\), expected \(3, 1\)"):
        World("bad", Dense(torch.eye(3)), np.zeros((4, 1)), ("a",), ("categorical",))
    with pytest.raises(
        InputError, match="it has 1 factor names and 0 factor kinds, expected as many of each"
    ):
        World("bad", Dense(torch.eye(3)), np.zeros((3, 1)), ("a",))
    for said, factors, names, kinds in (
        (
            "its factors are ndarray of <U1, expected an array of numbers",
            np.array([["x"]] * 3),
            "a",
            ["categorical"],
        ),
        ("its factors are list of int64, expected an array", [[1]] * 3, "a", ["categorical"]),
        ("its factor kinds are 'cat', expected categorical or continuous", np.zeros((3, 1)), "a", ["cat"]),
        ("two of its factors have one name: a, a", np.zeros((3, 2)), "aa", ["categorical"] * 2),
    ):
        with pytest.raises(InputError, match=said):
            World("bad", Dense(torch.eye(3)), factors, tuple(names), tuple(kinds))  # type: ignore[arg-type]
    with pytest.raises(
        InputError, match=r"its data are Tensor, expected a storage.*; its factor kinds are 'cat'"
    ):
        World("bad", torch.eye(3), np.zeros((3, 1)), ("a",), ("cat",))  # type: ignore[arg-type]
