"""One factor in two latents: curves that points lie on are found, and what lies on none is left as it is."""

import numpy as np
import pytest

from prismae.discovery.curves import Curve, bent, reordered, rolled, unrolled
from prismae.discovery.described import total_effect
from prismae.evaluation.baselines import Components

N = 800
RNG = np.random.default_rng(5)
PLACE = RNG.uniform(-1, 1, N)
OTHER = RNG.normal(size=N)
NOISE = 0.05 * RNG.normal(size=(N, 2))
HORSESHOE = np.stack([np.clip(3 * PLACE, -1, 1), np.maximum(np.abs(PLACE) - 0.3, 0) * 2], 1) + NOISE
EVEN, NORMAL = RNG.uniform(-1, 1, (N, 2)), RNG.normal(size=(N, 2))
ANGLE = np.pi * PLACE


def own(d):
    """Components that are the columns."""
    return Components(np.zeros(d), np.eye(d), np.eye(d))


def test_a_horseshoe_in_two_latents_is_one_factor_its_place():
    codes = np.stack([HORSESHOE[:, 0], OTHER, HORSESHOE[:, 1]], 1)
    assert abs(np.corrcoef(codes[:, 0], PLACE)[0, 1]) < 0.95
    components, curves = bent(own(3), codes)
    factors = unrolled(components.codes(codes), curves)
    assert [each.first for each in curves] == [1]
    assert factors.shape == (N, 2)
    np.testing.assert_array_equal(factors[:, 0], OTHER)
    assert abs(np.corrcoef(factors[:, 1], PLACE)[0, 1]) > 0.99
    assert (factors[:, 1].mean(), factors[:, 1].std()) == pytest.approx((0, 1), abs=1e-9)
    again = components.decoded(rolled(factors, curves))
    assert np.square(again - codes).mean() < 0.01 * codes.var(0).mean()


@pytest.mark.parametrize(
    "codes",
    [
        EVEN,
        NORMAL,
        RNG.laplace(size=(N, 2)),
        NORMAL @ np.array([[1, 0.9], [0, 0.44]]),
        np.stack([np.sign(PLACE), EVEN[:, 0]], 1) + 0.1 * NORMAL,
        np.sign(EVEN) + 0.1 * NORMAL,
        np.sign(EVEN) * np.sqrt(np.abs(EVEN)),
        np.stack([np.round(2 * PLACE), EVEN[:, 0]], 1),
        np.stack([np.cos(ANGLE), np.sin(ANGLE)], 1) + NOISE,
        np.stack([np.sin(ANGLE), np.sin(2 * ANGLE)], 1) + NOISE,
        np.stack([OTHER, np.zeros(N)], 1),
    ],
    ids=[
        "a square",
        "Gaussian",
        "Laplacian",
        "correlated",
        "a truth value beside a number",
        "two truth values",
        "numbers near both ends",
        "levels beside a number",
        "a ring, which has no ends",
        "an eight, which crosses itself",
        "a constant",
    ],
)
def test_two_factors_stay_two(codes):
    components, curves = bent(own(2), codes)
    assert not curves
    np.testing.assert_array_equal(components.into, np.eye(2))


def test_the_place_is_the_length_along_the_curve_and_goes_on_beyond_its_ends():
    curve = Curve(0, [(0.0, 0.0), (3.0, 0.0), (3.0, 4.0)], 0.0, 1.0)
    codes = np.array([[0.0, 0.0], [1.0, 0.5], [3.5, 2.0], [-2.0, 0.1], [3.0, 6.0]])
    np.testing.assert_allclose(curve.places(codes), [0.0, 1.0, 5.0, -2.0, 9.0])
    np.testing.assert_allclose(
        curve.at(np.array([0.0, 1.0, 5.0, -2.0, 9.0])),
        codes * [1, 1] - [[0, 0], [0, 0.5], [0.5, 0], [0, 0.1], [0, 0]],
    )


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_factors_in_another_order_are_the_same(order):
    codes = np.concatenate([HORSESHOE, OTHER[:, None], np.stack([PLACE[::-1], PLACE[::-1] ** 2], 1)], 1)
    components, curves = bent(own(5), codes)
    before = unrolled(components.codes(codes), curves)
    assert before.shape == (N, 3)
    components, curves = reordered(components, curves, order)
    after = unrolled(components.codes(codes), curves)
    np.testing.assert_array_equal(after, before[:, order])
    again = components.decoded(rolled(after, curves))
    assert np.square(again - codes).mean() < 0.01 * codes.var(0).mean()


@pytest.mark.parametrize(
    ("seen", "shares"),
    [
        (lambda z: z * [2.0, 1.0], [0.8, 0.2]),
        (lambda z: z[:, :1] * z[:, 1:], [1.0, 1.0]),  # each of two factors that act together takes it all
        (lambda z: np.exp(-np.square(z[:, :1] - np.linspace(-2, 2, 20)) / 0.1), [1.0, 0.0]),
    ],
    ids=["added", "multiplied", "the place of a bump"],
)
def test_the_share_of_a_factor_is_its_total_effect(seen, shares):
    factors = RNG.normal(size=(4000, 2))
    found = [total_effect(seen, factors, i) for i in range(2)]
    assert found == pytest.approx(shares, abs=0.05)
    assert max(found) <= 1
    assert total_effect(seen, factors[:40], 0) <= 1  # where chance would have it above
