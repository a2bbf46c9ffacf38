"""What a worker of a study does with one job: train, score, and say how it went."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import torch
from threadpoolctl import threadpool_limits

from prismae._files import write_file
from prismae.data import World
from prismae.errors import InputError, Unavailable, of_machine
from prismae.evaluation import scores_of
from prismae.metrics.generation.official import PACKAGES, lacking
from prismae.runs.claim import Claimed, claim
from prismae.runs.files import FAILED
from prismae.runs.job import Job
from prismae.runs.observations import parted
from prismae.runs.run import Run
from prismae.runs.scoring import UNFINISHED, fits, score
from prismae.settings import as_plain
from prismae.studies.fit import run
from prismae.studies.status import Reporter, Status
from prismae.train import Hook, Interrupted, NotFinite

ERROR = "error.txt"
Metrics = Mapping[str, Sequence[str]]  # protocol → metrics


class Follower(Protocol):
    """What follows a training and hears of its results, as a tracker does."""

    def hook(self) -> Hook:
        """What is called along the way."""

    def results(self, run: Run) -> None:
        """Called once the run is scored."""

    def end(self) -> None:
        """Called at the end, however it is reached."""


Follow = Callable[[Run, Mapping[str, Any]], Follower]  # of a run, and of its job's fields


def perform(
    job: Job,
    out: Path,
    metrics: Metrics,
    status: Path,
    *,
    samples: int,
    threads: int,
    device: str = "auto",
    checkpoint_every: int = 500,
    wait: bool = False,
    follow: Follow | None = None,
) -> None:
    """Train a job and score it, as far as that is not done; what goes wrong is written down, not raised.

    Parameters
    ----------
    out
        Where run folders are kept.
    status
        File to write the progress and the outcome to.
    samples
        Samples of each posterior, behind a likelihood.
    threads
        Threads of this process while it works.
    wait
        Wait for another process that computes the same run; else its status is "elsewhere".
    follow
        Makes what follows the run, such as a tracker.

    Raises
    ------
    Interrupted, KeyboardInterrupt
        By Ctrl-C.
    """
    report = Reporter(status)
    kept = Run(out / job.id)
    try:
        follower = None if follow is None else follow(kept, as_plain(job))
        with limited_threads(threads), ExitStack() as ends:
            if follower is not None:
                ends.callback(follower.end)
            report(Status("training"))
            data = None if kept.finished else parted(as_plain(job))
            run(
                job,
                out,
                data=data,
                device=device,
                checkpoint_every=checkpoint_every,
                on_step=lambda step: report(Status("training", step), always=False),
                hooks=() if follower is None else (follower.hook(),),
                wait=wait,
            )
            report(Status("scoring", job.limit))
            with claim(kept, wait=wait):
                score_missing(kept, metrics, samples, device, data)
            if follower is not None:
                follower.results(kept)
            for name in (ERROR, FAILED):
                (kept.path / name).unlink(missing_ok=True)
        report(Status("done", job.limit))
    except Claimed:
        report(Status("elsewhere"))
    except Interrupted:
        raise
    except Exception as error:  # of whatever kind: the other jobs of the study go on
        said = str(error) if isinstance(error, InputError | NotFinite) else of_machine(error)
        said = said or f"{type(error).__name__}: {error}"
        with suppress(OSError):  # on a full disk
            kept.path.mkdir(parents=True, exist_ok=True)
            write_file(kept.path / ERROR, traceback.format_exc().encode())
            if isinstance(error, NotFinite):  # what comes of this method with this seed, again and again
                kept.write_json(FAILED, {"text": str(error)})
            said += f" (The traceback is in {kept.path / ERROR}.)"
        report(Status("failed", error=said))


def score_missing(
    run: Run,
    metrics: Metrics,
    samples: int,
    device: str,
    data: tuple[World, World | None] | None = None,
) -> None:
    """Score a finished run with those metrics that its scores.json does not have; `data` are its world and what is
    held out of it, if they are already loaded.

    A metric that cannot be had of this run, or that breaks, is left out with the reason.
    """
    todo = missing(run, metrics, samples)
    if run.scores is not None and not todo:
        return
    seen, held = parted(run.job) if data is None else data
    if run.scores is None:
        score(run, protocols=(), data=seen, held=held)
    for protocol, names in todo.items():
        with suppress(Unavailable):  # the reasons are written down
            score(
                run,
                metrics=names,
                protocols=(protocol,),
                samples=samples,
                device=device,
                others=False,
                tolerant=True,
                data=seen,
                held=held,
            )


def missing(run: Run, metrics: Metrics, samples: int) -> dict[str, list[str]]:
    """For each protocol the metrics that a run still has to be scored with.

    A score of another seed or of another number of samples is not what is asked for, nor is one without all that comes
    with it, since a kill came between. What was left out is not tried
    again, except a score whose network has been installed since.
    """
    found = run.scores or {}
    unfinished = found.get(UNFINISHED, {})

    def had(protocol: str, name: str) -> bool:
        table = found.get("protocols", {}).get(protocol, {})
        keys = scores_of(name, table)
        return bool(keys) and all(fits(table[key], protocol, samples=samples) for key in keys)

    wanted = {
        protocol: [
            name
            for name in names
            if name in unfinished.get(protocol, {})
            or (
                not had(protocol, name)
                and (
                    name not in found.get("skipped", {}).get(protocol, {})
                    or (name in PACKAGES and not lacking(name))
                )
            )
        ]
        for protocol, names in metrics.items()
    }
    return {protocol: names for protocol, names in wanted.items() if names}


def left_out(run: Run, metrics: Metrics) -> dict[str, str]:
    """Why a run has no score by some of these metrics: "protocol:metric" → the reason in one sentence."""
    skipped = (run.scores or {}).get("skipped", {})
    return {
        f"{protocol}:{name}": skipped[protocol][name]
        for protocol, names in metrics.items()
        for name in names
        if name in skipped.get(protocol, {})
    }


def complete(run: Run, metrics: Metrics, samples: int) -> bool:
    """Whether a run is trained and scored."""
    return run.finished and run.scores is not None and not missing(run, metrics, samples)


class _Threads:
    """How many threads the process's libraries had before the first of those that limit them now."""

    def __init__(self) -> None:
        self.lock, self.inside = threading.Lock(), 0

    def enter(self, n: int) -> None:
        before = (
            torch.get_num_threads()
        )  # also so that this thread takes no later thread's number as its first
        with self.lock:
            blas = threadpool_limits(n, user_api="blas")
            if not self.inside:
                self.torch, self.blas = before, blas
            self.inside += 1
        torch.set_num_threads(n)

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.blas.restore_original_limits()
        torch.set_num_threads(self.torch)


_threads = _Threads()  # one, as the libraries' numbers are the process's


@contextmanager
def limited_threads(n: int) -> Iterator[None]:
    """Give torch and the numerical libraries n threads, so that workers do not crowd each other's cores.

    Where several threads of Python run at once each computes with its own n if the library counts by thread (torch,
    OpenMP); libraries of linear algebra have the number that was set last. When the last one leaves, all is as before
    the first.
    """
    _threads.enter(n)
    try:
        with threadpool_limits(n, user_api="openmp"):
            yield
    finally:
        _threads.leave()
