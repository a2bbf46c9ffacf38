"""A study from end to end: resumed after a kill, never computed twice, failures reported, two at once."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from prismae.data import world
from prismae.errors import InputError, NotFinite
from prismae.runs import observations
from prismae.runs.claim import Claimed, claim
from prismae.runs.run import Run
from prismae.studies import Job, Plan, rows, run, score, study
from prismae.studies.plan import Planned
from prismae.studies.rows import read_rows, write_rows
from prismae.studies.selection import agreement
from prismae.studies.study import chosen
from prismae.studies.summary import summarise
from prismae.studies.tables import render

TEXT = """
title: tiny
worlds: digits
methods: {vae: {}, beta-vae: {grid: {beta: [2.0]}}}
seeds: [0, 1]
budget: {steps: 40, batch: 8, n_latents: 3, net: 'mlp:width=8'}
metrics: {locatello2019: [mig]}
"""
TIMES = ["seconds"]


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "tiny.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def whole(plan_file, tmp_path_factory):
    """Rows and run folders of an undisturbed study."""
    out = tmp_path_factory.mktemp("runs")
    return study(plan_file, out, threads=1, device="cpu"), out


def test_own_data_are_read_once_for_a_job_and_not_at_all_where_it_is_done(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("abcd")).assign(kind=rng.integers(3, size=60))
    table.to_csv(tmp_path / "mine.csv", index=False)
    (tmp_path / "plan.yaml").write_text(f"""
title: own
worlds: {{{tmp_path / "mine.csv"}: {{factors: [kind]}}}}
methods: [ae, vae]
seeds: [0]
budget: {{steps: 3, n_latents: 2, holdout: 0.2}}
metrics: {{locatello2019: [mig], yeats2023: [mig]}}
""")
    read, reads = observations.world, []
    monkeypatch.setattr(observations, "world", lambda *a, **k: reads.append(a) or read(*a, **k))
    frame = study(tmp_path / "plan.yaml", tmp_path / "runs", threads=1, device="cpu")
    assert not frame.attrs["failures"]
    assert len(reads) == 2
    study(tmp_path / "plan.yaml", tmp_path / "runs", threads=1, device="cpu")
    assert len(reads) == 2


def command(plan_file, out, *words):
    return [
        sys.executable,
        "-m",
        "prismae",
        "study",
        str(plan_file),
        "--out",
        str(out),
        "--threads",
        "1",
        *words,
    ]


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a.drop(columns=TIMES), b.drop(columns=TIMES), check_exact=True)


def test_rows_say_everything(whole):
    frame, _ = whole
    assert frame.attrs["failures"] == {}
    assert list(frame["arm"]) == ["vae", "beta-vae"] * 2
    assert list(frame["beta"].dropna()) == [2.0] * 2
    assert {"mse", "nats", "locatello2019:mig", "locatello2019:mig:chance", "run", "prismae"} <= set(frame)
    assert frame["machine"].str.contains("1 threads, torch").all()
    assert frame.notna().drop(columns="beta").all(axis=None)


def test_finished_jobs_are_not_computed_again_and_new_metrics_are_added(
    whole, plan_file, monkeypatch, tmp_path
):
    frame, out = whole
    monkeypatch.setattr("prismae.studies.fit.train", lambda *args, **kwargs: pytest.fail("trained again"))
    with monkeypatch.context() as patch:
        patch.setattr("prismae.studies.work.score", lambda *args, **kwargs: pytest.fail("scored again"))
        same(study(plan_file, out), frame)
    more = tmp_path / "tiny.yaml"
    more.write_text(TEXT.replace("[mig]", "[mig, active-units]"))
    asked = []
    original = __import__("prismae.runs.scoring", fromlist=["score"]).score
    monkeypatch.setattr(
        "prismae.studies.work.score",
        lambda folder, **given: asked.append(given["metrics"]) or original(folder, **given),
    )
    richer = study(more, out)
    assert asked == [["active-units"]] * 4
    same(richer[frame.columns], frame)
    assert (richer["locatello2019:active-units"] <= 3).all()


def test_numbers_once_reported_stay_when_metrics_are_added(whole, monkeypatch, tmp_path):
    _, out = whole
    folder = Run(shutil.copytree(next(out.glob("vae-*")), tmp_path / "run"))
    said = folder.scores | {
        "reconstruction": {"mse": 0.5, "nats": 9.0},
        "spread": [1.0, 2.0, 3.0],
        "unseen": {"n": 7, "reconstruction": {"mse": 0.25, "nats": 8.0}},
    }
    folder.write_json("scores.json", said)
    monkeypatch.setattr("prismae.runs.scoring.unseen", lambda job: world("digits"))
    found = score(folder, metrics=["jemmig"])
    for table in (found["protocols"], found["unseen"].pop("protocols")):
        assert table["locatello2019"].pop("jemmig")["score"] <= 1
    del found["skipped"], said["skipped"]
    assert found == said
    monkeypatch.setattr("prismae.evaluation.subjects.codes_table", lambda *_, **__: pytest.fail("encoded"))
    score(folder, protocols=())


KILLS_ITSELF = """if True:
    import os, signal, sys
    from prismae.studies import study, work
    def run(job, *args, on_step, **given):
        def step(n):
            on_step(n)
            if job.seed == 1 and n == 20:
                os.kill(os.getpid(), signal.SIGKILL)
        return original(job, *args, on_step=step, **given)
    original, work.run = work.run, run
    study(sys.argv[1], sys.argv[2], only=["vae"], threads=1, device="cpu", checkpoint_every=5)
"""


@pytest.mark.slow
def test_a_study_killed_in_the_middle_ends_with_the_same_rows(whole, plan_file, tmp_path):
    frame = whole[0].query("arm == 'vae'").drop(columns="beta").reset_index(drop=True)
    killed = subprocess.run([sys.executable, "-c", KILLS_ITSELF, str(plan_file), str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("*/scores.json"))) == 1
    assert len(list(tmp_path.glob("*/checkpoint/state.safetensors"))) == 1
    same(study(plan_file, tmp_path, only=["vae"], threads=1, device="cpu"), frame)
    assert not list(tmp_path.glob("*/checkpoint"))


@pytest.mark.slow
def test_two_studies_at_once_share_the_work(whole, plan_file, tmp_path):
    frame, _ = whole
    other = subprocess.Popen(command(plan_file, tmp_path), stderr=subprocess.PIPE, text=True)
    mine = study(plan_file, tmp_path, threads=1)
    _, said = other.communicate(timeout=200)
    assert other.returncode == 0, said
    same(mine, frame)
    same(rows(Plan.load(plan_file), tmp_path), frame)


def test_a_run_that_another_process_computes_is_refused_or_waited_for(tmp_path):
    job = Job("vae", "digits", steps=3, batch=8, net="mlp:width=8")
    folder = Run(tmp_path / job.id)
    hold = """if True:
        import sys, time
        from pathlib import Path
        from prismae.runs.claim import claim
        from prismae.runs.run import Run
        with claim(Run(Path(sys.argv[1]))):
            print("held", flush=True)
            time.sleep(60)
    """
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(folder.path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Claimed, match="is being computed by another process"):
        run(job, tmp_path)
    assert not folder.finished
    holder.kill()  # and no lock is left behind
    holder.wait()
    with claim(folder):
        pass
    assert run(job, tmp_path).finished


def test_a_job_that_fails_does_not_stop_the_others(plan_file, tmp_path, monkeypatch, capfd):
    from prismae.studies import work

    def fails(job, *args, **kwargs):
        if job.method == "vae" and job.seed == 0:
            raise RuntimeError("no luck")
        return run(job, *args, **kwargs)

    monkeypatch.setattr(work, "run", fails)
    frame = study(plan_file, tmp_path, only=["seed=0"], threads=1)
    assert list(frame["arm"]) == ["beta-vae"]
    ((job, error),) = frame.attrs["failures"].items()
    assert job.startswith("vae-digits-")
    assert error.startswith("RuntimeError: no luck")
    assert "no luck" in (tmp_path / job / "error.txt").read_text()
    monkeypatch.undo()
    assert len(study(plan_file, tmp_path, only=["seed=0"], threads=1)) == 2
    assert not (tmp_path / job / "error.txt").exists()


def test_a_training_that_became_nan_is_a_row_without_scores_until_it_succeeds(tmp_path, monkeypatch):
    path = tmp_path / "plan.yaml"
    path.write_text(
        "title: t\nworlds: digits\nmethods: {VAE: {method: vae}}\nseeds: [0, 1]\n"
        "budget: {steps: 40, lr: 0.001, net: 'mlp:width=8'}\nmetrics: {locatello2019: [mig]}\n"
    )

    def breaks(job, *args, **kwargs):
        if job.seed == 1:
            Run(args[0] / job.id).write_json("job.json", {"version": "0"})
            raise NotFinite("kl became nan at step 7: try a smaller learning rate.")
        return run(job, *args, **kwargs)

    monkeypatch.setattr("prismae.studies.work.run", breaks)
    frame = study(path, tmp_path / "runs", threads=1)
    (failed,) = frame[frame["seed"] == 1].to_dict("records")
    assert failed["warnings"] == "The training failed: kl became nan at step 7: try a smaller learning rate."
    assert (failed["steps"], pd.isna(failed["mse"]), pd.isna(failed["locatello2019:mig"])) == (40, True, True)
    plan = Plan.load(path)
    text = render(plan, summarise(plan, frame))
    assert "| VAE | 1 |" in text
    assert "The training failed in 1 of 2 runs: VAE (seed 1)." in text
    assert agreement(frame["run"].tolist(), tmp_path / "runs")[0].size == 0
    write_rows(frame, tmp_path / "rows.csv")
    assert read_rows([tmp_path / "rows.csv"])["warnings"].fillna("").tolist() == frame["warnings"].tolist()
    monkeypatch.undo()
    assert study(path, tmp_path / "runs", threads=1)["mse"].notna().all()


def test_only_chooses_jobs_and_names_what_there_is(plan_file):
    jobs = Plan.load(plan_file).jobs()
    assert [each.job.seed for each in chosen(jobs, ["vae"])] == [0, 1]
    assert [each.swept for each in chosen(jobs, ["seed=1", "beta=2.0"])] == [{"beta": 2.0}]
    with pytest.raises(InputError, match="Unknown arm of this plan 'vea': did you mean 'vae'"):
        chosen(jobs, ["vea"])
    with pytest.raises(InputError, match="Unknown key of --only 'sed': did you mean 'seed'"):
        chosen(jobs, ["sed=1"])


def test_only_takes_other_capitals_and_the_method_of_an_arm():
    methods = {
        "GCAE": "gcae",
        "β-VAE": "beta-vae",
        "VAE": "vae",
        "vae": "ae",
        "Slow": "dip-vae",
        "Fast": "dip-vae",
    }
    jobs = [Planned(arm, Job(method, "digits"), {}) for arm, method in methods.items()]

    def arms(*only):
        return [each.arm for each in chosen(jobs, only)]

    assert arms("gcae") == arms("Gcae") == ["GCAE"]
    assert arms("beta-vae,SLOW") == arms("arm=beta-VAE,slow") == ["β-VAE", "Slow"]
    assert arms("vae") == ["vae"]  # the arm of this very name, not the method
    assert arms("gcae", "slow") == ["GCAE", "Slow"]  # what is said twice of one key adds up
    with pytest.raises(InputError, match="'Vae' could be 'VAE' or 'vae': expected one of them"):
        arms("Vae")
    with pytest.raises(InputError, match="'dip-vae' could be 'Slow' or 'Fast'"):
        arms("dip-vae")
    with pytest.raises(InputError, match="Unknown world of this plan 'gcae'"):
        arms("world=gcae")


def test_only_names_no_value_of_a_grid_that_a_job_does_not_have():
    grid = [Planned("GCAE", Job("gcae", "digits"), {"σ": sigma}) for sigma in (0.2, 0.3)]
    jobs = [*grid, Planned("VAE", Job("vae", "digits"), {})]
    assert chosen(jobs, ["σ=0.2"]) == grid[:1]
    with pytest.raises(InputError, match=r"Unknown σ of this plan '9': expected one of 0\.2, 0\.3\."):
        chosen(jobs, ["σ=9"])


def test_only_takes_arms_whose_names_look_like_conditions():
    names = ["A, σ = 0.1", "B, σ = 0.2"]
    jobs = [Planned(name, Job("gcae", "digits", seed=seed), {}) for name in names for seed in (0, 1)]
    assert [each.arm for each in chosen(jobs, ["a, σ = 0.1"])] == names[:1] * 2
    assert [(each.arm, each.job.seed) for each in chosen(jobs, [*names, "seed=1"])] == [
        (name, 1) for name in names
    ]
    worlds = [Planned("VAE", Job("vae", name), {}) for name in ("pulses:correlated=a~b~1,c~d~1", "digits")]
    assert chosen(worlds, [f"world={worlds[0].job.world}"]) == worlds[:1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"engine": "rya"}, "Unknown engine 'rya': did you mean 'ray'"),
        ({"address": "auto"}, "An address needs a cluster"),
        ({"gpus_per_job": 0.5}, "set aside by Ray only"),
    ],
)
def test_engines_refuse_what_they_cannot_do(given, expected, plan_file, tmp_path):
    with pytest.raises(InputError, match=expected):
        study(plan_file, tmp_path, **given)
