"""The script for a GPU that is there for some minutes, on a CPU."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import device_pool
import device_run
from prismae.studies import Job
from prismae.studies.plan import Planned

ROOT = Path(__file__).parents[1]


def test_all_jobs_that_it_would_do_exist_and_come_once():
    plans = {path.stem for path in (ROOT / "plans").glob("*.yaml")}
    assert {name for name, *_ in device_run.ORDER} <= plans
    tasks, _ = device_run.tasks(device_run.ORDER[:2], smoke=False)
    ids = [task.planned.job.id for task in tasks]
    assert len(set(ids)) == len(ids) == 40
    assert tasks[0].planned.job.steps == 20_000


def test_a_kind_that_is_known_to_be_slow_is_expected_to_be():
    plan = device_run.Plan("a plan", {"pulses": {}}, {}, [0])
    task = device_run.Task(plan, Planned("VAE", Job("vae", "pulses", steps=100), {}))
    assert task.expected({}) == 100 * device_pool.FIRST_GUESS + device_pool.SCORING
    assert task.expected({task.kind: (0.5, 7.0)}) == 57.0


@pytest.mark.slow
def test_rows_of_every_job_and_an_end_in_time(tmp_path):
    command = [sys.executable, "tools/device_run.py", tmp_path / "out", "--smoke", "--device", "cpu"]
    options = ["--workers", "2", "--seconds", "240", "--runs", tmp_path / "runs"]
    subprocess.run([*command, *options], cwd=ROOT, check=True, timeout=280)
    with zipfile.ZipFile(tmp_path / "out" / "rows.zip") as archive:
        with archive.open("ed_gcae_critic_rate.gpu.csv") as file:
            rows = pd.read_csv(file)
        assert archive.read("errors.txt") == b"\n"
    assert len(rows) == 8
    assert rows["yeats2023:mig"].notna().all()
