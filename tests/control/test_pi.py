from math import exp

import pytest
import torch

from prismae.control import PI, IncrementalPI


def run(controller, terms, weight):
    """Weights after each of the given values of the term."""
    _, state = controller.init({"kl": weight})
    values = []
    for t, term in enumerate(terms):
        moved, state = controller.step(state, {"kl": torch.tensor(term)}, t, None)
        values.append(moved["kl"].item())
    return values


def closed_loop(controller, steps, weight, gain=40.0):
    """The term of a plant whose KL is gain / weight, after some steps."""
    _, state = controller.init({"kl": weight})
    value = torch.tensor(weight)
    for t in range(steps):
        moved, state = controller.step(state, {"kl": gain / value}, t, None)
        value = moved["kl"]
    return gain / value.item()


def test_pi_is_the_authors_formula():
    errors = [-2.0, -1.0, 0.5]
    expected, integral = [], 0.0
    for error in errors:
        integral -= 0.1 * error
        expected.append(0.2 / (1 + exp(error)) + integral + 1.0)
    controller = PI("kl", target=5.0, kp=0.2, ki=0.1, low=1.0)
    assert run(controller, [5 - error for error in errors], 1.0) == pytest.approx(expected)


def test_pi_starts_at_the_method_s_own_weight():
    controller = PI("kl", target=5.0, kp=0.0, ki=0.0, low=1.0)
    assert run(controller, [5.0, 9.0], 4.0) == [4.0, 4.0]


@pytest.mark.parametrize(
    ("bounds", "far", "near", "stuck"),
    [({"low": 0.0, "high": 1.0}, 50.0, 4.0, 1.0), ({"low": 1.0}, 0.0, 6.0, 1.0)],
)
def test_pi_does_not_wind_up_at_either_bound(bounds, far, near, stuck):
    # a public defect: an anti-windup test that can never be true, so that the integral runs away at a bound
    controller = PI("kl", target=5.0, kp=0.01, ki=0.1, **bounds)
    values = run(controller, [far] * 500 + [near] * 3, 1.0)
    assert values[499] == pytest.approx(stuck, abs=0.01)
    assert abs(values[-1] - stuck) > 0.15  # leaves the bound at once


def test_pi_s_target_climbs():
    controller = PI(
        "kl", target=1.0, kp=0.0, ki=1.0, low=0.0, target_start=0.5, target_step=0.25, target_every=2
    )
    # with the term at 0 the errors are .5, .5, .75, .75, 1, 1; each lowers the weight
    falls = -torch.tensor([10.0, *run(controller, [0.0] * 6, 10.0)]).diff()
    assert falls.tolist() == pytest.approx([0.5, 0.5, 0.75, 0.75, 1.0, 1.0])


@pytest.mark.parametrize("controller", [PI("kl", 8.0, ki=0.01), IncrementalPI("kl", 8.0, ki=0.01)])
def test_the_loop_closes_at_the_target(controller):
    assert closed_loop(controller, 3000, weight=1.0) == pytest.approx(8.0, abs=0.05)


def test_incremental_pi_is_the_authors_formula():
    terms, target = [1.0, 4.0, 10.0, 7.0], 5.0
    expected, weight, before = [], 20.0, 0.5
    for t in range(4):
        error = target - sum(terms[max(0, t - 1) : t + 1]) / min(t + 1, 2)
        s = 1 / (1 + exp(error))
        weight += 0.3 * (s - before) - 0.1 * error
        before = s
        expected.append(weight)
    assert run(IncrementalPI("kl", target, kp=0.3, ki=0.1, window=2), terms, 20.0) == pytest.approx(expected)


def test_incremental_pi_stays_at_its_floor_and_leaves_it_at_once():
    controller = IncrementalPI("kl", 5.0, kp=0.01, ki=0.1, low=0.1, window=1)
    values = run(controller, [0.0] * 300 + [8.0], 1.0)
    assert values[299] == pytest.approx(0.1)
    assert values[300] > 0.35
