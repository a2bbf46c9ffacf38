"""A study: compute what a plan asks for and is not done yet, on one machine or many, and give its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import TypeVar

import pandas as pd
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from prismae._files import own_folder, sweep
from prismae._progress import Screen
from prismae.errors import InputError, unknown_name
from prismae.runs.run import Run
from prismae.studies.baselines import PlannedBaseline, encode
from prismae.studies.engines import RETRIES
from prismae.studies.engines import engine as start_engine
from prismae.studies.plan import Plan, Planned
from prismae.studies.rows import rows
from prismae.studies.status import ENDED, Status, Watch, read_status
from prismae.studies.work import Follow, complete, left_out, perform
from prismae.train import Interrupted

OfPlan = TypeVar("OfPlan", Planned, PlannedBaseline, Planned | PlannedBaseline)


def study(
    plan: Plan | Path | str,
    out: Path | str = "runs",
    *,
    profile: str | None = None,
    only: Sequence[str] = (),
    engine: str = "local",
    jobs: int | None = None,
    threads: int | None = None,
    address: str | None = None,
    gpus_per_job: float = 0.0,
    device: str = "auto",
    devices: int | None = None,
    checkpoint_every: int = 500,
    follow: Follow | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Compute a plan's jobs, as far as they are not done, and return the rows of all that are.

    A job that fails does not stop the others. A job that another study computes at the same moment is waited for.

    Parameters
    ----------
    plan, profile
        A plan, or its file and the profile to apply (see `Plan.load`).
    out
        Where run folders are kept. On a cluster, a folder that all machines share.
    only
        Which jobs: see `chosen`.
    engine, jobs, threads, address, gpus_per_job, devices
        See `prismae.studies.engines.engine`.
    device
        "auto", "cpu", "cuda" or "mps".
    checkpoint_every
        Steps between checkpoints: what a kill can cost.
    follow
        Makes what follows each run, such as ``functools.partial(prismae.trackers.tracker, "mlflow")``.
    progress
        Show what is being done, on standard error.

    Returns
    -------
    pandas.DataFrame
        See `prismae.studies.rows.rows`. ``frame.attrs["failures"]`` has the error of each job that failed, by id, and
        ``frame.attrs["left_out"]`` the reason for each score that jobs were left without, by "protocol:metric".

    Raises
    ------
    Interrupted
        By Ctrl-C; the same call goes on.
    """
    plan = plan if isinstance(plan, Plan) else Plan.load(plan, profile)
    out = Path(out).resolve()
    plan.check_drawn()
    planned = plan.jobs()
    everything: list[Planned | PlannedBaseline] = [*planned, *plan.baseline_jobs()]
    named = chosen(everything, only)
    wanted = [each for each in named if isinstance(each, Planned)]

    def ended(job: str) -> bool:
        return complete(Run(out / job), plan.metrics, plan.samples)

    todo = {each.job.id: each for each in wanted if not ended(each.job.id)}
    done = len({each.job.id for each in wanted}) - len(todo)
    if not 0 <= gpus_per_job < inf:
        raise InputError(f"gpus_per_job should be a number of GPUs, or a share of one, got {gpus_per_job}.")
    out.mkdir(parents=True, exist_ok=True)
    for each in wanted:
        sweep(out / each.job.id)  # in those that are done nobody writes any more, who would do it
    console = Screen(stderr=True, quiet=not progress)
    with own_folder(out) as folder:
        files = {job: folder / f"{job}.json" for job in todo}
        names = {job: str(each) for job, each in todo.items()}
        steps = {job: each.job.limit for job, each in todo.items()}
        try:
            with (
                start_engine(
                    engine, jobs, threads, address=address, gpus_per_job=gpus_per_job, devices=devices
                ) as (run, share),
                Watch(console, files, names, steps, done),
            ):
                # first what nobody else computes, then what another study has not brought to an end
                for wait in (False, True):
                    run(
                        delayed(perform)(
                            each.job,
                            out,
                            plan.metrics,
                            files[job],
                            samples=plan.samples,
                            threads=share,
                            device=device,
                            checkpoint_every=checkpoint_every,
                            wait=wait,
                            follow=follow,
                        )
                        for job, each in todo.items()
                        if read_status(files[job]).state in ("waiting", "elsewhere")
                    )
        except (KeyboardInterrupt, Interrupted):
            left = sum(not ended(job) for job in todo)
            raise Interrupted(
                f"Stopped with {done + len(todo) - left} of {done + len(todo)} jobs done; "
                "the same command goes on from there."
            ) from None
        except TerminatedWorkerError:
            raise InputError(
                "A worker was killed, perhaps because memory ran out: the same command goes on, "
                "and needs less memory with fewer jobs at once."
            ) from None
        ends = {job: _end(read_status(path)) for job, path in files.items()}
    for baseline in (each for each in named if isinstance(each, PlannedBaseline)):
        console.print(f"scoring {baseline}", highlight=False)
        encode(baseline.job, out, plan.metrics)
    frame = rows(plan, out, planned)
    frame.attrs["failures"] = {job: end.error for job, end in ends.items() if end.state == "failed"}
    frame.attrs["left_out"] = {
        score: reason
        for each in wanted
        for score, reason in left_out(Run(out / each.job.id), plan.metrics).items()
    }
    return frame


def _end(status: Status) -> Status:
    """How a job ended; one that did not was lost with its worker as often as it was begun again."""
    if status.state in ENDED:
        return status
    return Status(
        "failed",
        status.step,
        f"Its worker was killed each of {RETRIES + 1} times, perhaps because memory ran out: the same command goes on.",
    )


def chosen(jobs: Sequence[OfPlan], only: Sequence[str]) -> list[OfPlan]:
    """The jobs that fit `only`: for each key that it names, one of the values named.

    A condition is KEY=VALUE or KEY=VALUE,VALUE, where the key is "arm", "world", "seed" or a grid's; a condition
    without a key names arms. Capitals matter only where two values differ in nothing else, and an arm's method will
    do where no other arm has it.
    """
    named: dict[str, set[str]] = {}
    for text in only:
        key, values = _condition(text, jobs)
        named.setdefault(key, set()).update(_meant(value, key, jobs) for value in values)
    return [each for each in jobs if all(str(_axes(each).get(key)) in named[key] for key in named)]


def _condition(text: str, jobs: Sequence[Planned | PlannedBaseline]) -> tuple[str, list[str]]:
    """Key and values; an arm's own name, and a world's, may hold "=" and ","."""
    if text.casefold() in {each.arm.casefold() for each in jobs}:
        return "arm", [text]
    keys = {key for each in jobs for key in _axes(each)}
    fitting = [key for key in keys if text.startswith(f"{key}=")]
    if not fitting and "=" in text:
        raise unknown_name("key of --only", text.rpartition("=")[0], keys)
    key = max(fitting, key=len, default="arm")
    values = text.removeprefix(f"{key}=")
    whole = values in {str(_axes(each).get(key)) for each in jobs}
    return key, [values] if whole else values.split(",")


def _meant(given: str, key: str, jobs: Sequence[Planned | PlannedBaseline]) -> str:
    """The value of a key that is meant: the same, else the same but for capitals, else the arm of that method."""
    seen = {str(axes[key]): each.job.method for each in jobs if key in (axes := _axes(each))}
    folded = given.casefold()
    for fitting in (
        [value for value in seen if value == given],
        [value for value in seen if value.casefold() == folded],
        [value for value, method in seen.items() if key == "arm" and method == folded],
    ):
        if len(fitting) > 1:
            raise InputError(f"{given!r} could be {' or '.join(map(repr, fitting))}: expected one of them.")
        if fitting:
            return fitting[0]
    raise unknown_name(f"{key} of this plan", given, seen)


def _axes(planned: Planned | PlannedBaseline) -> Mapping[str, object]:
    about = {"arm": planned.arm, "world": planned.job.world, "seed": planned.job.seed}
    return planned.swept | about
