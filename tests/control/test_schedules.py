from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prismae.control import Cyclical, Ramp
from prismae.control._shapes import rise, stairs

SHAPES = ["linear", "cosine", "sigmoid"]


def course(controller, steps, weight=2.0):
    """The moved weight at each of `steps` steps."""
    start, state = controller.init({"kl": weight})
    values = [start["kl"].item()]
    for t in range(steps - 1):
        moved, state = controller.step(state, {}, t, None)
        values.append(moved["kl"].item())
    return values


@pytest.mark.parametrize("shape", SHAPES)
@settings(deadline=None, max_examples=30)
@given(x=st.floats(0, 1))
def test_a_rise_goes_from_0_to_1_and_is_symmetric(shape, x):
    assert rise(-1, shape) == rise(0, shape) == pytest.approx(0)
    assert rise(2, shape) == rise(1, shape) == pytest.approx(1)
    assert 0 <= rise(x, shape) <= 1
    assert rise(x, shape) + rise(1 - x, shape) == pytest.approx(1)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_ramp_waits_rises_to_the_method_s_own_weight_and_stays(shape):
    values = course(Ramp("kl", steps=10, delay=5, shape=shape), 30)
    assert values[:6] == pytest.approx([0.0] * 6)
    assert all(a < b for a, b in pairwise(values[5:16]))
    assert values[10] == pytest.approx(1.0)
    assert values[15:] == pytest.approx([2.0] * 15)


def test_a_ramp_may_fall():
    assert course(Ramp("kl", steps=4, start=4.0, end=0.0), 6) == pytest.approx([4, 3, 2, 1, 0, 0])


def test_cycles_rise_over_their_first_part_and_end_at_the_weight():
    values = course(Cyclical("kl", period=8, cycles=2), 20)
    cycle = [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0]
    assert values == pytest.approx([*cycle, *cycle, 2.0, 2.0, 2.0, 2.0])


def test_one_flat_cycle_is_a_constant():
    assert course(Cyclical("kl", period=5, cycles=1, ramp=0.0), 12) == [2.0] * 12


def test_stairs_of_controlvae_and_of_dynamicvae():
    control = [stairs(t, 0.5, 0.9, 0.15, 10, 0) for t in (0, 9, 10, 20, 30, 99)]
    assert control == pytest.approx([0.5, 0.5, 0.65, 0.8, 0.9, 0.9])
    dynamic = [stairs(t, 0.5, 2.0, 0.5, 10, 4) for t in (9, 10, 12, 14, 19, 22, 99)]
    assert dynamic == pytest.approx([0.5, 0.5, 0.75, 1.0, 1.0, 1.25, 2.0])
