"""Searches: values within their ranges, the same again, kept, and found by Optuna where they are best."""

import json
from dataclasses import replace
from math import log10

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from prismae.cli import app
from prismae.errors import InputError
from prismae.studies import Plan
from prismae.studies import search as searching
from prismae.studies.plan_parts import Arm, Range
from prismae.studies.search import drawn, keep, search, with_trials

TEXT = """
title: a search
worlds: digits
methods:
  vae: {}
  heavier: {method: beta-vae, search: {beta: {low: 1, high: 16.0, log: true}}}
search: {lr: {low: 1.0e-5, high: 0.1, log: true}, n_latents = n_latents: {low: 2, high: 9}, net: [mlp, conv]}
seeds: [0, 1]
budget: {steps: 2, batch: 8}
"""
SEARCH = {"lr": Range(1e-5, 1.0, log=True)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT)
    return path


def test_values_lie_within_and_the_first_stay_when_there_are_more(path):
    plan = Plan.load(path)
    few, many = drawn(plan, 5), drawn(plan, 60)
    for name in plan.methods:
        trials = many.methods[name].trials
        assert (trials[:5], len(trials)) == (few.methods[name].trials, 60)
        assert drawn(few, 60).methods[name].trials == trials
        assert {each["net"] for each in trials} == {"mlp", "conv"}
        assert {each["n_latents = n_latents"] for each in trials} == set(range(2, 10))
        below = np.mean([each["lr"] < 1e-3 for each in trials])
        assert 0.3 < below < 0.7  # half of the orders of magnitude
        assert all(1e-5 <= each["lr"] <= 0.1 for each in trials)
    assert many.methods["vae"].trials != [*map(dict, many.methods["heavier"].trials)]
    job = many.jobs()[0]
    assert (job.job.lr, job.swept["lr"]) == (many.methods["vae"].trials[0]["lr"],) * 2
    assert len(many.jobs()) == 2 * 2 * 60


def test_of_few_values_each_is_drawn_once():
    plan = Plan("t", {"digits": {}}, {"vae": Arm("vae", search={"n_latents": [2, 3, 4]})}, [0])
    assert sorted(each["n_latents"] for each in drawn(plan, 20).methods["vae"].trials) == [2, 3, 4]


def test_what_was_drawn_is_kept_for_tables_and_belongs_to_its_search(path, tmp_path):
    plan = Plan.load(path)
    keep(drawn(plan, 3), tmp_path)
    assert with_trials(plan, tmp_path) == drawn(plan, 3)
    other = replace(plan, search={})
    assert with_trials(other, tmp_path).methods["vae"].trials == []
    assert len(other.jobs()) == 2  # of the arm without a search, one for each seed
    kept = tmp_path / "plan.default.trials.json"
    for content in ("[1]", '{"vae": [2]}', "{"):
        kept.write_text(content)
        with pytest.raises(InputError, match=r"plan.default.trials.json is damaged"):
            with_trials(plan, tmp_path)


def fake(calls, best=-3.0):
    """A study whose error is smallest at a learning rate of 10^best."""

    def study(plan, out, **given):
        calls.append(sum(len(arm.trials) for arm in plan.methods.values()))
        return pd.DataFrame(
            {
                "arm": each.arm, "method": each.job.method, "world": "digits", "seed": each.job.seed, **each.swept,
                "steps": 2, "mse": (log10(each.job.lr) - best) ** 2 + 0.01 * each.job.seed, "nats": 1.0,
                "run": each.job.id,
            }
            for each in plan.jobs()
        )  # fmt: skip

    return study


def test_a_trial_of_which_a_training_failed_is_not_judged_by_the_others(tmp_path):
    plan = Plan("t", {"digits": {}}, {"vae": Arm("vae", trials=[{"lr": 1e-3}, {"lr": 1e-1}])}, [0, 1])
    frame = fake([])(plan, tmp_path)
    assert [*searching._scores(plan, frame, "vae", "mse", tmp_path)] == pytest.approx([0.005, 4.005])
    frame.loc[(frame["lr"] == 1e-3) & (frame["seed"] == 1), ["mse", "nats"]] = np.nan
    assert [*searching._scores(plan, frame, "vae", "mse", tmp_path)] == [None, pytest.approx(4.005)]


def test_optuna_finds_what_is_best_and_a_search_that_was_stopped_goes_on_the_same(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    plan = Plan("t", {"digits": {}}, {"vae": Arm("vae", search=SEARCH)}, [0, 1])
    whole: list[int] = []
    monkeypatch.setattr(searching, "study", fake(whole))
    frame = search(plan, tmp_path / "whole", how="optuna", trials=24, by="mse", jobs=2)
    assert whole == [*range(2, 25, 2)]  # two at once
    assert len(frame) == 48
    tried = [log10(each["lr"]) for each in with_trials(plan, tmp_path / "whole").methods["vae"].trials]
    assert min(abs(each + 3) for each in tried) < 0.2
    early, late = (np.mean([abs(each + 3) < 1 for each in part]) for part in (tried[:10], tried[14:]))
    assert late > early
    search(plan, tmp_path / "parts", how="optuna", trials=9, by="mse", jobs=1)
    for _ in range(2):
        search(plan, tmp_path / "parts", how="optuna", trials=13, by="mse", jobs=1)
    search(plan, tmp_path / "at once", how="optuna", trials=13, by="mse", jobs=1)
    names = ("parts", "at once")
    one, other = (json.loads((tmp_path / name / "plan.default.trials.json").read_text()) for name in names)
    assert one == other


def test_nats_of_several_likelihoods_are_nothing_to_search_by(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    arm = Arm("vae", search={"likelihood": ["gaussian", "bernoulli"], **SEARCH})
    plan, calls = Plan("t", {"digits": {}}, {"vae": arm}, [0]), []

    def study(plan, out, **given):
        rows = fake(calls)(plan, out, **given)
        return rows.assign(**{"likelihood:nll": rows["nats"]})

    monkeypatch.setattr(searching, "study", study)
    for by in ("nats", "nll"):
        with pytest.raises(
            InputError, match=r"unit of a likelihood, and vae has (gaussian|bernoulli), .*--by mse"
        ):
            search(plan, tmp_path / by, how="optuna", trials=24, by=by, jobs=2)
    assert len(search(plan, tmp_path / "mse", how="optuna", trials=3, by="mse")) == 3


@pytest.mark.parametrize(
    ("search_of", "said"),
    [
        ("lr: {low: 1, high: 1}", "Expected two numbers, low below high, got 1 and 1"),
        ("lr: {low: 0, high: 1, log: true}", "low below high and above 0, got 0 and 1"),
        ("lr: {low: a, high: 1}", "Expected two numbers"),
        ("lr: {low: 1, top: 2}", "Unknown key 'top'"),
        ("lr: []", "Expected a list of values, or a mapping of low, high and log, got"),
        ("lr: 3", "Expected a list of values"),
    ],
)
def test_a_search_that_cannot_be_is_one_sentence_with_its_place(search_of, said, path):
    path.write_text(TEXT.replace("lr: {low: 1.0e-5, high: 0.1, log: true}", search_of))
    with pytest.raises(InputError, match=rf"plan.yaml, line 7: search.lr.*{said}"):
        Plan.load(path)


def test_what_a_search_needs_is_said(path, tmp_path, monkeypatch):
    for words, said in {
        (): "no values are drawn yet: expected --search random",
        ("--dry-run",): "no values are drawn yet",
        ("--search", "optuna"): "expected --by SCORE",
        ("--search", "grid"): "Unknown search 'grid'",
    }.items():
        result = CliRunner().invoke(app, ["study", str(path), "--out", str(tmp_path / "runs"), *words])
        assert said in str(result.exception)
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(InputError, match=r"needs Optuna: pip install 'prismae\[search\]'"):
        search(Plan.load(path), tmp_path, how="optuna", by="mse")
    with pytest.raises(InputError, match="has no search"):
        search(Plan("t", {"digits": {}}, {"vae": Arm("vae")}, [0]), tmp_path)


@pytest.mark.slow
def test_a_search_from_the_command_line_to_the_table(path, tmp_path):
    pytest.importorskip("optuna")
    path.write_text(TEXT.replace("  heavier", "  #").replace("[0, 1]", "[0]"))
    out = ["--out", str(tmp_path / "runs")]
    for words in (
        ["--search", "random", "--trials", "2"],
        ["--search", "optuna", "--trials", "3", "--by", "mse"],
    ):
        assert CliRunner().invoke(app, ["study", str(path), *out, *words]).exit_code == 0
    assert CliRunner().invoke(app, ["table", str(path), *out]).stdout.count("| vae |") == 3
    assert "2 rows" not in CliRunner().invoke(app, ["study", str(path), *out, "--dry-run"]).stdout
