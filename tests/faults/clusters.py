"""A study on a cluster whose workers are killed while it goes on, as `prismae study` runs it in a terminal."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
from faulty import contents, differences

JOBS, EVERY = 16, 100  # and steps between checkpoints
FAR = 3  # checkpoints that a worker writes before it may be killed
PLAN = """
title: Sixteen small jobs
worlds: [{data}]
methods: {{vae: {{}}, beta-vae: {{fields: {{beta: 4.0}}}}}}
seeds: [0, 1, 2, 3, 4, 5, 6, 7]
budget: {{steps: {steps}, n_latents: 2, batch: 8, net: "mlp:width=8"}}
metrics: {{locatello2019: [mig]}}
"""


class Killer(threading.Thread):
    """Kills a worker each so many seconds, drawn by the seed among those that got on since they began.

    Of any other a kill only says that its job begins again: where cores are slow, none would come to an end.
    """

    def __init__(self, study: int, runs: Path, every: float) -> None:
        super().__init__(daemon=True)
        self.study, self.runs, self.every = study, runs, every
        self.left = threading.Event()
        self.killed: Counter[str] = Counter()  # by the job's id

    def run(self) -> None:
        rng, after = random.Random(0), time.monotonic() + self.every
        seen: dict[tuple[int, str], set[float]] = {}  # by worker and job, when checkpoints were written
        while not self.left.wait(0.2):
            there = dict(self.workers())
            for worker, written in there.items():
                seen.setdefault(worker, set()).add(written)
            far = sorted(worker for worker in there if len(seen[worker]) >= FAR)
            if far and time.monotonic() > after:
                pid, job = rng.choice(far)
                with suppress(ProcessLookupError):  # it has come to its end meanwhile
                    os.kill(pid, signal.SIGKILL)
                    self.killed[job] += 1
                after = time.monotonic() + self.every

    def workers(self) -> Iterator[tuple[tuple[int, str], float]]:
        """Each process that trains with its job, whose lock it holds, and when its last checkpoint was written."""
        import psutil  # comes with Ray, and with Dask

        for each in psutil.Process(self.study).children(recursive=True):
            with suppress(psutil.Error, OSError):
                for path in (Path(file.path) for file in each.open_files()):
                    if path.name == ".lock" and path.parent.parent == self.runs:
                        written = (path.parent / "checkpoint" / "state.safetensors").stat().st_mtime
                        if written > each.create_time():
                            yield (each.pid, path.parent.name), written


def begun(folder: Path, steps: int, words: Sequence[str]) -> subprocess.Popen[str]:
    """`prismae study` in a folder of its own."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (60, 2))
    noise = 0.1 * rng.normal(size=(60, 6))
    data = folder.parent / "own.npz"  # one for all studies: rows name it
    if not data.exists():
        np.savez(data, x=(factors @ rng.normal(size=(2, 6)) + noise).astype(np.float32), factors=factors)
    folder.mkdir()
    (folder / "plan.yaml").write_text(PLAN.format(data=data, steps=steps))
    command = [
        "study",
        "plan.yaml",
        "--rows",
        "rows.csv",
        "--device",
        "cpu",
        "--checkpoint-every",
        str(EVERY),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "prismae", *command, "--jobs", "2", "--threads", "1", *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"},
    )  # fmt: skip


def undisturbed(folder: Path, steps: int) -> Path:
    """The folder of a study of 16 jobs that nothing disturbed."""
    study = begun(folder, steps, ())
    said, _ = study.communicate()
    assert study.returncode == 0, said
    return folder


def disturbed(folder: Path, steps: int, engine: str, every: float) -> tuple[Counter[str], str]:
    """How often the worker of each job was killed in a study on a cluster, and what the study said if it failed."""
    study = begun(folder, steps, ("--engine", engine))
    killer = Killer(study.pid, folder / "runs", every)
    killer.start()
    said, _ = study.communicate()
    killer.left.set()
    killer.join()
    return killer.killed, "" if study.returncode == 0 else f"code {study.returncode}, said {said[-3000:]}"


def compared(found: Path, expected: Path) -> list[str]:
    """What differs between two studies: rows but for their seconds, bits of weights, histories, scores and all else."""
    rows, others = (pd.read_csv(each / "rows.csv").drop(columns="seconds") for each in (found, expected))
    wrong = [] if len(rows) == JOBS and rows.equals(others) else ["rows differ"]
    paths = differences(contents(found / "runs"), contents(expected / "runs"))
    return wrong + [f"differs: {path}" for path in paths]
