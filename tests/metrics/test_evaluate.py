"""Which points metrics see, what a score is reported beside, and how results are handed on."""

from __future__ import annotations

import json
from math import inf

import numpy as np
import pytest
from known_codes import grid, small_world, standardised

from prismae.errors import InputError, Unavailable
from prismae.evaluation import Score, Scores, evaluate_codes
from prismae.evaluation.families.codes import ideal_codes
from prismae.metrics import all_metrics, mig

FACTORS = small_world()
METRICS = all_metrics()
RNG = np.random.default_rng(0)
NOISY = (standardised(FACTORS) + 0.5 * RNG.normal(size=FACTORS.shape)).astype(np.float32)
KINDS = ("categorical", "continuous", "continuous")
DEFAULT = ["mig", "factor-vae-score", "dci-d", "dci-c", "dci-i", "sap"]


@pytest.fixture(scope="module")
def scores():
    return evaluate_codes(NOISY, FACTORS, bootstrap=20)


def test_the_default_metrics_and_what_each_score_carries(scores):
    assert list(scores) == DEFAULT
    for name, score in scores.items():
        assert score.protocol == "locatello2019"
        assert 0 <= score.chance < score.score <= score.ceiling <= 1, name
        assert score.lower <= score.score <= score.upper
        assert score.better == "higher"
    assert scores["mig"].parameters == {"bins": 20, "channel": 0.0, "seed": 0, "n_points": 1200}
    assert scores["dci-d"].parameters == {
        "booster": "compiled",
        "n_jobs": 1,
        "seed": 0,
        "n_train": 800,
        "n_test": 400,
    }
    assert scores["factor-vae-score"].parameters["n_table"] == 1200


def test_ceiling_and_chance(scores):
    assert scores["mig"].ceiling == pytest.approx(1.0)
    assert scores["mig"].chance < 0.05
    assert scores["factor-vae-score"].ceiling == 1.0
    assert scores["factor-vae-score"].chance < 0.6


def test_bare_scores_are_those_of_the_functions():
    found = evaluate_codes(NOISY, FACTORS, metrics="mig", baselines=False)
    assert found["mig"].score == pytest.approx(mig(NOISY, FACTORS))
    assert found["mig"].ceiling is None
    assert found["mig"].lower is None


def test_the_same_seed_gives_the_same_scores(scores):
    assert evaluate_codes(NOISY, FACTORS, bootstrap=20).to_dict() == scores.to_dict()
    other = evaluate_codes(NOISY, FACTORS, metrics=["sap"], seed=1)
    assert other["sap"].score != scores["sap"].score


def test_large_tables_are_drawn_from_without_replacement():
    factors = np.repeat(grid((3, 4, 5)), 300, axis=0)
    codes = standardised(factors)
    found = evaluate_codes(codes, factors, metrics=["mig", "sap", "factor-vae-score"], baselines=False)
    assert found["mig"].parameters["n_points"] == 10_000
    assert (found["sap"].parameters["n_train"], found["sap"].parameters["n_test"]) == (10_000, 5_000)
    assert found["factor-vae-score"].parameters["n_table"] == 18_000


def test_handing_on(scores):
    saved = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    again = Scores.from_dict(saved)
    assert again.to_dict() == scores.to_dict()
    assert again["mig"] == scores["mig"]
    frame = scores.to_frame()
    assert list(frame.index) == DEFAULT
    assert frame.loc["mig", "score"] == scores["mig"].score
    assert "protocol locatello2019" in str(scores)
    assert float(scores["sap"]) == scores["sap"].score
    assert np.shape(scores.matrices["mutual-information"]) == (3, 3)
    assert np.shape(scores.matrices["dci"]) == (3, 3)


def test_an_infinite_score_survives_json():
    scores = Scores({"tc": Score(inf, None, None, None, None, False, {}, "locatello2019")})
    saved = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert Scores.from_dict(saved)["tc"].score == inf


def test_all_metrics_with_the_reason_where_one_is_left_out():
    found = evaluate_codes(NOISY, FACTORS, factor_kinds=KINDS, metrics="all", bootstrap=2)
    assert {"infomec-e", "irs", "unfairness", "logistic-accuracy-100", "active-units"} <= set(found)
    assert "the codes of one run alone" in found.skipped["udr-lasso"]
    assert "mig-yeats2023" not in found
    for score in found.values():
        assert np.isfinite(score.score)
    assert found["sap-mixed"].parameters["factor_kinds"] == KINDS
    assert "left out: The metric compares runs" in str(found)


def test_without_factors_label_free_scores_remain():
    stds = np.full_like(NOISY, 0.1)
    found = evaluate_codes(
        NOISY, metrics="all", other_runs=[NOISY[:, ::-1]], stds=stds, other_stds=[stds], bootstrap=3
    )
    assert set(found) == {
        "active-units",
        "code-mutual-information",
        "factorised-support",
        "gaussian-total-correlation",
        "gaussian-wasserstein-correlation",
        "udr-lasso",
        "udr-spearman",
    }
    assert found["udr-spearman"].score == pytest.approx(1.0, abs=0.05)
    assert "factors" in found.skipped["mig"]
    assert found["active-units"].chance is None


@pytest.mark.parametrize("n", [360, 1200])
def test_yeats2023_gives_four_scores_by_the_numbers_of_the_world(n):
    found = evaluate_codes(NOISY[:n], FACTORS[:n], factor_kinds=KINDS, protocol="yeats2023", baselines=False)
    assert list(found) == ["mig", "fac", "dci", "sap"]
    variant, bins, votes, points = (
        ("beamsynthesis", 50, 1_000, 360) if n == 360 else ("dsprites", 20, 5_000, 1_000)
    )
    assert {score.protocol for score in found.values()} == {f"yeats2023/{variant}"}
    assert found["mig"].parameters["bins"] == bins
    assert found["fac"].parameters["votes"] == votes
    assert found["dci"].parameters["n_points"] == points
    assert found["dci"].parameters["constant_factor"] == (variant == "dsprites")


def test_the_variant_of_yeats2023_can_be_named():
    found = evaluate_codes(
        NOISY, FACTORS, metrics=["mig"], protocol="yeats2023/beamsynthesis", baselines=False
    )
    assert found["mig"].parameters["bins"] == 50


def test_a_world_with_one_factor_still_has_scores():
    found = evaluate_codes(NOISY, FACTORS[:, :1], baselines=True)
    assert "mig" in found
    assert "needs 2 or more, got 1" in found.skipped["dci"]


def test_ideal_codes_fill_up_with_dead_ones():
    codes = ideal_codes(FACTORS, 5)
    np.testing.assert_allclose(codes[:, :3].std(axis=0), 1.0, atol=1e-5)
    assert (codes[:, 3:].std(axis=0) < 0.02).all()
    assert ideal_codes(FACTORS, 2).shape == (1200, 3)


BAD = {
    "metric of locatello2019": (
        {"metrics": ["migg"]},
        "Unknown metric of locatello2019 'migg': did you mean 'mig'",
    ),
    "protocol": ({"protocol": "yeats"}, "Unknown protocol 'yeats': did you mean 'yeats2023'"),
    "bootstrap": ({"bootstrap": -1}, "evaluate: bootstrap should be greater than or equal to 0, got -1"),
    "seed": ({"seed": 2**32}, "evaluate: seed should be less than 4294967296"),
    "names": ({"factor_names": ("a",)}, "3 factors but 1 factor names"),
    "kinds": ({"factor_kinds": ("continuous",)}, "3 factors but 1 factor kinds"),
    "runs": ({"metrics": ["udr-lasso"]}, "udr-lasso: The metric compares runs"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(case):
    options, message = BAD[case]
    with pytest.raises(InputError, match=message):
        evaluate_codes(NOISY, FACTORS, **options)


def test_a_factor_of_one_value_is_named():
    factors = np.column_stack([FACTORS, np.zeros(len(FACTORS))])
    with pytest.raises(InputError, match="Factor 'colour' has only one value"):
        evaluate_codes(NOISY, factors, factor_names=("a", "b", "c", "colour"))


def test_a_named_metric_that_needs_factors_raises_without_them():
    with pytest.raises(InputError, match="mig: The metric needs the factors"):
        evaluate_codes(NOISY, metrics=["mig"])


def collapsed(codes, dead):
    """Codes and their posteriors' deviations, with latents beside them that hold nothing."""
    noise = 1e-3 * np.random.default_rng(dead).normal(size=(len(codes), dead))
    return np.hstack([codes, noise]), np.hstack([np.full_like(codes, 0.1), np.ones_like(noise)])


@pytest.mark.parametrize("metric", ["udr-spearman", "udr-lasso"])
def test_udr_leaves_out_collapsed_latents_by_their_divergence(metric):
    runs = [NOISY, -NOISY[:, [2, 0, 1]] + 0.1 * RNG.normal(size=NOISY.shape), NOISY @ np.diag([1, -2, 1])]
    bare = [(run, np.zeros_like(run)) for run in runs]
    full = [collapsed(run, dead) for run, dead in zip(runs, (2, 6, 0), strict=True)]
    found = []
    for (codes, stds), *others in (bare, full):
        other_runs, other_stds = zip(*others, strict=True)
        how = {"other_runs": other_runs, "stds": stds, "other_stds": other_stds, "bootstrap": 5}
        found.append(evaluate_codes(codes, metrics=metric, **how)[metric])
    assert found[1].score == pytest.approx(found[0].score, abs=1e-6)
    assert found[1].lower < found[1].score < found[1].upper
    assert "kl" not in found[1].parameters
    codes = [codes for codes, _ in full]
    assert METRICS[metric](codes).score < found[1].score - 0.1  # without divergences


@pytest.mark.parametrize("std", [0.0, 0.2, 0.5])
def test_rmig_is_taken_of_the_whole_posterior(std):
    stds = np.full_like(NOISY, std)
    found = evaluate_codes(NOISY, FACTORS, metrics="rmig", stds=stds, bootstrap=5)["rmig"]
    assert found.score == pytest.approx(METRICS["rmig"](NOISY, FACTORS, stds))
    assert found.lower <= found.score <= found.upper
    assert found.chance < found.score
    every = evaluate_codes(NOISY, FACTORS, metrics=["rmig"], stds=stds[::-1], baselines=False)
    assert every["rmig"].score == pytest.approx(found.score)


@pytest.mark.parametrize("name", ["rmig", "udr-spearman", "udr-lasso"])
def test_without_deviations_a_score_that_rests_on_them_is_left_out(name):
    found = evaluate_codes(NOISY, FACTORS, metrics=["mig", name], other_runs=[NOISY], baselines=False)
    assert set(found) == {"mig"}
    assert "needs the posteriors' standard deviations" in found.skipped[name]
    with pytest.raises(Unavailable, match=f"{name}: The metric needs the posteriors'") as error:
        evaluate_codes(NOISY, FACTORS, metrics=name, other_runs=[NOISY])
    assert set(error.value.reasons) == {name}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_array_that_a_metric_takes_is_known_to_the_evaluation(metric):
    arrays = {"codes", "factors", "stds", "clusters", "labels", "images", "reconstructions", "generated"}
    arrays |= {"features", "log_weights", "losses", "mean", "log_var", "words"}
    assert set(metric.arguments) <= arrays
    # what has no value by itself is data, and is handed over by name
    assert {name for name, value in metric.parameters.items() if value is None} <= {
        "test",
        "factor_kinds",
        "kl",
    }


def test_what_cannot_be_had_is_left_out_and_fails_nothing_else():
    wanted = ["mig", "dci", "factor-vae-score", "udr-lasso", "silhouette"]
    found = evaluate_codes(NOISY, FACTORS[:, [1]] + 0.5, metrics=wanted, baselines=False)
    assert set(found) == {"mig"}
    assert set(found.skipped) == {"dci", "factor-vae-score", "udr-lasso", "silhouette"}
    assert "0 categorical factors" in found.skipped["silhouette"]
    with pytest.raises(Unavailable, match="dci: The metric compares factors") as error:
        evaluate_codes(NOISY, FACTORS[:, :1], metrics=["dci", "modularity"])
    assert set(error.value.reasons) == {"dci", "modularity"}


def test_numbers_of_numpy_survive_json():
    score = Score(
        np.float32(0.5), None, None, None, None, "higher", {"a": np.float32("inf"), "b": [np.int64(2)]}, "own"
    )
    saved = json.loads(json.dumps(Scores({"mine": score}).to_dict(), allow_nan=False))
    assert saved["scores"]["mine"]["score"] == 0.5
    assert saved["scores"]["mine"]["parameters"] == {"a": "inf", "b": [2]}
