"""Exact values from the definitions, on matrices and on small tables."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import grid, small_world, standardised
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from prismae import metrics
from prismae.errors import InputError
from prismae.metrics._votes import group_rows, majority_accuracy
from prismae.metrics.disentanglement.dci import completeness, disentanglement
from prismae.metrics.disentanglement.explicitness import area_under_curve
from prismae.metrics.disentanglement.modularity import modularity_of

FACTORS = small_world()
IDEAL = standardised(FACTORS)
RNG = np.random.default_rng(0)


def test_dci_of_a_diagonal():
    assert disentanglement(np.eye(10)) == pytest.approx(1.0)
    assert completeness(np.eye(10)) == pytest.approx(1.0)


def test_dci_of_zeros():
    assert disentanglement(np.zeros((10, 10))) == 0.0
    assert completeness(np.zeros((10, 10))) == 0.0


def test_dci_of_duplicated_codes():
    importance = np.vstack([np.eye(5), np.eye(5)])
    assert disentanglement(importance) == pytest.approx(1.0)
    assert completeness(importance) == pytest.approx(1 - np.log(2) / np.log(10))


def test_dci_of_one_code_for_two_factors():
    importance = np.hstack([np.eye(5), np.eye(5)])
    assert disentanglement(importance) == pytest.approx(1 - np.log(2) / np.log(10))


def test_dci_goes_on_after_a_dead_code():
    importance = np.vstack([np.zeros(3), np.eye(3)])
    assert disentanglement(importance) == pytest.approx(1.0)


def test_modularity_of_matrices():
    assert modularity_of(np.eye(3)) == pytest.approx(1.0)
    assert modularity_of(np.diag([1.0, 1.0, 0.0])) == pytest.approx(2 / 3)
    # One code of nine with two factors of nine.
    assert modularity_of(np.array([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])) == pytest.approx(1 - 1 / 9)


def test_gaussian_total_correlation_in_closed_form():
    z = RNG.normal(size=(2_000, 2))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T  # covariance exactly 1
    z = z @ np.linalg.cholesky([[1, 0.9], [0.9, 1]]).T
    assert metrics.gaussian_total_correlation(z) == pytest.approx(-np.log(0.19) / 2)


def test_gaussian_wasserstein_correlation_in_closed_form():
    z = np.column_stack([IDEAL[:, 0], IDEAL[:, 0]])  # covariance of ones: eigenvalues 2 and 0
    expected = (4 - 2 * np.sqrt(2)) / 2
    assert metrics.gaussian_wasserstein_correlation(z) == pytest.approx(expected, abs=1e-6)


def test_mig_of_a_noisy_channel_falls_from_1_to_0():
    scores = [metrics.mig(IDEAL, FACTORS, channel=sigma) for sigma in (0.0, 0.3, 1.0, 30.0)]
    assert scores[0] == pytest.approx(1.0)
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == pytest.approx(0.0, abs=0.02)
    with pytest.raises(InputError, match=r"mig: channel should be .* to 0, got -1"):
        metrics.mig(IDEAL, FACTORS, channel=-1.0)


def test_mig_sees_no_code_that_speaks_of_two_factors_but_mig_sup_does():
    both = (FACTORS[:, 0] * 4 + FACTORS[:, 1]).astype(float)
    codes = np.column_stack([both, FACTORS[:, 2], np.zeros(len(both))])
    assert metrics.mig(codes, FACTORS, bins=60) == pytest.approx(1.0)
    assert metrics.mig_sup(codes, FACTORS, bins=60) == pytest.approx(0.5)
    # Of the three factors two are told by the same code, which cannot say which one it means.
    expected = np.log(5) / np.log(60)
    assert metrics.dci_mig(codes, FACTORS, bins=60) == pytest.approx(
        expected + (np.log(4) - np.log(3)) / np.log(60)
    )


def test_jemmig_of_constant_codes():
    entropies = np.log([3, 4, 5])
    expected = np.mean(np.log(20) / (entropies + np.log(20)))
    assert metrics.jemmig(np.zeros((len(FACTORS), 2)), FACTORS) == pytest.approx(expected)


def test_rmig_of_posteriors_as_wide_as_the_prior_is_zero():
    assert metrics.rmig(IDEAL, FACTORS) == pytest.approx(1.0)
    sure = metrics.rmig(IDEAL, FACTORS, stds=np.full(IDEAL.shape, 1e-6))
    assert sure == pytest.approx(1.0)
    assert metrics.rmig(0 * IDEAL, FACTORS, stds=np.ones(IDEAL.shape)) == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(InputError, match="0 or more"):
        metrics.rmig(IDEAL, FACTORS, stds=-np.ones(IDEAL.shape))


def test_irs_by_hand():
    # Held at v_0, code 0 is still and code 1 moves by 1 of at most 1.
    factors = np.repeat(grid((2, 2)), 10, axis=0)
    codes = 2.0 * factors - 1
    np.testing.assert_allclose(metrics.irs(codes, factors).matrix, np.eye(2), atol=1e-12)
    assert metrics.irs(np.c_[codes, np.zeros(40)], factors).score == pytest.approx(1.0)


def test_active_units_counts():
    assert metrics.active_units(np.c_[IDEAL, 0.05 * IDEAL]) == 3.0


def test_area_under_curve_against_scikit_learn():
    labels = RNG.integers(4, size=300)
    scores = np.round(RNG.normal(size=(300, 4)) + np.eye(4)[labels], 1)
    expected = np.mean([roc_auc_score(labels == c, scores[:, c]) for c in range(4)])
    assert area_under_curve(scores, labels) == pytest.approx(expected)


def test_groups_hold_rows_of_one_value_and_draw_only_those():
    labels = np.array([2, 0, 2, 1, 0, 2, -1])
    groups = group_rows(labels, "a value")
    assert sorted(groups.order.tolist()) == [0, 1, 2, 4, 5]  # the only 1 and the unknown are left out
    rows = groups.draw(200, 8, np.random.default_rng(0))
    assert (labels[rows] == labels[rows[:, :1]]).all()
    assert np.mean(labels[rows[:, 0]] == 2) == pytest.approx(3 / 5, abs=0.1)


def test_majority_accuracy():
    train = np.array([[5, 0, 0], [2, 3, 0]])
    votes = np.array([[6, 1, 1], [1, 1, 0]])
    assert majority_accuracy(train, votes) == pytest.approx((6 + 1 + 1) / 10)


def test_udr_of_permuted_and_flipped_codes_is_one_and_of_noise_is_low():
    noise = RNG.normal(size=IDEAL.shape)
    same = metrics.udr_spearman([IDEAL, -IDEAL[:, [2, 0, 1]], IDEAL])
    np.testing.assert_allclose(same.runs, 1.0, atol=1e-6)
    mixed = metrics.udr_spearman([IDEAL, IDEAL, noise, noise[:, ::-1]])
    expected = np.abs(spearmanr(IDEAL, noise).statistic[:3, 3:])
    parts = [np.mean(each.max(axis=0) ** 2 / each.sum(axis=0)) for each in (expected, expected.T)]
    assert mixed.agreement[0, 2] == pytest.approx(np.mean(parts))
    lasso = metrics.udr_lasso([IDEAL, -IDEAL[:, [2, 0, 1]]])
    assert lasso.score == pytest.approx(0.9)  # the penalty of 0.1 takes a tenth of each weight
    silent = metrics.udr_spearman([IDEAL, IDEAL, IDEAL], kl=[[1, 1, 1], [1, 1, 1], [0, 0, 0]])
    assert silent.runs.tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)


def lasso(x, y, alpha):
    """Weights that minimise |y - x w|^2 / 2n + alpha |w|, by proximal gradient steps."""
    x, y = ((each - each.mean(0)) / each.std(0) for each in (x, y))
    w, step = np.zeros(x.shape[1]), len(x) / np.linalg.norm(x, 2) ** 2
    for _ in range(2_000):
        w = w - step * x.T @ (x @ w - y) / len(x)
        w = np.sign(w) * np.maximum(np.abs(w) - step * alpha, 0)
    return np.abs(w)


def test_udr_lasso_of_a_run_is_the_median_over_those_that_predict_it():
    mixing = [np.eye(3), np.linalg.qr(RNG.normal(size=(3, 3)))[0], [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]]
    runs = [IDEAL @ np.array(each) + 0.2 * RNG.normal(size=IDEAL.shape) for each in mixing]
    runs.append(runs[0][:, :2] + runs[1][:, 1:])
    agreement = np.full((4, 4), np.nan)
    for j, a in enumerate(runs):
        for i, b in enumerate(runs):
            if i != j:
                r = np.column_stack([lasso(a, code, 0.1) for code in b.T])  # [codes of j, codes of i]
                parts = [np.mean(each.max(0) ** 2 / each.sum(0)) for each in (r, r.T)]
                agreement[j, i] = np.mean(parts)
    expected = [np.median([agreement[j, i] for j in range(4) if j != i]) for i in range(4)]
    found = metrics.udr_lasso(runs)
    np.testing.assert_allclose(found.agreement, agreement, atol=1e-3)
    np.testing.assert_allclose(found.runs, expected, atol=1e-3)
    assert found.score == found.runs[0]
    other_way = np.nanmedian(agreement, axis=1)
    assert np.abs(other_way - expected).max() > 0.01


def test_sap_mixed_takes_each_factor_by_its_kind():
    kinds = ("categorical", "continuous", "continuous")
    codes = np.c_[IDEAL, 0.5 * IDEAL + RNG.normal(size=IDEAL.shape)]
    mixed = metrics.sap_mixed(codes, FACTORS, factor_kinds=kinds).matrix
    np.testing.assert_array_equal(mixed[:, 0], metrics.sap(codes, FACTORS[:, :1]).matrix[:, 0])
    np.testing.assert_array_equal(mixed[:, 1:], metrics.sap_continuous(codes, FACTORS).matrix[:, 1:])
    with pytest.raises(InputError, match="2 factor kinds"):
        metrics.sap_mixed(codes, FACTORS, factor_kinds=kinds[:2])
    with pytest.raises(InputError, match="Unknown factor kind 'nominal'"):
        metrics.sap_mixed(codes, FACTORS, factor_kinds=("nominal",) * 3)


def test_z_max_variance_needs_rows_that_differ_in_one_factor():
    assert metrics.z_max_variance(IDEAL, FACTORS).score == 1.0
    diagonal = np.repeat(np.arange(20)[:, None], 3, axis=1)
    with pytest.raises(InputError, match="share every factor but factor 0"):
        metrics.z_max_variance(diagonal.astype(float), diagonal)


def test_accuracy_by_number_of_labels():
    found = metrics.logistic_accuracy(IDEAL, FACTORS, labels=(5, 50, 500))
    assert list(found.accuracy) == [5, 50, 500]
    assert found.accuracy[500] > found.accuracy[50] > found.accuracy[5]
    boosted = metrics.boosted_accuracy(IDEAL, FACTORS, labels=(1, 500))
    assert boosted.accuracy[500] == 1.0
    with pytest.raises(InputError, match="900 labels cannot be had from 800 training points"):
        metrics.logistic_accuracy(IDEAL, FACTORS, labels=(900,))


def test_unfairness_of_a_code_that_mixes_two_factors():
    fair = metrics.unfairness(IDEAL, FACTORS)
    assert fair.score < 0.15  # not 0: few test points share a value
    biased = FACTORS.copy()
    biased[:, 1] = np.where(FACTORS[:, 0] == 0, 0, FACTORS[:, 1])
    unfair = metrics.unfairness(standardised(biased), biased)
    assert unfair.matrix[1, 0] > fair.matrix[1, 0] + 0.2


def test_dci_boosters_agree_and_name_themselves():
    few = slice(0, 400)
    ours = metrics.dci(IDEAL[few] + 0.3 * RNG.normal(size=(400, 3)), FACTORS[few])
    assert ours.booster == "compiled"
    theirs = metrics.dci(IDEAL[few], FACTORS[few], booster="sklearn")
    assert theirs.booster == "sklearn"
    np.testing.assert_allclose(theirs.importance, metrics.dci(IDEAL[few], FACTORS[few]).importance, atol=1e-4)
    with pytest.raises(InputError, match="dci: booster should be 'compiled' or 'sklearn'"):
        metrics.dci(IDEAL, FACTORS, booster="sklern")
    with pytest.raises(InputError, match="has 3 scores, choose one: d, c, i"):
        float(ours)


def test_points_kept_for_testing_must_have_the_same_columns():
    with pytest.raises(InputError, match="2 codes and 3 factors, expected 3 and 3"):
        metrics.sap(IDEAL, FACTORS, test=(IDEAL[:, :2], FACTORS))
