"""The script for a GPU that is there for some minutes, on a CPU."""

import multiprocessing
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import device_pool
import device_run
from prismae.studies import Job
from prismae.studies.plan import Arm, Planned

ROOT = Path(__file__).parents[1]


def test_all_jobs_that_it_would_do_exist_and_come_once():
    plans = {path.stem for path in (ROOT / "plans").glob("*.yaml")}
    assert {name for name, *_ in device_run.ORDER} <= plans
    tasks, _ = device_run.tasks(device_run.ORDER, smoke=False)
    ids = [task.planned.job.id for task in tasks]
    assert len(set(ids)) == len(ids) > 40


def test_jobs_that_have_rows_are_not_done_again():
    """Rows of 2,000 steps of this plan are committed, of 20,000 steps none."""
    tasks, _ = device_run.tasks([("ed_gcae_critic_rate", "gpu", ("k=1", "seed=0"))], smoke=False)
    assert {task.planned.job.steps for task in tasks} == {20_000}
    assert len(tasks) == 8


def test_rows_without_a_score_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(device_run, "ROOT", tmp_path)
    plan = device_run.Plan(
        "a plan", {"pulses": {}}, {"VAE": Arm("vae")}, [0, 1], metrics={"yeats2023": ["mig"]}
    )
    plan = replace(plan, name="plan", profile="gpu")
    (tmp_path / "results").mkdir()
    rows = "arm,method,world,seed,steps,mse,run,yeats2023:mig\nVAE,vae,pulses,0,9,.1,a,\nVAE,vae,pulses,1,9,.1,b,.2\n"
    (tmp_path / "results" / "plan.gpu.csv").write_text(rows)
    assert device_run.done(plan) == {"VAE on pulses, seed 1"}


def test_a_kind_that_is_known_to_be_slow_is_expected_to_be():
    plan = device_run.Plan("a plan", {"pulses": {}}, {}, [0])
    task = device_run.Task(plan, Planned("VAE", Job("vae", "pulses", steps=100), {}))
    assert task.expected({}) == 100 * device_pool.FIRST_GUESS + device_pool.SCORING
    assert task.expected({task.kind: (0.5, 7.0)}) == 57.0


def test_a_long_training_is_not_begun_without_a_graph_where_it_would_not_end(tmp_path):
    plan = device_run.Plan("a plan", {"pulses": {}}, {}, [0])
    task = device_run.Task(plan, Planned("VAE", Job("vae", "pulses", steps=10_000), {}))
    for plain, left, begun in ((set(), 150, True), ({task.kind}, 150, False), ({task.kind}, 500, True)):
        pool = device_pool.Pool(tmp_path, tmp_path, "cpu", time.monotonic() + left, todo=[task], plain=plain)
        pipe, _ = multiprocessing.Pipe()
        worker = device_pool.Worker(multiprocessing.Process(), pipe)
        pool._give(worker)
        assert (worker.task is task) == begun


@pytest.mark.slow
def test_it_starts_where_prismae_is_not_installed(tmp_path):
    command = [sys.executable, "-S", ROOT / "tools" / "device_run.py", "--help"]
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}  # without the .pth files of editable installs
    said = subprocess.run(command, env=packages, cwd=tmp_path, capture_output=True, text=True)
    assert "--workers" in said.stdout, said.stderr


@pytest.mark.slow
def test_rows_of_every_job_and_an_end_in_time(tmp_path, real_data):
    command = [sys.executable, "tools/device_run.py", tmp_path / "out", "--smoke", "--device", "cpu"]
    options = ["--workers", "2", "--seconds", "240", "--runs", tmp_path / "runs"]
    data = {"PRISMAE_DATA": str(real_data)}
    subprocess.run([*command, *options], cwd=ROOT, env=os.environ | data, check=True, timeout=280)
    with zipfile.ZipFile(tmp_path / "out" / "rows.zip") as archive:
        with archive.open("ed_gcae_critic_rate.gpu.csv") as file:
            rows = pd.read_csv(file)
        assert archive.read("errors.txt") == b"\n"
    assert len(rows) == 8
    assert rows["yeats2023:mig"].notna().all()
