"""Correlated worlds and held-out combinations: the sizes and correlations of the literature."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import prismae as pr
from prismae.data import COMPOSITIONS, World, correlated, held_out
from prismae.data.shifts import Composition, correlation_weights
from prismae.data.storage import Dense
from prismae.data.worlds import dsprites, mpi3d, rooms3d
from prismae.errors import InputError
from prismae.metrics import factor_r2
from prismae.runs.observations import unseen


def grid(name: str, names: tuple[str, ...], sizes: tuple[int, ...]) -> World:
    factors = np.indices(sizes, dtype=np.int32).reshape(len(sizes), -1).T.copy()
    return World(name, Dense(torch.zeros(len(factors), 1)), factors, names, ("continuous",) * len(sizes))


@pytest.mark.parametrize(
    ("sizes", "sigma", "r", "nats"),
    [
        ((10, 10), 0.04, 0.9978, 2.124),
        ((10, 10), 0.1, 0.9507, 1.0841),
        ((10, 10), 0.2, 0.8100, 0.5036),
        ((10, 10), 0.4, 0.4575, 0.1150),
        ((8, 15), 0.1, 0.9498, 1.0784),
        ((32, 32), 0.1, 0.9419, 1.0163),
        ((32, 32), 0.4, 0.4158, 0.0933),
        ((3, 6), 0.04, 0.9991, 0.8385),
    ],
)
def test_a_pair_is_as_correlated_as_in_the_literature(
    sizes: tuple[int, int], sigma: float, r: float, nats: float
) -> None:
    world = grid("a", ("a", "b"), sizes)
    p = correlation_weights(world, {("a", "b"): sigma})
    p = p / p.sum()
    a, b = world.factors.T.astype(float)  # type: ignore[union-attr]
    spread = [np.sqrt(p @ each**2 - (p @ each) ** 2) for each in (a, b)]
    assert (p @ (a * b) - (p @ a) * (p @ b)) / np.prod(spread) == pytest.approx(r, abs=5e-5)
    joint = p.reshape(sizes)
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    assert np.sum(joint * np.log(joint / independent)) == pytest.approx(nats, abs=6e-4)


def test_correlated_observations_are_drawn_by_their_weights() -> None:
    world = grid("a", ("a", "b", "c"), (10, 10, 3))
    made = correlated(world, {("a", "b"): 0.1}, n=20_000)
    assert len(made) == len(made.data) == 20_000
    found = np.corrcoef(made.factors.T)  # type: ignore[union-attr]
    assert found[0, 1] == pytest.approx(0.9507, abs=0.005)
    assert abs(found[0, 2]) < 0.03
    np.testing.assert_array_equal(world.factors[made.called], made.factors)  # type: ignore[index]
    assert made.source.endswith("correlated: a with b (0.1)")
    again = correlated(world, {("a", "b"): 0.1}, n=20_000)
    np.testing.assert_array_equal(again.called, made.called)
    ends = np.bincount(made.factors[:, 0])[[0, 9]].mean() / 2_000  # type: ignore[index]
    assert ends == pytest.approx(0.77, abs=0.05)


ROOMS = grid("shapes3d", rooms3d.NAMES, rooms3d.SIZES)
SPRITES = grid("dsprites", dsprites.NAMES, (3, 6, 40, 32, 32))
ROBOT = grid("mpi3d:real", mpi3d.NAMES, mpi3d.SIZES["real"])


@pytest.mark.parametrize(
    ("world", "rule", "held", "unused"),
    [
        (ROOMS, "extrapolation", 240_000, 0),
        (ROOMS, "to-range-hues", 28_800, 0),
        (ROOMS, "to-range-shape", 60_000, 0),
        (ROOMS, "to-element", 72, 0),
        (SPRITES, "extrapolation", 368_640, 0),
        (SPRITES, "to-range", 122_880, 0),
        (SPRITES, "to-element", 5_808, 0),
        (ROBOT, "extrapolation-place", 492_480, 25_920),
        (ROBOT, "extrapolation-color", 345_600, 0),
        (ROBOT, "to-range", 86_400, 0),
        (ROBOT, "to-element", 16, 0),
    ],
    ids=lambda each: each.name if isinstance(each, World) else str(each),
)
def test_held_out_combinations_have_the_literature_s_sizes(
    world: World, rule: str, held: int, unused: int
) -> None:
    train, test = held_out(world, rule)
    assert len(test) == held
    assert len(train) == len(world) - held - unused
    assert not set(train.called[:: len(train) // 50]) & set(test.called)


def test_a_rule_of_one_s_own_and_its_reading_beyond_what_was_seen() -> None:
    world = grid("own", ("a", "b"), (6, 5))
    train, test = held_out(world, {"a": (4, 5), "b": (0, 1)})
    assert len(test) == 4
    assert train.factors is not None
    assert test.factors is not None
    assert factor_r2(train.factors, train.factors, test=(test.factors, test.factors)).score == pytest.approx(
        1
    )
    assert len(held_out(world, Composition({"a": (5,)}, {"a": (4,)}))[0]) == 20


def test_what_is_wrong_is_said() -> None:
    world = grid("own", ("a", "b"), (6, 5))
    with pytest.raises(InputError, match="Unknown factor of own 'c'"):
        held_out(world, {"c": (1,)})
    with pytest.raises(InputError, match="Unknown composition of own 'extrapolation'"):
        held_out(world, "extrapolation")
    with pytest.raises(InputError, match="0 observations would be held out and 30 kept"):
        held_out(world, {"a": (9,)})
    with pytest.raises(InputError, match="deviation above 0"):
        correlated(world, {("a", "b"): 0.0})
    assert set(COMPOSITIONS) >= {"shapes3d", "dsprites", "mpi3d"}


def test_a_name_asks_for_correlated_factors_and_is_tried_on_the_world_itself() -> None:
    whole = pr.world("pulses")
    made = pr.world("pulses:correlated=frequency~duty_cycle~0.1")
    same = correlated(whole, {("frequency", "duty_cycle"): 0.1})
    np.testing.assert_array_equal(made.factors, same.factors)
    assert made.name == "pulses:correlated=frequency~duty_cycle~0.1"
    trial = unseen({"world": made.name})
    assert trial is not None
    np.testing.assert_array_equal(trial.factors, whole.factors)
    assert unseen({"world": "pulses"}) is None


def test_a_name_asks_for_a_composition_and_is_tried_on_what_was_kept_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule = Composition({"frequency": (0, 1)})
    monkeypatch.setitem(COMPOSITIONS, "pulses", {"to-low": rule})  # type: ignore[arg-type]
    kept, held = held_out(pr.world("pulses"), rule)
    np.testing.assert_array_equal(pr.world("pulses:to-low").called, kept.called)
    trial = unseen({"world": "pulses:to-low"})
    assert trial is not None
    assert trial.name == "pulses:unseen=to-low"
    np.testing.assert_array_equal(trial.called, held.called)


def test_a_name_asks_for_fewer_observations_and_smaller_images() -> None:
    whole, made = pr.world("digits"), pr.world("digits:side=4:n=100")
    rows = torch.from_numpy(made.called)
    by_hand = whole.data[rows].reshape(100, 1, 4, 2, 4, 2).mean((3, 5))
    torch.testing.assert_close(made.data[torch.arange(100)], by_hand)
    np.testing.assert_array_equal(made.factors, whole.factors[made.called])  # type: ignore[index]
    assert made.shape == (1, 4, 4)
    assert made.source.endswith("averaged to 4 pixels, 100 of 1,797")
    assert len(set(made.called)) == 100


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits:to-range", "has no splits, got 'to-range': expected the name of a composition, unseen="),
        ("digits:side=5", "should divide theirs, got 5"),
        ("pulses:side=10", "a side can be given to images"),
        ("digits:n=few", "n should be a whole number, got 'n=few'"),
        ("digits:n=5000", "has 1797 observations: n should be 2 to that, got 5000"),
        ("digits:m=5", "has no part 'm=5': expected the name of"),
        ("pulses:correlated=frequency~0.1", "expected correlated=FACTOR~FACTOR~σ"),
        ("pulses:correlated=frequency~duty~0.1", "Unknown factor of pulses 'duty'"),
        ("pulses:unseen=to-low", "Unknown composition of pulses 'to-low'"),
    ],
)
def test_a_part_of_a_name_that_is_wrong_is_said(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pr.world(name)
