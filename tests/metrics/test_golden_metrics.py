"""Scores against those of the reference definitions on fixed codes: see `tests/golden/README.md`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from prismae import metrics
from prismae.metrics._votes import majority_accuracy
from prismae.metrics.disentanglement.beta_vae_score import pair_score
from prismae.metrics.disentanglement.dci import completeness, disentanglement

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module", params=["disentangled", "mixed"])
def golden(request):
    """Codes, factors, what lies behind the scores, and the scores."""
    path = GOLDEN / f"{request.param}.npz"
    with np.load(path) as saved:
        arrays = dict(saved)
    arrays["test"] = (arrays["codes_test"], arrays["factors_test"])
    return SimpleNamespace(**arrays, scores=json.loads(path.with_suffix(".json").read_text()))


def test_mig(golden):
    information = metrics.mutual_information_matrix(golden.codes_train, golden.factors_train)
    np.testing.assert_allclose(information, golden.mig_mi, atol=1e-9)
    score = metrics.mig(golden.codes_train, golden.factors_train)
    assert score == pytest.approx(golden.scores["mig"]["discrete_mig"], abs=1e-6)


def test_sap_continuous(golden):
    result = metrics.sap_continuous(golden.codes_train, golden.factors_train)
    np.testing.assert_allclose(result.matrix, golden.sap_cont_matrix, atol=1e-9)
    assert float(result) == pytest.approx(golden.scores["sap_cont"]["SAP_score"], abs=1e-6)


def test_sap_discrete(golden):
    result = metrics.sap(golden.codes_train, golden.factors_train, test=golden.test)
    np.testing.assert_allclose(result.matrix, golden.sap_matrix, atol=5e-3)
    assert float(result) == pytest.approx(golden.scores["sap"]["SAP_score"], abs=5e-3)


def test_factor_vae_score_given_the_votes(golden):
    score = majority_accuracy(golden.fv_votes_train, golden.fv_votes_eval)
    assert score == pytest.approx(golden.scores["factor_vae"]["eval_accuracy"], abs=1e-6)


def test_factor_vae_score_within_two_standard_errors(golden):
    codes = np.concatenate([golden.codes_train, golden.codes_test])
    factors = np.concatenate([golden.factors_train, golden.factors_test])
    score = golden.scores["factor_vae"]["eval_accuracy"]
    found = float(metrics.factor_vae_score(codes, factors))
    assert found == pytest.approx(score, abs=2 * np.sqrt(2 * max(score * (1 - score), 1e-9) / 5_000))


def test_modularity(golden):
    score = metrics.modularity(golden.codes_train, golden.factors_train)
    assert score == pytest.approx(golden.scores["modexp"]["modularity_score"], abs=1e-6)


def test_explicitness(golden):
    result = metrics.explicitness(golden.codes_train, golden.factors_train, test=golden.test)
    expected = golden.scores["modexp"]
    assert result.score == pytest.approx(expected["explicitness_score_test"], abs=5e-3)
    assert result.train_score == pytest.approx(expected["explicitness_score_train"], abs=5e-3)
    np.testing.assert_allclose(result.per_factor, golden.expl_per_factor[:, 1], atol=5e-3)


def test_irs(golden):
    result = metrics.irs(golden.codes_train, golden.factors_train)
    np.testing.assert_allclose(
        result.matrix, golden.irs_matrix, atol=1e-6
    )  # the codes are kept in single precision
    assert result.score == pytest.approx(golden.scores["irs"]["IRS"], abs=1e-6)


def test_beta_vae_score_given_the_examples(golden):
    result = pair_score(
        golden.bv_train_points, golden.bv_train_labels, golden.bv_eval_points, golden.bv_eval_labels
    )
    assert result.score == pytest.approx(golden.scores["beta_vae"]["eval_accuracy"], abs=5e-3)
    assert result.train_score == pytest.approx(golden.scores["beta_vae"]["train_accuracy"], abs=5e-3)


def test_beta_vae_score(golden):
    codes = np.concatenate([golden.codes_train, golden.codes_test])
    factors = np.concatenate([golden.factors_train, golden.factors_test])
    found = float(metrics.beta_vae_score(codes, factors))
    assert found == pytest.approx(golden.scores["beta_vae"]["eval_accuracy"], abs=5e-3)


def test_dci_given_the_importances(golden):
    expected = golden.scores["dci"]
    assert disentanglement(golden.dci_importance) == pytest.approx(expected["disentanglement"], abs=1e-6)
    assert completeness(golden.dci_importance) == pytest.approx(expected["completeness"], abs=1e-6)


@pytest.mark.slow  # twice half a minute of boosting; test_boosting holds the trees to scikit-learn's
def test_dci(golden):
    result = metrics.dci(golden.codes_train, golden.factors_train, test=golden.test)
    expected = golden.scores["dci"]
    assert result.disentanglement == pytest.approx(expected["disentanglement"], abs=6e-3)
    assert result.completeness == pytest.approx(expected["completeness"], abs=6e-3)
    assert result.informativeness == pytest.approx(expected["informativeness_test"], abs=6e-3)
    assert result.informativeness_train == pytest.approx(expected["informativeness_train"], abs=6e-3)
    np.testing.assert_allclose(result.importance, golden.dci_importance, atol=6e-3)
