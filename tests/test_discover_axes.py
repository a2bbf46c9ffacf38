"""Axes of factors: columns that go alone, latents that a prior made Gaussian, and how many components are kept."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm, ortho_group

import prismae as pr
from prismae.discovery import axes
from prismae.discovery.alone import alone
from prismae.discovery.result import Discovery, Factor
from prismae.evaluation.baselines import principal

RNG = np.random.default_rng(3)
N = 1200
FACTORS = RNG.uniform(-1, 1, (N, 2))
NOISE = RNG.normal(size=(N, 2))


def best(codes, factors):
    """[k] the largest |r| of each factor with a code."""
    k = codes.shape[1]
    return np.abs(np.corrcoef(codes.T, factors.T)[:k, k:]).max(0)


def bent(factors):
    """Four columns of each factor that it alone makes, of deviation 1."""
    x = np.concatenate([np.stack([a, np.exp(a), np.sin(2 * a), a**2 + a], 1) for a in factors.T], 1)
    return x / x.std(0) + 0.1 * np.random.default_rng(0).normal(size=x.shape)


def test_columns_of_noise_go_alone_and_one_that_is_a_square_of_another_does_not():
    x = np.concatenate([FACTORS, FACTORS[:, :1] ** 2, FACTORS[:, 1:] ** 2, NOISE], 1)
    assert alone(x[:400], pr.world(x).kind) == [(4,), (5,)]
    assert alone(np.concatenate([FACTORS, NOISE], 1)[:400], pr.world(NOISE).kind) == [(0,), (1,), (2,), (3,)]
    two = RNG.normal(size=(400, 2))
    assert alone(two, pr.world(two).kind) == [(0,), (1,)]


def test_of_columns_that_are_constant_none_goes_alone():
    """As where each of them stands out in a row that is held out."""
    kind = pr.world(NOISE).kind
    assert alone(np.ones((30, 2)), kind) == []
    assert alone(np.column_stack([np.ones(30), NOISE[:30, 0]]), kind) == [(1,)]


def test_columns_of_a_category_tell_of_each_other_and_of_numbers():
    kinds = RNG.integers(3, size=400)
    table = pd.DataFrame(
        {"size": kinds + 0.1 * NOISE[:400, 0], "noise": NOISE[:400, 1], "kind": np.array(list("abc"))[kinds]}
    )
    world = pr.world(table)
    assert alone(world.data[torch.arange(400)].numpy(), world.kind) == [(1,)]


def test_columns_that_go_together_over_powers_of_ten_do_not_go_alone():
    """As weights of bodies and brains do, of which two elephants have nearly all of the variance."""
    rng = np.random.default_rng(1)
    size = rng.normal(size=83)
    x = np.exp(8 * np.column_stack([size, 0.8 * size + 0.2 * rng.normal(size=83)]))
    x = np.column_stack([x / x.std(0), rng.normal(size=83)])
    assert alone(x, pr.world(x).kind) == [(2,)]


def test_a_category_goes_alone_as_a_whole():
    """Its values tell of each other, whatever it is: of three, two tell all of the third."""
    kinds, others = RNG.integers(3, size=400), RNG.integers(2, size=400)
    letters = np.array(list("abc"))
    table = pd.DataFrame({"kind": letters[kinds], "other": letters[others]})
    world = pr.world(table)
    assert alone(world.data[torch.arange(400)].numpy(), world.kind) == [(0, 1, 2), (3, 4)]
    world = pr.world(table.assign(size=others + 0.1 * NOISE[:400, 0], noise=NOISE[:400, 1]))
    assert alone(world.data[torch.arange(400)].numpy(), world.kind) == [(1,), (2, 3, 4)]


def test_latents_that_hold_a_category_of_noise_have_it_apart():
    """Its values leave one of them nothing to say, so that two latents hold three."""
    value = RNG.integers(3, size=400)
    x = np.column_stack([FACTORS[:400], np.eye(3)[value]])
    codes = np.column_stack([FACTORS[:400], np.eye(3)[value] @ RNG.normal(size=(3, 2))]) @ RNG.normal(
        size=(4, 4)
    )
    directions, apart = axes.held(codes, x, [2, 3, 4])
    assert apart == 2
    np.testing.assert_allclose(directions.T @ directions, np.eye(4), atol=1e-9)
    found = axes.turned(codes, np.ones(4), x, [2, 3, 4]).codes(codes)
    assert axes.correlations(found[:, 2:], x[:, :2]).max() < 0.15
    assert axes.correlations(found[:, :2], x[:, 2:]).max() < 0.15


def test_a_column_that_varies_in_none_of_the_rows_is_a_component_by_itself():
    x = np.concatenate([FACTORS[:400], np.zeros((400, 1))], 1)
    start = principal(np.concatenate([x, [[0.0, 0.0, 90.0]]]), 3)
    found = axes.independent_of(x, start)
    assert np.isfinite(found.into).all()
    np.testing.assert_allclose(found.decoded(found.codes(x)), x, atol=1e-6)
    assert best(found.codes(x)[:, :2], FACTORS[:400]).min() > 0.99


@pytest.mark.parametrize("gaussian", [0, 1, 2, 4])
def test_components_as_near_to_gaussian_as_chance_have_no_axes(gaussian):
    rng = np.random.default_rng(1)
    z = np.concatenate([rng.uniform(size=(400, 4 - gaussian)), rng.normal(size=(400, gaussian))], 1)
    x = z @ rng.normal(size=(4, 6))
    codes = axes.independent_of(x, principal(x, 4)).codes(x)
    adrift = axes.adrift(codes)
    assert adrift.sum() == (gaussian if gaussian > 1 else 0)  # one by itself is known from the others
    if gaussian == 2:
        np.testing.assert_array_equal(adrift, best(z[:, 2:], codes) > 0.5)


def test_halves_that_agree_by_chance_take_no_component_away():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(400, 3)) @ np.diag([3.0, 2.0, 1.0]) @ ortho_group.rvs(6, random_state=seed)[:3]
        first = principal(x, 3)
        assert axes.steady(first, x).into.shape[1] == 3


def test_images_have_no_columns():
    world = pr.world(RNG.uniform(size=(50, 1, 4, 4)))
    assert alone(RNG.normal(size=(50, 16)), world.kind) == []


def test_latents_that_a_prior_made_gaussian_take_the_axes_of_the_data():
    own, turned = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        factors = rng.uniform(-1, 1, (N, 2))
        latents = norm.ppf((factors + 1) / 2 * 0.998 + 0.001)  # what N(0, I) makes of uniform factors
        codes = latents @ ortho_group.rvs(2, random_state=seed) + 0.05 * rng.normal(size=(N, 2))
        own.append(best(axes.independent_of(codes, principal(codes, 2)).codes(codes), latents).min())
        found = axes.turned(codes, np.ones(2), bent(factors), []).codes(codes)
        np.testing.assert_allclose(found.std(0), 1, atol=1e-6)
        turned.append(best(found, latents).min())
    assert min(own) < 0.9
    assert min(turned) > 0.98


def test_latents_that_are_far_from_gaussian_keep_their_own_axes():
    sharp = np.sign(FACTORS) + 0.1 * FACTORS
    codes = sharp @ ortho_group.rvs(2, random_state=1)
    elsewhere = FACTORS @ ortho_group.rvs(2, random_state=2) + 0.3 * NOISE
    assert best(axes.turned(codes, np.ones(2), elsewhere, []).codes(codes), sharp).min() > 0.99


def test_latents_that_hold_columns_of_noise_have_these_apart():
    x = np.concatenate([bent(FACTORS), NOISE], 1)
    codes = np.concatenate([FACTORS * 3**0.5, NOISE], 1) @ ortho_group.rvs(4, random_state=1)
    turned = axes.turned(codes, np.ones(4), x, [8, 9])
    found = turned.codes(codes)
    assert axes.held(codes, x, [8, 9])[1] == 2
    assert best(found[:, :2], FACTORS).min() > 0.99
    assert best(found[:, 2:], NOISE).min() > 0.99
    np.testing.assert_allclose(turned.decoded(found), codes, atol=1e-6)
    assert axes.others(found, x, [8, 9]).shape == (N, 2)
    assert axes.others(found, x, []).shape == (N, 4)


def test_latents_that_tell_about_as_much_are_turned_together():
    together = [each.tolist() for each in axes.groups(np.array([0.5, 3.0, 1.5, 1.4, 0.2, 0.7]))]
    assert together == [[1, 2], [3, 5], [0], [4]]
    assert [each.tolist() for each in axes.groups(np.ones(3))] == [[0, 1, 2]]


def test_a_latent_of_few_nats_does_not_spoil_those_that_it_stands_beside():
    """One that tells a little: the sign of both factors' sum, as a category of a table says it."""
    sign = np.sign(FACTORS.sum(1, keepdims=True)) + 0.3 * NOISE[:, :1]
    codes, x = np.concatenate([FACTORS + 0.05 * NOISE, sign], 1), bent(FACTORS)
    apart = axes.turned(codes, np.array([3.0, 2.5, 0.6]), x, [])
    assert best(apart.codes(codes), FACTORS).min() > 0.99
    assert best(axes.turned(codes, np.ones(3), x, []).codes(codes), FACTORS).max() < 0.9  # all together
    np.testing.assert_allclose(apart.decoded(apart.codes(codes)), codes, atol=1e-6)


def test_what_bends_the_data_a_little_is_no_further_component():
    x = bent(FACTORS)
    assert axes.steady(principal(x, 3), x).into.shape[1] == 2
    linear = RNG.uniform(-1, 1, (N, 4)) @ RNG.normal(size=(4, 8))
    assert axes.steady(principal(linear, 4), linear).into.shape[1] == 4


def test_a_component_has_to_explain_two_percent():
    x = RNG.normal(size=(N, 3)) * np.sqrt([0.7, 0.285, 0.015])
    assert axes.fewest(principal(x, 3), x).into.shape[1] == 2


def test_a_component_that_is_a_function_of_others_is_none():
    noise = 0.05 * NOISE[:, :1]
    x = np.concatenate([FACTORS * [3, 2], FACTORS[:, :1] ** 2, FACTORS[:, 1:] ** 3, noise], 1)
    assert axes.fewest(principal(x, 5), x).into.shape[1] == 2


def test_factors_that_are_components_are_told_from_others():
    x = FACTORS @ RNG.normal(size=(2, 6))
    assert axes.likeness(FACTORS, x) > 0.99
    assert axes.likeness(np.stack([FACTORS.sum(1), FACTORS[:, 0] - FACTORS[:, 1]], 1), x) < 0.8
    assert axes.likeness(RNG.normal(size=(N, 3)), x) == 0.0  # two there are


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([""], "1 factor"),
        (["", "", "a"], "2 factors, and a column that goes with no other: a"),
        (["", "b", "a"], "1 factor, and 2 columns that go with no other: b, a"),
    ],
)
def test_factors_are_counted_without_columns_that_go_alone(columns, said, tmp_path):
    factors = [Factor(f"f{i}", 0.1, 1.0, [], column) for i, column in enumerate(columns)]
    none = axes.plain(NOISE)
    found = Discovery(tmp_path, "ica", "", factors, tmp_path, [], none, np.zeros(0), [])
    assert found.count == said
    assert replace(found, factors=[]).count == "0 factors"


def test_independent_components_are_the_farthest_from_gaussian_of_all_rotations():
    """By brute force over angles, where one component is all but Gaussian."""
    rng = np.random.default_rng(3)
    codes = np.stack([rng.uniform(-1, 1, 800), rng.normal(size=800)], 1) @ rng.normal(size=(2, 2))
    found = axes.independent_of(codes, principal(codes, 2)).codes(codes)
    white = np.linalg.qr(codes - codes.mean(0))[0] * len(codes) ** 0.5
    angles = np.linspace(0, np.pi / 2, 2_000)
    turns = np.stack([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    most = max(axes.contrast(white @ turn) for turn in turns.transpose(2, 0, 1))
    assert axes.contrast(found) == pytest.approx(most, rel=1e-3)
    np.testing.assert_allclose(found.T @ found / len(found), np.eye(2), atol=1e-8)


def test_gaussian_latents_have_no_axes_of_their_own_and_uniform_ones_have():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert axes.determined(rng.uniform(-1, 1, (1500, 3)) @ turn) > 0.95
    assert axes.determined(rng.normal(size=(1500, 3))) < 0.9


def test_latents_that_span_another_space_keep_their_own_components():
    """Uniform factors of latents, and data of which other things, far from Gaussian, are the components."""
    rng = np.random.default_rng(1)
    factors, other = rng.uniform(-1, 1, (1500, 2)), rng.exponential(size=(1500, 2)) ** 2
    codes = factors @ np.linalg.qr(rng.normal(size=(2, 2)))[0]
    apart = axes.turned(codes, np.ones(2), other @ rng.normal(size=(2, 5)), []).codes(codes)
    assert np.abs(np.corrcoef(apart.T, factors.T)[:2, 2:]).max(1).min() > 0.99


@pytest.mark.parametrize("factors", [0, 1, 2, 4])
def test_components_above_noise_are_as_many_as_factors(factors):
    rng = np.random.default_rng(factors)
    u = rng.uniform(-1, 1, (600, factors))
    counts = rng.poisson(np.exp(0.8 * u @ rng.normal(size=(factors, 12))))
    assert axes.above_noise(counts) == factors
