"""The workers of `device_run.py`: processes that share a GPU and do one job of a plan after another."""

from __future__ import annotations

import gc
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
import traceback
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from prismae.runs.files import JOB, SCORES
from prismae.runs.run import Run
from prismae.studies import Plan
from prismae.studies.plan import Planned
from prismae.studies.rows import rows, write_rows
from prismae.studies.status import read_status
from prismae.studies.work import ERROR, perform

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from cuda_graphs import graphs

FIRST_GUESS = 0.008  # seconds a step by a graph, before any job of the kind has ended
PLAIN_GUESS = 0.04  # likewise without a graph, on a GPU that 16 processes share
SCORING = 60.0  # seconds, likewise
MOST_PLAIN = 4  # kinds of jobs that no graph can hold before none is tried any more, if none has held one
EVERY = 15.0  # seconds between two looks
KEEP_EVERY = 60.0  # seconds between two times that rows are written


@dataclass(frozen=True)
class Task:
    """A job of a plan, and what is known of the plan."""

    plan: Plan
    planned: Planned

    @property
    def kind(self) -> tuple[Any, ...]:
        """Jobs of one kind take equally long a step."""
        job = self.planned.job
        given = job.fields or {}
        return (
            job.method,
            job.world,
            job.net,
            job.n_latents,
            given.get("critic_steps"),
            given.get("critic_type"),
        )

    def expected(
        self, known: Mapping[tuple[Any, ...], tuple[float, float]], a_step: float = FIRST_GUESS
    ) -> float:
        """Seconds that training and scoring may take; `known` has seconds a step and of scoring for each kind."""
        a_step, scoring = known.get(self.kind, (a_step, SCORING))
        return a_step * self.planned.job.limit + scoring


@dataclass
class Worker:
    """A process that does one task after another."""

    process: multiprocessing.Process
    pipe: Connection
    task: Task | None = None
    since: float = 0.0
    by_graph: bool = False


@dataclass
class Pool:
    """Tasks in their order over workers, until they are done or the time is up."""

    runs: Path
    out: Path
    device: str
    deadline: float
    todo: list[Task] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    took: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[tuple[Any, ...], tuple[float, float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    graphs: bool = True
    plain: set[tuple[Any, ...]] = field(default_factory=set)  # kinds that no graph can hold
    context: Any = field(default_factory=lambda: multiprocessing.get_context("spawn"))

    def start(self, n_workers: int) -> None:
        """Start the workers; they import what they need."""
        self.workers = [self._start() for _ in range(n_workers)]

    def run(self) -> None:
        """Work until everything is done, or nothing more fits, or the time is up."""
        said = kept = time.monotonic()
        while time.monotonic() < self.deadline:
            for worker in self.workers:
                if worker.task is None:
                    self._give(worker)
            busy = [worker for worker in self.workers if worker.task is not None]
            if not busy:
                break
            ready = wait([worker.pipe for worker in busy], timeout=1)
            for worker in busy:
                if worker.pipe in ready:
                    try:
                        self._take(worker)
                    except Exception:  # the other jobs go on
                        self.errors.append(traceback.format_exc())
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                self._say()
            if time.monotonic() - kept > KEEP_EVERY:
                self.keep()
                kept = time.monotonic()

    def stop(self) -> None:
        """End all workers at once."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join(0.5)

    def keep(self) -> None:
        """Write the rows of all that is done; a fault here must not stop the work."""
        try:
            keep(self.out, self.runs, self.plans, self.took, self.errors)
        except Exception:
            print(traceback.format_exc(), flush=True)

    def _start(self) -> Worker:
        mine, its = self.context.Pipe()
        process = self.context.Process(target=work, args=(its, self.runs, self.device), daemon=True)
        process.start()
        its.close()
        return Worker(process, mine)

    def _give(self, worker: Worker) -> None:
        left = self.deadline - time.monotonic()
        place = next((i for i, task in enumerate(self.todo) if self._expected(task) < left), None)
        if place is None:
            return
        worker.task, worker.since = self.todo.pop(place), time.monotonic()
        worker.by_graph = self._by_graph(worker.task)
        plan = worker.task.plan
        worker.pipe.send((worker.task.planned.job, plan.metrics, plan.samples, worker.by_graph))

    def _expected(self, task: Task) -> float:
        return task.expected(self.known, FIRST_GUESS if self._by_graph(task) else PLAIN_GUESS)

    def _by_graph(self, task: Task) -> bool:
        return self.graphs and task.kind not in self.plain

    def _take(self, worker: Worker) -> None:
        task, seconds = worker.task, time.monotonic() - worker.since
        assert task is not None
        worker.task = None
        name, job = str(task.planned), task.planned.job
        try:
            error, note = worker.pipe.recv()
        except (EOFError, OSError):
            error, note = "The process ended; perhaps memory ran out.", ""
        if error:  # also what is left of a process after a failed graph is not to be trusted
            with suppress(OSError):
                worker.pipe.send(None)
            self.workers[self.workers.index(worker)] = self._start()
        if error and worker.by_graph:
            self.plain.add(task.kind)
            self.graphs = len(self.plain) < MOST_PLAIN or any(each["note"] for each in self.took.values())
            self.todo.insert(0, task)
            print(
                f"{self._left()} again without a graph: {name}: {error.strip().splitlines()[-1]}", flush=True
            )
            return
        if error:
            self.errors.append(f"{task.plan.name}: {name} ({job.id}): {error}")
            print(f"{self._left()} FAILED {name}: {error.strip().splitlines()[-1]}", flush=True)
            return
        training = float(Run(self.runs / job.id).job["seconds"])
        self.known[task.kind] = training / job.limit, seconds - training
        self.took[job.id] = {"job": name, "training": training, "all": round(seconds, 1), "note": note}
        print(
            f"{self._left()} {task.plan.name}: {name}: {training:.0f} s of {seconds:.0f} s in training",
            flush=True,
        )

    def _left(self) -> str:
        return f"[{self.deadline - time.monotonic():4.0f} s left]"

    def _say(self) -> None:
        states = [read_status(status(self.runs, w.task.planned.job.id)) for w in self.workers if w.task]
        training = [state.step for state in states if state.state == "training"]
        print(
            f"{self._left()} {len(self.took)} done, {len(self.errors)} failed, {len(self.todo)} waiting; training at "
            f"steps {sorted(training)}, {len(states) - len(training)} scoring; GPU {gpu_load()}",
            flush=True,
        )


def status(runs: Path, job: str) -> Path:
    """Where a worker says how far it is."""
    return runs / ".status" / f"{job}.json"


def work(pipe: Connection, runs: Path, device: str) -> None:
    """A worker: jobs from the pipe, for each its error, "" for none, and a note back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import lightning_fabric  # noqa: F401 - before there is work

    while True:
        try:
            given = pipe.recv()
        except EOFError:
            return
        if given is None:
            return
        job, metrics, samples, by_graph = given
        path = status(runs, job.id)
        path.unlink(missing_ok=True)
        notes: list[str] = []
        try:
            with graphs(notes.append) if by_graph else nullcontext():
                perform(
                    job,
                    runs,
                    metrics,
                    path,
                    samples=samples,
                    threads=1,
                    device=device,
                    checkpoint_every=10**9,
                )
            error = runs / job.id / ERROR
            said = error.read_text() if error.exists() else read_status(path).error
            pipe.send((said, " ".join(notes)))
        except Exception:
            pipe.send((traceback.format_exc(), " ".join(notes)))
        gc.collect()
        if device == "cuda":
            torch.cuda.empty_cache()


def keep(
    out: Path, runs: Path, plans: Sequence[Plan], took: Mapping[str, Any], errors: Sequence[str]
) -> None:
    """Write rows.zip, whole or not at all."""
    folder = runs / ".rows"
    for plan in plans:
        frame = rows(plan, runs)
        if len(frame):
            write_rows(frame, folder / f"{plan.name}.{plan.profile}.csv")
    part = runs / ".rows.zip"
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.glob("*.csv")):
            archive.write(path, path.name)
        for job in took:
            for name in (JOB, SCORES):
                archive.write(runs / job / name, f"runs/{job}/{name}")
        archive.writestr("errors.txt", "\n".join(errors) + "\n")
    shutil.copyfile(part, out / "rows.part")
    (out / "rows.part").replace(out / "rows.zip")


def gpu_load() -> str:
    """Load and memory of the GPU in words, as its driver tells."""
    command = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
