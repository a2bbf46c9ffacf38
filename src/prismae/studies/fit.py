"""Doing a job: a training into a run folder, ended by the verdict on what was trained, and its views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from prismae.data import World
from prismae.evaluation import codes_table
from prismae.methods import method
from prismae.runs.claim import claim
from prismae.runs.files import JOB, SNAPSHOT, VERDICT
from prismae.runs.job import Job
from prismae.runs.judge import Judge
from prismae.runs.loading import describe, outcome
from prismae.runs.measured import untrained
from prismae.runs.observations import known_by, parted, unseen
from prismae.runs.run import Run
from prismae.settings import as_plain
from prismae.train import Hook, Moment, train
from prismae.views import compute, keep

TICKS = 100  # times in a run that a watcher hears of it


def run(
    job: Job,
    out: Path | str = "runs",
    *,
    data: tuple[World, World | None] | None = None,
    device: str = "auto",
    devices: int = 1,
    checkpoint_every: int = 500,
    progress: bool = False,
    on_step: Callable[[int], None] | None = None,
    hooks: Sequence[Hook] = (),
    wait: bool = False,
) -> Run:
    """Train a job into ``out/<id>``, or return at once if that is done; an interrupted run goes on.

    Parameters
    ----------
    data
        The job's world and what is held out of it, as `prismae.runs.observations.parted` gives them, if they are
        already loaded.
    devices
        How many GPUs, or processes on the CPU, compute each batch together.
    on_step
        Called with the number of steps done, a hundred times or so.
    hooks
        Others that are called along the way, such as a tracker's.
    wait
        Wait for another process that computes the same run.

    Raises
    ------
    Claimed
        Without `wait`, when another process computes the same run.
    """
    made = Run(Path(out) / job.id)
    if made.finished:
        made.clear()
        return made
    world, held = parted(as_plain(job)) if data is None else data
    chosen = method(job.method, **(job.fields or {}))
    net, likelihood = job.choices(world)
    settings = as_plain(job) | {
        "net": net.described(),
        "likelihood": likelihood.name(),
        "steps": job.limit,
    }
    told = world.kind.to_json()  # by the data themselves, where the job does not say it
    settings |= {name: told[name] for name in ("axes", "rate") if name in told and settings[name] is None}
    about = {"id": job.id} | known_by(job.world) | describe(chosen, world, **settings)

    def snapshot(now: Moment) -> None:
        now.values()  # where a term is NaN, nothing is kept
        made.write_arrays(SNAPSHOT.format(step=now.step), {"codes": codes_table(now.ae, world)})

    hooks = [Hook(on_step=snapshot, at=job.snapshots), *hooks]
    if on_step is not None:
        every, tell = max(1, job.limit // TICKS), on_step
        hooks.append(Hook(on_step=lambda now: tell(now.step), at=range(every, job.limit, every)))
    with claim(made, wait=wait):
        if made.finished:  # by another process, meanwhile
            return made
        made.write_json(JOB, about)
        trained = train(
            chosen,
            world,
            replace(job, net=net, likelihood=likelihood),
            device=device,
            devices=devices,
            checkpoint=made.checkpoint,
            checkpoint_every=checkpoint_every,
            called=job.id,
            hooks=hooks,
            progress=progress,
            held=held,
        )
        about |= outcome(trained, device, devices)
        start = untrained(chosen, world, about, net, likelihood)
        other = unseen(as_plain(job)) if held is None else held
        verdict = Judge(chosen, trained, start, about, world, other).verdict()
        made.write_json(JOB, about | {"warnings": verdict.warnings})
        made.write_json(VERDICT, verdict.to_json())
        keep(made, trained.ae, compute(chosen, trained.ae, world, trained))
        made.write_trained(trained)
    return made
