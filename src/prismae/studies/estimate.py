"""How long jobs will take: from finished jobs of the same kind, else from the first steps of one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from prismae.data import World
from prismae.errors import InputError, NotFinite
from prismae.methods import method
from prismae.runs.files import JOB
from prismae.runs.job import Job
from prismae.runs.loading import machine
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.settings import as_plain
from prismae.studies.work import limited_threads
from prismae.train import Hook, Moment, train

FIRST, LAST = (
    3,
    13,
)  # steps between which a probe is timed; the fastest counts: others wait for a busy machine
WARM_UP = 10  # critic updates that a probe is timed on


def estimates(
    jobs: Sequence[Job], out: Path, device: str = "auto", threads: int | None = None
) -> dict[str, tuple[float | None, str]]:
    """For each job's id the seconds of its training, and from what they are known; or None, and why it cannot begin.

    Jobs are of a kind that differ only in what costs nothing: the seed, the number of steps (the time is scaled), the
    learning rate, snapshots, and fields of the method that are numbers with a fraction.

    Parameters
    ----------
    out
        Run folders, among which finished jobs of a kind are looked for: those of this machine, device and threads.
    threads
        Threads of each job; None: this process's.
    """
    with limited_threads(threads or torch.get_num_threads()):
        return _estimates(jobs, out, device)


def _estimates(jobs: Sequence[Job], out: Path, device: str) -> dict[str, tuple[float | None, str]]:
    finished = _finished(out, machine(device))
    probed: dict[str, tuple[float, float] | str] = {}
    found: dict[str, tuple[float | None, str]] = {}
    for job in jobs:
        kind = _kind(as_plain(job))
        if kind in finished:
            n = len(finished[kind])
            warm_up, per_step = (sum(each) / n for each in zip(*finished[kind], strict=True))
            origin = f"{n} finished job{'s' if n > 1 else ''} of this kind"
            found[job.id] = (warm_up + per_step * job.limit, origin)
            continue
        if kind not in probed:
            try:
                probed[kind] = _probe(job, observations(as_plain(job)), device)
            except (InputError, NotFinite) as error:  # of its data or settings: other jobs can be timed
                probed[kind] = str(error)
        known = probed[kind]
        if isinstance(known, str):
            found[job.id] = (None, known)
        else:
            found[job.id] = (known[0] + known[1] * job.limit, f"a probe of {LAST - FIRST} steps")
    return found


def _kind(job: Mapping[str, Any]) -> str:
    """A job's settings without those that cost nothing."""
    free = ("seed", "steps", "lr", "snapshots")
    kind = {key: value for key, value in job.items() if key in as_plain(_ANY) and key not in free}
    kind["fields"] = {key: v for key, v in (job["fields"] or {}).items() if not isinstance(v, float)}
    return json.dumps(kind, sort_keys=True)


_ANY = Job("ae", "any")


def _finished(out: Path, here: str) -> dict[str, list[tuple[float, float]]]:
    """For each kind of the finished runs in `out` that were computed on a machine like this: seconds of the critic's
    warm-up, and per step after it."""
    found: dict[str, list[tuple[float, float]]] = {}
    for path in out.glob(f"*/{JOB}"):
        run = Run(path.parent)
        if not run.finished:
            continue
        about = run.job
        if about.get("machine") != here:
            continue
        if about["fields"].get("critic_warmup") and "warm_up" not in about:
            continue  # of an earlier version, which counted both as one
        warm_up = about.get("warm_up", 0.0)
        # what a run chose for "auto" is the kind of a job that left it to choose
        for net in (about["net"], "auto"):
            for likelihood in (about["likelihood"], "auto"):
                kind = _kind({**about, "net": net, "likelihood": likelihood})
                found.setdefault(kind, []).append((warm_up, (about["seconds"] - warm_up) / about["steps"]))
    return found


class _Enough(Exception):
    pass


def _probe(job: Job, data: World, device: str) -> tuple[float, float]:
    """Seconds of the critic's warm-up, and of one step, from a few of each."""
    updates = (job.fields or {}).get("critic_warmup", 0)
    start, per_step = _timed(job, data, device, 0)
    if not updates:
        return 0.0, per_step
    warmed, _ = _timed(job, data, device, WARM_UP)
    return max(warmed - start, 0.0) / WARM_UP * updates, per_step


def _timed(job: Job, data: World, device: str, warm_up: int) -> tuple[float, float]:
    """Seconds up to the first steps of a job, and of the fastest step after them."""
    chosen = method(job.method, **(job.fields or {}))
    net, likelihood = job.choices(data)
    if "critic_warmup" in (job.fields or {}):
        chosen = replace(chosen, critic_warmup=warm_up)  # type: ignore[type-var]
    times = [time.perf_counter()]

    def clock(now: Moment) -> None:
        times.append(time.perf_counter())
        if now.step == LAST:
            raise _Enough

    try:
        train(
            chosen,
            data,
            replace(job, net=net, likelihood=likelihood, steps=max(job.limit, LAST + 1)),
            device=device,
            hooks=[Hook(on_step=clock, at=range(FIRST, LAST + 1))],
        )
    except _Enough:
        return times[1] - times[0], min(b - a for a, b in pairwise(times[1:]))
    raise InputError(f"The probe of {job.id} ended before step {LAST}.")
