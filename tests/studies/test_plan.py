"""Plans: what they expand to, and how their mistakes are answered."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from prismae.data import world, world_names
from prismae.errors import InputError
from prismae.evaluation import Options, Subject, by_protocol, walk
from prismae.evaluation.families.codes import Codes
from prismae.runs.run import Run
from prismae.studies import Job, Plan, rows, run, score, study
from prismae.studies.plan_file import read_source
from prismae.studies.plan_parts import Arm
from prismae.studies.rows import read_rows, write_rows

PLANS = sorted(Path(__file__).parents[2].joinpath("plans").glob("*.yaml"))
PROFILES = [(path, name) for path in PLANS for name in yaml.safe_load(path.read_text())["profiles"]]
TEXT = """
title: Two methods
worlds: digits
methods:
  vae: {}
  heavier:
    method: beta-vae
    grid: {beta: [2.0, 4.0]}
    lr: 0.001
seeds: [0, 1]
budget: {steps: 30, batch: 16}
metrics:
  locatello2019: [mig, dci]
published:
  source: a paper
  scores: ["locatello2019:mig"]
  rows: {vae: [[0.1, 0.01]], heavier: [0.2]}
profiles:
  paper: {}
  small:
    seeds: [0]
    methods: {heavier: {grid: {beta: [8.0]}, lr: null}}
"""


@pytest.fixture
def plan_file(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(TEXT)
    return path


def test_a_plan_is_its_jobs(plan_file):
    plan = Plan.load(plan_file)
    assert (plan.name, plan.profile) == ("two", "paper")
    jobs = [each.job for each in plan.jobs()]
    expected = [
        job
        for seed in (0, 1)
        for job in (
            Job("vae", "digits", steps=30, batch=16, seed=seed),
            Job("beta-vae", "digits", {"beta": 2.0}, steps=30, batch=16, lr=0.001, seed=seed),
            Job("beta-vae", "digits", {"beta": 4.0}, steps=30, batch=16, lr=0.001, seed=seed),
        )
    ]
    assert [job.id for job in jobs] == [job.id for job in expected]
    assert str(plan.jobs()[1]) == "heavier on digits, beta 2.0, seed 0"


def test_a_profile_merges_replaces_and_takes_away(plan_file):
    jobs = [each.job for each in Plan.load(plan_file, "small").jobs()]
    assert jobs == [
        Job("vae", "digits", steps=30, batch=16),
        Job("beta-vae", "digits", {"beta": 8.0}, steps=30, batch=16),
    ]


def test_epochs_become_steps(plan_file):
    plan_file.write_text(TEXT.replace("steps: 30", "epochs: 3"))
    steps = {each.job.steps for each in Plan.load(plan_file).jobs()}
    assert steps == {-(-3 * 1797 // 16)}


def test_a_grid_of_all_methods_and_settings_of_a_world(plan_file):
    plan_file.write_text(
        TEXT.replace("worlds: digits", "worlds: {digits: {net: mlp}, pulses: {batch: 8}}").replace(
            "seeds: [0, 1]", "grid: {n_latents: [2, 3]}\nseeds: [5]"
        )
    )
    jobs = Plan.load(plan_file).jobs()
    assert len(jobs) == 2 * (2 + 4)
    assert {(j.job.world, j.job.net, j.job.batch) for j in jobs} == {
        ("digits", "mlp", 16),
        ("pulses", "auto", 8),
    }
    assert {j.swept["n_latents"] for j in jobs} == {j.job.n_latents for j in jobs} == {2, 3}


def test_a_python_file_is_a_plan_too(tmp_path):
    path = tmp_path / "swept.py"
    path.write_text(
        "plan = {'title': 't', 'worlds': 'digits', 'seeds': [0], 'budget': {'steps': 3},"
        "'methods': {f'b{b}': {'method': 'beta-vae', 'fields': {'beta': float(b)}} for b in (1, 2)}}"
    )
    assert [each.job.fields for each in Plan.load(path).jobs()] == [{"beta": 1.0}, {"beta": 2.0}]


MISTAKES = {
    "unknown key": ("seeds: [0, 1]", "sedes: [0, 1]", "line 10: sedes: Unknown key 'sedes': did you mean 'seeds'"),
    "unknown setting": ("steps: 30", "step: 30", "line 11: budget.step: Unknown key 'step': did you mean 'steps'"),
    "unknown key of an arm": ("    lr: 0.001", "    pace: 0.001", "line 9: methods.heavier.pace: Unknown key 'pace'"),
    "seed below 0": ("seeds: [0, 1]", "seeds: [0, -1]", "line 10: seeds.1: Input should be greater than or equal to 0"),
    "seeds no list": ("seeds: [0, 1]", "seeds: many", "line 10: seeds: Input should be a valid list, got 'many'"),
    "settings in a list": ("worlds: digits", "worlds: [digits: {batch: 3}]", "worlds: A list holds names only"),
    "no methods": ("methods:\n  vae: {}\n  heavier:", "methods: {}\nnotes:", "methods are missing"),
    "an arm that is no mapping": ("  vae: {}", "  vae: 3", "line 5: methods.vae: Expected keys with values, got 3"),
    "unknown metric": ("[mig, dci]", "[mig, dcy]", "line 13: metrics.locatello2019.1: Unknown metric of locatello"),
    "unknown protocol": ("locatello2019: [", "locatelo2019: [", "did you mean 'locatello2019'"),
    "published row of no arm": ("rows: {vae", "rows: {vea", "Unknown arm of this plan 'vea': did you mean 'vae'"),
    "unknown key in a profile": ("    seeds: [0]", "    seed: [0]", "line 21: seed: Unknown key 'seed'"),
    "no title": ("title: Two methods\n", "", "title: It is missing"),
    "not YAML": ("methods:", "methods: [", "is not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place(mistake, plan_file):
    right, wrong, expected = MISTAKES[mistake]
    assert right in TEXT
    plan_file.write_text(TEXT.replace(right, wrong, 1))
    with pytest.raises(InputError) as error:
        Plan.load(plan_file, "small")
    assert expected in str(error.value)
    assert str(plan_file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e-3", 1e-3), ("1E5", 1e5), ("-2.5e+2", -250.0), (".5", 0.5), ("3.", 3.0), ("010", 10), ("0o17", 15),
        ("1_000", 1000), ("-3", -3), ("+3", 3), (".inf", np.inf), ("-.inf", -np.inf), ("true", True), ("False", False),
        ("no", "no"), ("on", "on"), ("1:30", "1:30"), ("1.2.3", "1.2.3"), ("null", None), ("'1e-3'", "1e-3"),
    ],
)  # fmt: skip
def test_numbers_and_truth_values_of_a_plan_are_what_they_look_like(written, read, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(f"a: [{written}]\n5: b\n")
    source = read_source(path)
    assert source.data == {"a": [read], 5: "b"}
    assert type(source.data["a"][0]) is type(read)
    assert source.lines == {("a",): 1, ("a", 0): 1, (5,): 2}


def test_all_mistakes_of_a_plan_are_told_at_once(plan_file):
    wrong = TEXT.replace("steps: 30", "step: 30, bach: 2").replace("[0, 1]", "[0, -1]")
    wrong = wrong.replace("    lr: 0.001", "    pace: 0.001").replace("[mig, dci]", "[mg, dcy]")
    wrong = wrong.replace("title: Two methods\n", "title: [two]\n").replace("  vae: {}", "  vae: 3")
    plan_file.write_text(wrong)
    with pytest.raises(InputError) as error:
        Plan.load(plan_file, "small")
    said = str(error.value)
    assert said.count(str(plan_file)) == 1
    for each in (
        "line 5: methods.vae: Expected keys with values, got 3",
        "line 9: methods.heavier.pace: Unknown key 'pace'",
        "line 11: budget.step: Unknown key 'step': did you mean 'steps'",
        "budget.bach: Unknown key 'bach': did you mean 'batch'",
        "line 2: title: Input should be a valid string, got ['two']",
        "line 10: seeds.1: Input should be greater than or equal to 0, got -1",
    ):
        assert each in said
    plan_file.write_text(TEXT.replace("[mig, dci]", "[mg, dcy]"))
    with pytest.raises(
        InputError, match=r"line 13: metrics.locatello2019.0: .*'mg'.*; metrics.locatello2019.1: "
    ):
        Plan.load(plan_file)
    plan_file.write_text(TEXT.replace("steps: 30", f"steps: 30, {', '.join(f'a{i}: 1' for i in range(15))}"))
    with pytest.raises(InputError, match=r"budget.a9: .*; and 5 faults more\.$"):
        Plan.load(plan_file)


def test_all_arms_that_cannot_be_are_told_at_once(plan_file):
    plan_file.write_text(
        TEXT.replace("  vae: {}", "  vae: {fields: {alpha: 1}}").replace("[2.0", "[-2.0, .inf")
    )
    with pytest.raises(InputError) as error:
        Plan.load(plan_file).jobs()
    said = str(error.value)
    assert said.startswith("Plan two, vae: ")
    assert said.count("alpha") == said.count("got -2.0") == said.count("got inf") == said.count("Plan") == 1


JOB_MISTAKES = {
    "unknown method": ("method: beta-vae", "method: beta-va", "Unknown method 'beta-va': did you mean 'beta-vae'"),
    "unknown field": ("beta: [2.0", "bta: [2.0", "Unknown field of beta-vae 'bta': did you mean 'beta'"),
    "out of range": ("beta: [2.0", "beta: [-2.0", "beta should be greater than or equal to 0, got -2.0"),
    "steps and epochs": ("steps: 30", "steps: 30, epochs: 2", "steps and epochs are both given"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", JOB_MISTAKES)
def test_a_job_that_cannot_be_is_refused_before_anything_runs(mistake, plan_file):
    right, wrong, expected = JOB_MISTAKES[mistake]
    plan_file.write_text(TEXT.replace(right, wrong, 1))
    plan = Plan.load(plan_file)
    with pytest.raises(InputError, match=r"^Plan two, (vae|heavier): ") as error:
        plan.jobs()
    assert expected in str(error.value)


def test_unknown_profile_and_missing_file(plan_file, tmp_path):
    with pytest.raises(InputError, match="Unknown profile 'smal': did you mean 'small'"):
        Plan.load(plan_file, "smal")
    with pytest.raises(InputError, match="There is no plan"):
        Plan.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(("path", "profile"), PROFILES, ids=lambda value: getattr(value, "stem", value))
def test_every_shipped_plan_builds_all_its_jobs(path, profile):
    plan = Plan.load(path, profile)
    jobs = plan.jobs()
    assert len(jobs) == len({each.job.id for each in jobs})
    for each in jobs:
        assert each.job.world.partition(":")[0] in {name.partition(":")[0] for name in world_names()}
    arms = {each.arm for each in jobs}
    assert all(arms & set(each.rows) for each in plan.published)


def test_a_model_without_a_likelihood_leaves_it_out(tmp_path):
    path = tmp_path / "mixed.yaml"
    path.write_text(
        "title: mixed\nworlds: digits\nmethods: [vae, ae]\nseeds: [0]\nsamples: 2\n"
        "budget: {steps: 3, batch: 8, n_latents: 2, net: 'mlp:width=8', likelihood: bernoulli}\n"
        "metrics: {likelihood: [kl]}\n"
    )
    frame = study(path, tmp_path / "runs", threads=1, device="cpu")
    assert frame.attrs["failures"] == {}
    assert "codes of this model are points" in frame.attrs["left_out"]["likelihood:kl"]
    assert list(frame["likelihood:kl"].notna()) == [True, False]


def test_samples_behind_likelihoods_reach_the_scores(tmp_path):
    path = tmp_path / "likely.yaml"
    path.write_text(
        "title: likely\nworlds: digits\nmethods: vae\nseeds: [0]\nsamples: 3\n"
        "budget: {steps: 3, batch: 8, n_latents: 2, net: 'mlp:width=8', likelihood: bernoulli}\n"
        "metrics: {likelihood: [nll]}\n"
    )
    frame = study(path, tmp_path / "runs", threads=1, device="cpu")
    scores = json.loads((tmp_path / "runs" / frame["run"][0] / "scores.json").read_text())
    assert scores["protocols"]["likelihood"]["nll"]["parameters"]["n_samples"] == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("seeds: [0, 1, 0]", r"line \d+: seeds: Expected each value once, got 0 again"),
        (
            "seeds: [0]\ngrid: {beta: [2.0, 2]}",
            r"line \d+: grid\.beta: Expected each value once, got 2 again",
        ),
    ],
)
def test_a_value_that_is_there_twice_is_refused(given, message, tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text(f"title: twice\nworlds: digits\nmethods: beta-vae\n{given}\n")
    with pytest.raises(InputError, match=message):
        Plan.load(path)
    with pytest.raises(InputError, match="seeds: Expected each value once"):
        Plan("t", {"digits": {}}, {"vae": Arm("vae")}, [0, 0]).jobs()


def test_a_world_is_read_once_for_its_length(monkeypatch):
    read = []
    original = __import__("prismae.studies.plan", fromlist=["observations"]).observations
    monkeypatch.setattr("prismae.studies.plan.observations", lambda job: read.append(job) or original(job))
    plan = Plan(
        "t", {"digits": {}}, {"vae": Arm("vae"), "ae": Arm("ae")}, [0, 1, 2], {"epochs": 2, "batch": 100}
    )
    assert {each.job.steps for each in plan.jobs()} == {36}  # 1,797 digits
    assert len(read) == 1


def test_own_data_are_read_once_while_they_do_not_change(tmp_path, monkeypatch):
    data = tmp_path / "own.npy"
    np.save(data, np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32))
    read, original = [], hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: read.append(given) or original(*given))
    plan = Plan("t", {str(data): {}}, {"vae": Arm("vae"), "ae": Arm("ae")}, [0, 1], {"steps": 2})
    ids = {each.job.id for each in plan.jobs() + plan.jobs()}
    assert (len(ids), len(read)) == (4, 1)
    np.save(data, np.ones((30, 4), np.float32))
    assert ids.isdisjoint(each.job.id for each in plan.jobs())


def test_other_samples_or_another_seed_are_another_score(tmp_path):
    path, out = tmp_path / "likely.yaml", tmp_path / "runs"
    text = (
        "title: likely\nworlds: digits\nmethods: vae\nseeds: [0]\nsamples: 2\n"
        "budget: {steps: 3, batch: 8, n_latents: 2, net: 'mlp:width=8', likelihood: bernoulli}\n"
        "metrics: {likelihood: [nll], locatello2019: [mig]}\n"
    )
    path.write_text(text)
    few = study(path, out, threads=1, device="cpu")
    path.write_text(text.replace("samples: 2", "samples: 9"))
    assert "likelihood:nll" not in rows(Plan.load(path), out)  # what 2 samples gave is not shown as of 9
    folder = Run(out / few["run"][0])
    score(folder, metrics=["mig"], seed=7)
    many = study(path, out, threads=1, device="cpu")
    assert (few["samples"][0], many["samples"][0]) == (2, 9)
    assert many["likelihood:nll"][0] != few["likelihood:nll"][0]
    saved = folder.scores["protocols"]
    assert saved["locatello2019"]["mig"]["taken"]["seed"] == 0
    assert saved["likelihood"]["nll"]["taken"] == {"seed": 0, "samples": 9, "prismae": many["prismae"][0]}


def test_what_is_added_at_once_is_all_kept(tmp_path):
    folder = run(
        Job("vae", "digits", steps=2, batch=8, n_latents=2, net="mlp:width=8"), tmp_path, device="cpu"
    )
    names = ["mig", "jemmig", "active-units"]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: score(folder, metrics=[name], baselines=False), names))
    table = folder.scores["protocols"]["locatello2019"]
    assert all(any(key.startswith(name) for key in table) for name in names)
    card = (folder.path / "README.md").read_text()
    assert all(f"`{key}`" in card for key in table)


def test_a_metric_that_does_not_fit_costs_no_other_score(tmp_path):
    path = tmp_path / "unfit.yaml"
    path.write_text(
        "title: unfit\nworlds: digits\nmethods: vae\nseeds: [0]\n"
        "budget: {steps: 2, batch: 8, n_latents: 2, net: 'mlp:width=8'}\nmetrics: {locatello2019: [mig, dci]}\n"
    )
    frame = study(path, tmp_path / "runs", threads=1, device="cpu")
    assert frame.attrs["failures"] == {}
    assert frame["locatello2019:mig"].notna().all()
    assert "needs 2 or more, got 1" in frame.attrs["left_out"]["locatello2019:dci"]


def test_a_metric_that_breaks_is_left_out_and_the_scores_before_it_are_written_by_then(tmp_path, monkeypatch):
    take = import_module("prismae.evaluation.take")
    path, original, there = tmp_path / "breaks.yaml", take._taken, {}

    def taken(call, key, *rest):
        [scores] = tmp_path.glob("runs/*/scores.json")
        there[key] = [*json.loads(scores.read_text()).get("protocols", {}).get("locatello2019", {})]
        if key == "active-units":
            raise ZeroDivisionError("no units")
        return original(call, key, *rest)

    monkeypatch.setattr(take, "_taken", taken)
    path.write_text(
        "title: breaks\nworlds: digits\nmethods: vae\nseeds: [0]\n"
        "budget: {steps: 2, batch: 8, n_latents: 2, net: 'mlp:width=8'}\n"
        "metrics: {locatello2019: [mig, active-units, jemmig]}\n"
    )
    frame = study(path, tmp_path / "runs", threads=1, device="cpu")
    assert (frame.attrs["failures"], len(frame)) == ({}, 1)
    assert frame["locatello2019:mig"].notna().all()
    assert frame.attrs["left_out"] == {"locatello2019:active-units": "ZeroDivisionError: no units"}
    assert there == {"mig": [], "active-units": ["mig"], "jemmig": ["mig"]}


def test_what_cannot_be_prepared_for_all_metrics_is_prepared_for_each(monkeypatch):
    subject, original = Subject(np.random.default_rng(0).normal(size=(1797, 2)), world("digits")), Codes.given

    def given(self, subject, plan, metrics, options):
        if any(each.key("locatello2019") == "jemmig" for each in metrics):
            raise KeyError("broken")
        return original(self, subject, plan, metrics, options)

    monkeypatch.setattr(Codes, "given", given)
    wanted = by_protocol(["mig", "jemmig"], ("locatello2019",))
    [(_, scores, refused)] = walk(subject, wanted, Options(tolerant=True, baselines=False))
    assert ([*scores.scores], scores.skipped, refused) == (["mig"], {"jemmig": "KeyError: 'broken'"}, None)
    with pytest.raises(KeyError):
        list(walk(subject, wanted, Options()))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"methods": {"": {"method": "vae"}}}, r"methods.*: Expected a name in one line of text, got ''"),
        ({"methods": {" ": {"method": "vae"}}}, r"in one line of text, got ' '"),
        ({"methods": {"a\nb": {"method": "vae"}}}, r"in one line of text, got 'a\\nb'"),
        ({"worlds": {"di\x1bgits": {}}}, r"worlds.*: Expected a name in one line of text"),
        (
            {"methods": {1: {"method": "vae"}, "1": {"method": "ae"}}},
            r"methods: Expected each name once, got 1",
        ),
        ({"seeds": []}, r"seeds: Expected at least one value"),
        ({"grid": {"lr": []}}, r"grid\.lr: Expected at least one value"),
    ],
)
def test_names_that_no_table_shows_and_nothing_to_try(tmp_path, changed, said):
    plan = {"title": "t", "worlds": ["digits"], "methods": ["vae"], "seeds": [0], "budget": {"steps": 5}}
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(plan | changed, allow_unicode=True), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        Plan.load(path)


def test_any_other_name_is_an_arm(tmp_path):
    arms = ["../x", "/etc/x", "con", "📈 👨‍👩‍👧", "a_b%c&d", "=1+1", "x" * 5000]
    path = tmp_path / "plan.yaml"
    path.write_text(
        yaml.safe_dump({"title": "t", "worlds": ["digits"], "methods": {arm: {"method": "vae"} for arm in arms},
                        "seeds": [0], "budget": {"steps": 5}}, allow_unicode=True), encoding="utf-8",
    )  # fmt: skip
    assert sorted(each.arm for each in Plan.load(path).jobs()) == sorted(arms)


def test_rows_are_not_written_over_other_files(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("name,age\nx,1\n")
    frame = pd.DataFrame(
        {"arm": ["a"], "method": "vae", "world": "digits", "seed": 0, "steps": 5, "mse": 0.5, "run": "vae-1"}
    )
    with pytest.raises(InputError, match=r"not written over other files: .*mine.csv is no file of rows"):
        write_rows(frame, table)
    assert table.read_text() == "name,age\nx,1\n"
    for _ in range(2):  # over rows they are
        write_rows(frame, tmp_path / "rows.csv")
    assert read_rows([tmp_path / "rows.csv"]).arm.tolist() == ["a"]
