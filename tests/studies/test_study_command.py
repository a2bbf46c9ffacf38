"""`prismae study` as a user types it: what it lists, what it leaves out, and how it ends."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from prismae import cli
from prismae.data import world
from prismae.runs.files import JOB
from prismae.runs.loading import machine
from prismae.runs.run import Run
from prismae.studies import Job, run
from prismae.studies.estimate import _timed, estimates
from prismae.studies.work import limited_threads, missing

PLAN = """
title: tiny
worlds: {world}
methods: {{VAE: {{method: vae}}, too fast: {{method: beta-vae, lr: {lr}}}}}
seeds: [0]
budget: {{steps: 20, batch: 8, n_latents: 3, net: 'mlp:width=8'}}
metrics: {metrics}
"""
SCORES = "{locatello2019: [active-units]}"


class Network:
    """In place of FID's."""

    def __init__(self, normalize):
        assert normalize

    def update(self, images, real):
        assert images.shape[1] == 3

    def compute(self):
        return torch.tensor(2.5)


@pytest.fixture
def study(capfd, tmp_path):
    """The command on such a plan → exit code, standard output and error."""

    def command(*words, world="digits", metrics=SCORES, lr=0.001):
        plan = tmp_path / "tiny.yaml"
        plan.write_text(PLAN.format(world=world, metrics=metrics, lr=lr))
        argv, sys.argv = sys.argv, ["prismae", "study", *map(str, (plan, "--out", tmp_path / "runs", *words))]
        try:
            with pytest.raises(SystemExit) as stop:
                cli.main()
        finally:
            sys.argv = argv
        return stop.value.code or 0, *capfd.readouterr()

    return command


@pytest.fixture
def no_networks(monkeypatch):
    """As if the extra `perceptual` were not installed."""

    def absent(*args, **kwargs):
        raise ModuleNotFoundError("metric requires that `Torch-fidelity` is installed.")

    monkeypatch.setattr("prismae.metrics.generation.official.find_spec", lambda name: None)
    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance", absent)


def test_a_busy_machine_makes_no_estimate_long(monkeypatch):
    clock = iter(
        [0.0, 5.0, *(5.0 + t for t in (9, 18, 18.5, 27, 36, 45, 54, 63, 72, 81))]
    )  # one step goes through

    def steps(*_, hooks, **__):
        for step in range(3, 14):
            hooks[0].on_step(SimpleNamespace(step=step))

    monkeypatch.setattr("prismae.studies.estimate.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr("prismae.studies.estimate.train", steps)
    assert _timed(Job("vae", "digits", steps=1000), world("digits"), "cpu", 0) == (5.0, 0.5)


def test_the_estimate_is_for_the_threads_that_are_asked_for(study, monkeypatch):
    seen = []

    def probe(job, data, device):
        seen.append(torch.get_num_threads())
        return 0.0, 3.0

    monkeypatch.setattr("prismae.studies.estimate._probe", probe)
    before = torch.get_num_threads()
    code, out, _ = study("--dry-run", "--threads", 1, "--only", "VAE")
    assert (code, seen, torch.get_num_threads()) == (0, [1], before)
    assert "1 min 0 s of training to come with 1 at once, each on 1 thread;" in out
    code, out, _ = study("--dry-run", "--threads", 2, "--jobs", 3)
    assert seen == [1, 2, 2]
    assert "with 3 at once, each on 2 threads;" in out
    code, out, _ = study("--dry-run", "--engine", "ray", "--jobs", 2)
    assert "with 2 at once, each on 1 thread;" in out


def test_finished_jobs_tell_the_time_of_jobs_with_as_many_threads(monkeypatch, tmp_path):
    monkeypatch.setattr("prismae.studies.estimate._probe", lambda *_: (0.0, 3.0))
    job = Job("vae", "digits", steps=10, batch=8, net="mlp:width=8")
    with limited_threads(1):
        run(job, tmp_path, device="cpu")
    other = replace(job, seed=1)
    assert estimates([other], tmp_path, "cpu", 1)[other.id][1] == "1 finished job of this kind"
    assert estimates([other], tmp_path, "cpu", 2)[other.id] == (30.0, "a probe of 10 steps")


def test_the_warm_up_of_finished_jobs_is_counted_once(monkeypatch, tmp_path):
    monkeypatch.setattr("prismae.studies.estimate._probe", lambda *_: (0.0, 3.0))
    job = Job(
        "gcae", "digits", fields={"critic_warmup": 5}, steps=10, batch=8, net="mlp:width=8", n_latents=2
    )
    done = run(job, tmp_path, device="cpu")
    assert 0 <= done.job["warm_up"] <= done.job["seconds"]
    about = {**done.job, "machine": machine("cpu"), "warm_up": 30.0, "seconds": 50.0}  # 2 seconds a step
    (done.path / JOB).write_text(json.dumps(about))
    (done.path / "manifest.json").unlink()  # the file was changed by hand
    longer = replace(job, steps=600)
    assert estimates([longer], tmp_path, "cpu")[longer.id] == (1230.0, "1 finished job of this kind")
    del about["warm_up"]  # as an earlier version wrote it, which cannot tell
    (done.path / JOB).write_text(json.dumps(about))
    assert estimates([longer], tmp_path, "cpu")[longer.id] == (1800.0, "a probe of 10 steps")


def test_a_job_that_fails_is_named_with_its_error_and_the_exit_code_is_1(study, tmp_path):
    code, out, err = study(lr="1.0e+30")
    assert code == 1
    assert "2 rows of tiny" in out  # one of them says that it failed
    (failed,) = (tmp_path / "runs").glob("*/error.txt")
    assert f"{failed.parent.name} failed: " in err
    assert "recon became" in err
    code, _, err = study("--only", "VAE")
    assert (code, "failed" in err) == (0, False)


FID_LEFT_OUT = (
    "left out: FID needs an official network that is not installed: pip install 'prismae[perceptual]'"
)


@pytest.mark.usefixtures("no_networks")
def test_a_score_whose_network_is_not_installed_is_left_out_with_the_reason(study, monkeypatch, tmp_path):
    monkeypatch.setattr("prismae.studies.estimate._probe", lambda *_: (0.0, 3.0))
    how = ("--only", "VAE")
    _, out, _ = study("--dry-run", *how, metrics="{generation: [fid, psnr]}")
    assert f"generation:fid will be {FID_LEFT_OUT}" in out
    code, _, err = study(*how, metrics="{generation: [fid, psnr]}")
    assert code == 0
    assert err.count(f"generation:fid was {FID_LEFT_OUT}") == 1
    (folder,) = map(Run, (tmp_path / "runs").glob("vae-*"))
    scores = folder.scores
    assert list(scores["skipped"]["generation"]) == ["fid"]
    assert list(scores["protocols"]["generation"]) == ["psnr"]
    monkeypatch.setattr("prismae.studies.work.score", lambda *_, **__: pytest.fail("tried again"))
    assert study(*how, metrics="{generation: [fid]}")[0] == 0


@pytest.mark.usefixtures("no_networks")
def test_a_score_is_made_up_for_once_its_network_is_installed(study, monkeypatch, tmp_path):
    how = {"metrics": "{generation: [fid]}"}
    code, out, err = study("--only", "VAE", **how)
    assert (code, "1 rows of tiny" in out) == (0, True)
    assert f"generation:fid was {FID_LEFT_OUT}" in err
    monkeypatch.setattr("prismae.metrics.generation.official.find_spec", lambda name: name)
    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance", Network)
    code, _, err = study("--only", "VAE", **how)
    assert (code, "left out" in err) == (0, False)
    (folder,) = map(Run, (tmp_path / "runs").glob("vae-*"))
    scores = folder.scores
    assert scores["protocols"]["generation"]["fid-samples"]["score"] == 2.5
    assert scores["skipped"]["generation"] == {}


def test_metrics_of_factors_are_left_out_where_none_are_known(study, tmp_path):
    np.save(tmp_path / "own.npy", np.random.default_rng(0).random((60, 1, 8, 8), dtype=np.float32))
    world = tmp_path / "own.npy"
    for metrics in ("{locatello2019: [mig, sap]}", "{locatello2019: [mig, sap], generation: [psnr]}"):
        code, _, err = study("--only", "VAE", world=world, metrics=metrics)
        assert code == 0
        both = "locatello2019:mig, locatello2019:sap were left out: The world has no known factors."
        assert err.splitlines().count(both) == 1
    (folder,) = map(Run, (tmp_path / "runs").glob("vae-*"))
    assert set(folder.scores["protocols"]) == {"generation"}
    assert missing(folder, {"locatello2019": ["mig", "sap"], "generation": ["psnr"]}, samples=500) == {}


def test_a_kill_between_a_score_and_what_comes_with_it_loses_nothing(study, monkeypatch, tmp_path):
    how = {"metrics": "{yeats2023: [mig]}"}
    assert study("--only", "VAE", **how)[0] == 0
    (folder,) = map(Run, (tmp_path / "runs").glob("vae-*"))
    expected = {name: (folder.path / name).read_bytes() for name in ("scores.json", "README.md")}
    assert "unfinished" not in folder.scores
    for stop in ("beside", "_finish"):  # its matrices are not there yet; nothing says yet that all is
        (folder.path / "scores.json").unlink()
        (folder.path / "manifest.json").unlink()
        with monkeypatch.context() as patch:
            patch.setattr(f"prismae.runs.scoring.{stop}", raising)
            study("--only", "VAE", **how)
        assert missing(Run(folder.path), {"yeats2023": ["mig"]}, samples=500) == {"yeats2023": ["mig"]}
        left = folder.path / f".{32 * 'a'}.part"
        left.mkdir()
        assert study("--only", "VAE", **how)[0] == 0
        assert {name: (folder.path / name).read_bytes() for name in expected} == expected
        assert study("--only", "VAE", **how)[0] == 0
        assert not left.exists()


def raising(*_, **__):
    raise KeyboardInterrupt


def test_rows_of_other_runs_are_not_lost(study, tmp_path):
    rows = tmp_path / "rows.csv"
    for _ in range(2):  # its own are written again
        assert study("--only", "VAE", "--rows", rows)[0] == 0
    before = rows.read_bytes()
    run = pd.read_csv(rows)["run"][0]
    code, _, error = study("--only", "VAE", "--rows", rows, "--out", tmp_path / "elsewhere")
    assert code == 2
    said = " ".join(error.split())
    assert f"holds rows of 1 run not in {tmp_path / 'elsewhere'} ({run}), which would be lost" in said
    assert rows.read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


def test_a_plan_is_not_lost_to_its_rows(study, tmp_path):
    code, _, error = study("--rows", tmp_path / "tiny.yaml")
    assert code == 2
    assert "tiny.yaml is no file of rows" in " ".join(error.split())
    assert (tmp_path / "tiny.yaml").read_text().startswith("\ntitle: tiny")
    assert not (tmp_path / "runs").exists()


def test_how_own_data_are_understood_is_said_before_the_training(study, tmp_path):
    path = tmp_path / "mine.csv"
    a, b = np.random.default_rng(0).normal(size=(2, 40)).round(3)
    pd.DataFrame({"a": a, "b": b, "c": 1}).to_csv(path, index=False)
    for words, times in ((["--dry-run"], 1), ([], 1), ([], 0)):  # what is done is not read again
        code, said, error = study("--only", "VAE", *words, world=f"'{path}'")
        assert code == 0
        assert (said.count("own file mine.csv: 40 observations"), said.count("'c' is constant")) == (
            times,
            times,
        )
        trained = [line for line in error.splitlines() if line.startswith("done")]
        assert bool(trained) == (times == 1 and not words)
        assert all(str(path) in line and line.endswith(")") for line in trained)  # a line each in a file


def test_a_dry_run_names_the_jobs_that_cannot_be_trained_and_times_the_others(study, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("a,b\n1,2\n")
    code, out, _ = study("--dry-run", "--threads", 1, "--only", "VAE", world=f"['{path}', digits]")
    assert code == 1
    bad, good = [line for line in out.splitlines() if line.startswith("VAE on")]
    assert "cannot be trained: one.csv has one row" in bad
    assert good.endswith("a probe of 10 steps")
    assert "1 of 2 jobs cannot be trained" in out
