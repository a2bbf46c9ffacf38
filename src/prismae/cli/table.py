"""``prismae table``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from prismae._progress import visible
from prismae.cli._app import PlanPath, Profile, Runs, app, examples
from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.rows import read_rows, rows, write_rows
from prismae.studies.search import with_trials
from prismae.studies.summary import summarise
from prismae.studies.tables import render

RowsFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--rows",
        help="Take the rows from this .csv file instead of from run folders; repeatable, for those of several "
        "machines.",
    ),
]


@app.command("table", epilog=examples("prismae table plan.yaml", "prismae table plan.yaml --format latex"))
def table(
    path: PlanPath,
    profile: Profile = None,
    form: Annotated[str, typer.Option("--format", help="markdown, csv or latex.")] = "markdown",
    folder: Runs = Path("runs"),
    rows_files: RowsFiles = None,
    save_rows: Annotated[
        Path | None, typer.Option(help="Also write the rows behind the table to this .csv file.")
    ] = None,
) -> None:
    """Print the table of PLAN: mean ± deviation over seeds, tests, and the published numbers beside."""
    plan = with_trials(Plan.load(path, profile), folder)
    frame = rows_of(plan, folder, rows_files)
    if save_rows is not None:
        write_rows(frame, save_rows)
    print(visible(render(plan, summarise(plan, frame), form)), end="")


def rows_of(plan: Plan, folder: Path, files: Sequence[Path] | None) -> pd.DataFrame:
    """The rows of what is done, from the run folders or from files."""
    frame = read_rows(files) if files else rows(plan, folder)
    if frame.empty and files:
        raise InputError(f"There are no rows in {', '.join(repr(str(file)) for file in files)}.")
    if frame.empty:
        raise InputError(
            f"None of the runs of {plan.name}, profile {plan.profile}, is done in {str(folder)!r}: run `prismae study` "
            "first, or say by --out where they are."
        )
    return frame
