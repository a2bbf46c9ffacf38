"""``prismae study``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from prismae._text import duration
from prismae.cli._app import (
    CheckpointEvery,
    Device,
    PlanPath,
    Profile,
    Runs,
    Track,
    answers,
    app,
    err,
    examples,
    out,
    print_left_out,
    tell,
    writable,
)
from prismae.cli._tables import width_of
from prismae.data.paths import is_path
from prismae.errors import InputError
from prismae.metrics.generation.official import lacking
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.settings import Reading, as_plain
from prismae.studies.baselines import PlannedBaseline, unscored
from prismae.studies.engines import threads_of_each
from prismae.studies.estimate import estimates
from prismae.studies.plan import Plan, Planned
from prismae.studies.rows import check_kept, check_place, write_rows
from prismae.studies.search import TRIALS, drawn, search, with_trials
from prismae.studies.study import chosen, study
from prismae.studies.work import complete
from prismae.trackers import tracker


@app.command(
    "study",
    epilog=examples(
        "prismae study plan.yaml --dry-run",
        "prismae study plan.yaml --only beta-vae --jobs 4 --rows rows.csv",
    ),
)
def study_plan(
    path: PlanPath,
    profile: Profile = None,
    engine: Annotated[str, typer.Option(help="local, ray or dask.")] = "local",
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Jobs at once; by default one, on a cluster all it has room for."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Threads of each job; by default the cores, shared evenly."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="ARM or its method, or arm, world, seed or a grid's name =VALUE,VALUE; repeatable."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the jobs, with an estimate of the time, and do nothing.")
    ] = False,
    address: Annotated[
        str | None, typer.Option(help="Address of the Ray or Dask cluster; one on this machine by default.")
    ] = None,
    gpus_per_job: Annotated[
        float, typer.Option(min=0, max=4096, help="Share of a GPU that Ray sets aside for each job.")
    ] = 0.0,
    device: Device = "auto",
    devices: Annotated[
        int | None,
        typer.Option(
            min=1, max=4096, help="GPUs of this machine that jobs are dealt out among; all by default."
        ),
    ] = None,
    checkpoint_every: CheckpointEvery = 500,
    track: Track = None,
    folder: Runs = Path("runs"),
    rows: Annotated[
        Path | None, typer.Option(help="Also write the rows of all that is done to this .csv file.")
    ] = None,
    how: Annotated[
        str | None,
        typer.Option("--search", help="Draw values of what the plan searches: random or optuna."),
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, max=100_000, help="Values that a search tries of each arm, in all.")
    ] = TRIALS,
    by: Annotated[
        str | None, typer.Option(help="The score that --search optuna improves, as mig; or udr.")
    ] = None,
) -> None:
    """Compute the jobs of PLAN that are not done; the same command goes on where an interrupted one stopped."""
    writable(folder)
    plan = with_trials(Plan.load(path, profile), folder)
    if rows is not None:
        check_place(rows)
        check_kept(rows, folder)
    if dry_run:
        if how == "random":
            plan = drawn(plan, trials)
        plan.check_drawn()
        _tell_read(plan, folder, only or [])
        _list(
            plan,
            folder,
            only or [],
            jobs or devices or 1,
            threads_of_each(engine, jobs or devices, threads),
            device,
        )
        return
    follow = None if track is None else partial(tracker, track)
    if follow is not None:
        follow(Run(folder), {}).check()
    _tell_read(plan if how is None else drawn(plan, 1), folder, only or [])
    compute = study if how is None else partial(search, how=how, trials=trials, by=by)
    frame = compute(
        plan,
        folder,
        only=only or (),
        engine=engine,
        jobs=jobs,
        threads=threads,
        address=address,
        gpus_per_job=gpus_per_job,
        device=device,
        devices=devices,
        checkpoint_every=checkpoint_every,
        follow=follow,
        progress=not out.quiet,
    )
    if rows is not None:
        write_rows(frame, rows)
    tell(out, f"{len(frame)} rows of {plan.name}, profile {plan.profile}: see `prismae table {path}`.")
    print_left_out(err, frame.attrs["left_out"])
    failures = frame.attrs["failures"]
    for job, error in failures.items():
        tell(err, f"{job} failed: {error}", style="red")
    if failures:
        raise typer.Exit(1)


def _tell_read(plan: Plan, folder: Path, only: list[str]) -> None:
    """Say how own data are understood that jobs are still to be trained on; what cannot be read its jobs tell."""
    said: set[str] = set()
    if out.quiet:
        return
    everything: list[Planned | PlannedBaseline] = [*plan.jobs(), *plan.baseline_jobs()]
    for each in (each for each in chosen(everything, only) if isinstance(each, Planned)):
        about = as_plain(each.job)
        read = repr({name: about[name] for name in ("world", *(field.name for field in fields(Reading)))})
        if read in said or not is_path(each.job.world) or Run(folder / each.job.id).finished:
            continue
        said.add(read)
        with suppress(InputError):
            out.print(observations(about).describe(), highlight=False, soft_wrap=True)


def _list(plan: Plan, folder: Path, only: list[str], jobs: int, threads: int, device: str) -> None:
    """Print each job, whether it is done, and how long it may take."""
    everything: list[Planned | PlannedBaseline] = [*plan.jobs(), *plan.baseline_jobs()]
    named = chosen(everything, only)
    wanted = [each for each in named if isinstance(each, Planned)]
    encodings = [each for each in named if isinstance(each, PlannedBaseline)]
    todo = [each for each in wanted if not complete(Run(folder / each.job.id), plan.metrics, plan.samples)]
    lines: list[tuple[str, ...]] = []
    total, failing = 0.0, 0
    known = estimates([each.job for each in todo], folder, device, threads)
    for each in wanted:
        seconds, origin = known.get(each.job.id, (0.0, "done"))
        if seconds is None:
            failing += 1
            lines.append((str(each), each.job.id, str(each.job.limit), "", f"cannot be trained: {origin}"))
            continue
        total += seconds
        lines.append((str(each), each.job.id, str(each.job.limit), duration(seconds), origin))
    for baseline in encodings:
        state = "one encoding" if unscored(baseline.job, folder, plan.metrics) else "done"
        lines.append((str(baseline), baseline.job.id, "0", "", state))
    table = Table("job", "run", "steps", "time", "known from", box=None)
    for line in lines:
        table.add_row(*map(Text, line))
    if width_of(table, answers) <= answers.width:
        answers.print(table)
    else:  # a sentence a job
        for job, run, steps, time, origin in lines:
            tell(answers, f"{job}: {run}, {steps} steps, {time + ', ' if time else ''}{origin}")
    tell(
        answers,
        f"{len(wanted) - len(todo)} of {len(wanted)} jobs done; about {duration(total / jobs)} of "
        f"training to come with {jobs} at once, each on {threads} thread{'s' * (threads > 1)}; scoring comes on top.",
    )
    if failing:
        tell(answers, f"{failing} of {len(wanted)} jobs cannot be trained, as said beside each.")
    for protocol, names in plan.metrics.items():
        for name in names:
            if reason := lacking(name):
                tell(answers, f"{protocol}:{name} will be left out: {reason}")
    if failing:
        raise typer.Exit(1)
