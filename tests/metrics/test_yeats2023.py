"""What sets the yeats2023 protocol apart from the usual definitions."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import grid, small_world, standardised

from prismae import metrics
from prismae.errors import InputError
from prismae.evaluation import evaluate_codes

FACTORS = small_world()
IDEAL = standardised(FACTORS)
KINDS = ("categorical", "continuous", "continuous")


def test_mig_depends_on_the_relative_scale_of_the_codes():
    unequal = IDEAL * np.float32([10.0, 0.1, 0.1])
    assert metrics.mig(unequal, FACTORS) == pytest.approx(metrics.mig(IDEAL, FACTORS))
    assert metrics.mig_yeats2023(unequal, FACTORS) < 0.7 < metrics.mig_yeats2023(IDEAL, FACTORS)


def test_mig_bins_run_from_below_the_least_to_above_the_greatest_value_of_all_codes():
    # Edges at -0.05, 0.3167, 0.6833, 1.05: 0 and 0.2 share a bin, 0.4 has its own.
    factors = np.repeat(np.arange(3), 20)[:, None]
    codes = np.column_stack([np.array([0.0, 0.2, 0.4])[factors[:, 0]], np.tile([0.0, 1.0], 30)])
    seen = np.log(3) - 2 / 3 * np.log(2)
    assert metrics.mig_yeats2023(codes, factors, bins=3) == pytest.approx(seen / np.log(3))


def test_fac_drops_codes_by_variance():
    codes = IDEAL * np.float32([1.0, 0.2, 0.2])  # variance 0.04, standard deviation 0.2
    assert metrics.factor_vae_score(codes, FACTORS).active.tolist() == [True, True, True]
    assert metrics.fac_yeats2023(codes, FACTORS).active.tolist() == [True, False, False]


def test_factors_of_one_value_are_left_out():
    with_colour = np.column_stack([np.zeros(len(FACTORS), dtype=int), FACTORS])
    for metric in (metrics.mig_yeats2023, metrics.fac_yeats2023, metrics.dci_yeats2023):
        assert float(metric(IDEAL, with_colour)) == float(metric(IDEAL, FACTORS))


def test_dci_counts_the_constant_colour():
    # Four equal columns of weight 1, one spread evenly over three codes: each code holds 1 and 1/3 of 4/3.
    share = np.array([0.75, 0.25])
    expected = 1 + np.sum(share * np.log(share)) / np.log(4)
    assert metrics.dci_yeats2023(IDEAL, FACTORS) == pytest.approx(expected, abs=1e-6)
    assert metrics.dci_yeats2023(IDEAL, FACTORS, constant_factor=False) == pytest.approx(1.0)


def test_sap_is_taken_per_code_and_larger_is_worse():
    rng = np.random.default_rng(0)
    codes = IDEAL + 0.5 * rng.normal(size=IDEAL.shape)
    r2 = metrics.sap_continuous(codes, FACTORS).matrix
    expected = np.mean(1 - r2[:, 1:].max(axis=1))
    found = metrics.sap_yeats2023(codes, FACTORS, factor_kinds=KINDS, test=(codes, FACTORS))
    assert found == pytest.approx(expected)
    noise = metrics.sap_yeats2023(rng.normal(size=codes.shape), FACTORS, factor_kinds=KINDS)
    assert noise > 0.99 > expected


def test_sap_refuses_factors_of_which_none_counts():
    with pytest.raises(InputError, match="No factor is continuous"):
        metrics.sap_yeats2023(IDEAL, FACTORS)


def test_sap_without_a_constant_factor_is_the_gap_between_continuous_factors_or_zero():
    r2 = metrics.sap_continuous(IDEAL[:, :2], FACTORS[:, :2]).matrix
    kinds = ("categorical", "continuous")
    given = IDEAL[:, :2], FACTORS[:, :2]
    found = metrics.sap_yeats2023(*given, factor_kinds=kinds, constant_factor=False, test=given)
    assert found == pytest.approx(np.mean(r2[:, 1]))


def test_beamsynthesis_numbers_run_on_its_grid():
    factors = grid((3, 120))
    scores = evaluate_codes(
        standardised(factors), factors, factor_kinds=KINDS[:2], protocol="yeats2023", bootstrap=5
    )
    assert scores["fac"].score == 1.0
    assert scores["sap"].score == pytest.approx(0.5, abs=0.01)
