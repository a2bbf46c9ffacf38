"""Summaries: means, tests and published numbers against values computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp, ttest_rel, wilcoxon
from small_plan import MIG, PLAN, SCORES, frame

from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.plan_parts import Arm
from prismae.studies.selection import select
from prismae.studies.summary import direction, divided, holm, paired, summarise
from prismae.studies.tables import render

RNG = np.random.default_rng(0)


def test_means_deviations_the_best_and_published_numbers():
    summary = summarise(PLAN, frame())
    assert summary.keys == ("arm", "β")
    good, bad = summary.lines["good", 2.0][MIG], summary.lines["bad", None][MIG]
    assert (good.mean, good.deviation, good.n) == pytest.approx((0.6, 0.1, 3))
    assert good.best
    assert not bad.best
    assert good.published == (0.55, 0.02)
    assert bad.published is None
    assert summary.lines["good", 2.0]["mse"].published is None
    assert summary.lines["good", 2.0]["mse"].best  # the smaller is better
    assert summary.chance == {"digits": {MIG: pytest.approx(0.05)}}
    assert bad.against.p == pytest.approx(ttest_rel(SCORES["good"], SCORES["bad"]).pvalue)
    assert good.against is None


def test_nats_of_several_likelihoods_are_not_compared():
    rows = frame().assign(
        nats=[1.0, 2.0, 3.0, 4.0, 5.0, 7.0], **{"likelihood:nll": [2.0, 3.0, 5.0, 6.0, 8.0, 9.0]}
    )
    for likelihoods, compared in ((["mse", "mse"], True), (["mse", "bernoulli"], False)):
        summary = summarise(PLAN, rows.assign(likelihood=np.repeat(likelihoods, 3)))
        good, bad = summary.lines["good", 2.0], summary.lines["bad", None]
        for score in ("nats", "likelihood:nll"):
            assert (good[score].best, bad[score].against is not None) == (compared, compared)
        assert good["mse"].best
        assert bad["mse"].against is not None


def test_the_test_fits_the_number_of_seeds():
    a, b = RNG.normal(size=(2, 12))
    assert paired(a, b).p == pytest.approx(wilcoxon(a, b).pvalue)
    assert paired(a[:5], b[:5]).p == pytest.approx(ttest_rel(a[:5], b[:5]).pvalue)
    assert paired(a[:5] + 9 + 0.1 * b[:5], a[:5]).p < 2 / 2**5  # below what Wilcoxon's could be
    assert paired([1.0, 2.0], [2.0, 4.0]) is None  # two seeds are too few
    assert paired([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]) is None


def test_differences_have_intervals_and_effect_sizes():
    a, b = RNG.normal(size=(2, 6))
    found = paired(a, b)
    low, high = ttest_rel(a, b).confidence_interval(0.95)
    assert (found.difference - found.half, found.difference + found.half) == pytest.approx((low, high))
    assert found.effect == pytest.approx(ttest_rel(a, b).statistic / 6**0.5)  # t is d times the root of n
    assert paired([1.0, 2.0, 4.0], [2.0, 3.0, 4.5]).effect < -1
    cell = summarise(PLAN, frame()).lines["bad", None][MIG]
    assert cell.interval == pytest.approx(ttest_1samp(SCORES["bad"], 0).confidence_interval(0.95))
    assert cell.against.difference == pytest.approx(np.mean(SCORES["bad"]) - np.mean(SCORES["good"]))
    assert np.isnan(summarise(PLAN, frame({"good": [0.5]})).lines["good",][MIG].interval).all()


def test_seeds_are_paired_by_their_number_and_not_by_their_place():
    scores = {"good": [0.5, 0.6, 0.7, 0.9], "bad": [0.1, 0.3, 0.2, 0.2]}
    rows = frame(scores)
    summary = summarise(PLAN, rows[(rows["arm"] == "good") | (rows["seed"] > 0)].iloc[::-1])
    expected = ttest_rel(scores["good"][1:], scores["bad"][1:]).pvalue
    assert summary.lines["bad", None][MIG].against.p == pytest.approx(expected)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@pytest.mark.parametrize(
    ("score", "better"),
    [
        ("mse", "lower"),
        ("locatello2019:dci-d", "higher"),
        ("yeats2023:sap", "neither"),
        ("locatello2019:sap-mixed", "higher"),
    ],
)
def test_direction_of_a_score(score, better):
    assert direction(score) == better


def test_one_seed_has_no_deviation_and_no_test():
    summary = summarise(PLAN, frame({"good": [0.5], "bad": [0.1]}))
    text = render(PLAN, summary)
    assert "| **0.500** |" in text
    assert "test against the best" not in text


def test_settings_are_ranked_by_a_score():
    ranked = select(PLAN, frame(), "mig")
    assert list(ranked["arm"]) == ["good", "bad"]
    assert list(select(PLAN, frame(), "mse")["arm"]) == ["good", "bad"]
    with pytest.raises(InputError, match="Unknown score 'mgi': expected one of mse, nats, udr"):
        select(PLAN, frame(), "mgi")


def test_a_setting_of_which_a_training_failed_is_ranked_last():
    rows = frame()
    rows.loc[rows["run"] == "good2", ["mse", "nats", MIG]] = np.nan
    ranked = select(PLAN, rows, MIG)
    assert ranked["arm"].tolist() == ["bad", "good"]
    assert ranked[MIG].isna().tolist() == [False, True]


def test_a_line_of_which_a_training_failed_is_not_the_best():
    rows = frame()
    rows.loc[rows["run"] == "good2", ["mse", "nats", MIG]] = np.nan
    lines = summarise(PLAN, rows).lines
    assert (lines["good", 2.0][MIG].mean, lines["good", 2.0][MIG].best) == (pytest.approx(0.55), False)
    assert lines["bad", None][MIG].best
    rows.loc[rows["run"] == "bad0", ["mse", "nats", MIG]] = np.nan
    assert not any(cells[MIG].best for cells in summarise(PLAN, rows).lines.values())


def test_baselines_without_a_score_are_not_ranked(tmp_path, monkeypatch):
    pca = frame({"PCA": [0.65]}).assign(method="pca", mse=np.nan, nats=np.nan, run="pca")
    rows = pd.concat([frame(), pca], ignore_index=True)
    assert select(PLAN, rows, "mig")["arm"].tolist() == ["PCA", "good", "bad"]
    assert select(PLAN, rows, "mse")["arm"].tolist() == ["good", "bad"]
    asked = []
    monkeypatch.setattr(
        "prismae.studies.selection.agreement",
        lambda runs, *_: (asked.extend(runs), (np.array([0.5]), {}))[1],
    )
    select(PLAN, rows, "udr", tmp_path)
    assert asked == rows["run"].tolist()[:-1]  # an encoding is no run whose seeds could agree
    with pytest.raises(InputError, match="No rows of trainings have 'udr': expected a plan of which some"):
        select(PLAN, pca, "udr", tmp_path)


def test_each_p_says_its_test_and_how_many_seeds_both_arms_have():
    a, b = RNG.normal(size=(2, 12))
    rows = frame({"good": a + 5, "bad": b[:5]})
    cell = summarise(PLAN, rows).lines["bad", None][MIG]
    assert (cell.against.test, cell.against.pairs) == ("paired t", 5)
    assert cell.against.p == pytest.approx(ttest_rel(a[:5] + 5, b[:5]).pvalue)
    plan = Plan("t", {"digits": {}}, {n: Arm("vae") for n in ("good", "bad", "third")}, [0])
    text = render(plan, summarise(plan, frame({"good": a + 5, "bad": b[:5], "third": b})))
    assert "p of the paired t test (t) or the Wilcoxon signed-rank test (W)" in text
    assert "(t, 5)" in text
    assert "(W, 12)" in text


def test_each_world_has_its_own_chance_level():
    rows = pd.concat([frame(), frame().assign(world="pulses", **{f"{MIG}:chance": 0.01})])
    text = render(PLAN, summarise(PLAN, rows))
    assert "| shuffled codes (chance) | digits |  |  | 0.050 |" in text
    assert "| shuffled codes (chance) | pulses |  |  | 0.010 |" in text


def test_worlds_and_likelihoods_are_ranked_apart():
    better = frame().assign(world="pulses", mse=0.01, nats=1000.0)
    ranked = select(PLAN, pd.concat([better, frame()], ignore_index=True), "mse")
    assert ranked[["world", "arm"]].values.tolist() == [
        ["pulses", "good"], ["pulses", "bad"], ["digits", "good"], ["digits", "bad"],
    ]  # fmt: skip
    values = [9.0, 9.0, 9.0, 1.0, 1.0, 1.0]
    rows = frame().assign(nats=values, **{"likelihood:nll": values})
    for by in ("nats", "nll"):
        ranked = select(PLAN, rows.assign(likelihood=np.repeat(["gaussian", "bernoulli"], 3)), by)
        assert ranked[["likelihood", "arm"]].values.tolist() == [["gaussian", "good"], ["bernoulli", "bad"]]


def test_baselines_may_have_more_values_of_a_grid_than_trainings():
    trained = frame()
    one = trained.iloc[[0]].assign(arm="PCA", method="pca", n_latents=2)
    rows = pd.concat([trained.assign(method="vae", n_latents=8), one, one.assign(n_latents=8, run="pca8")])
    columns = [c for c in rows if c != "n_latents"]
    columns.insert(columns.index("mse"), "n_latents")
    found = summarise(PLAN, rows[columns])
    assert found.keys[-1] == "n_latents"
    assert [values[-1] for values in found.lines if values[0] == "PCA"] == [2, 8]


def test_trainings_that_went_wrong_are_told_once_with_their_seeds():
    broke, short = "The training was thrown back and has not recovered: 4 % then, 13 % now.", "Too short."
    rows = frame({"*good*": [0.5, 0.6, 0.9], "bad": [0.1, 0.2, 0.3]}).assign(
        warnings=["", "", broke, None, "", short]
    )
    early = rows.assign(steps=5)  # what the same runs were like half-way
    pca = rows[:1].assign(arm="PCA", method="pca", run="p", warnings=broke)
    text = render(PLAN, summarise(PLAN, pd.concat([early, rows, pca])))
    assert "has not recovered in 1 of 6 runs: \\*good\\*, steps 10 (seed 2)." in text
    assert "Too short in 1 of 6 runs: bad, steps 10 (seed 2)." in text
    assert text.count("in 1 of 6 runs") == 2
    for none in (rows.assign(warnings=""), pca):
        assert " runs: " not in render(PLAN, summarise(PLAN, none))


def test_a_column_is_its_protocol_and_the_score_s_name_there():
    assert divided("generation:frechet[classifier:digits]-samples") == (
        "generation",
        "frechet[classifier:digits]-samples",
    )
    assert divided("mse") == ("", "mse")
