"""``prismae table``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from prismae.cli._app import PlanPath, Profile, Runs, app
from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.rows import rows, write_rows
from prismae.studies.summary import summarise
from prismae.studies.tables import render

RowsFile = Annotated[
    Path | None,
    typer.Option("--rows", help="Take the rows from this .csv file instead of from run folders."),
]


@app.command("table")
def table(
    path: PlanPath,
    profile: Profile = None,
    form: Annotated[str, typer.Option("--format", help="markdown, csv or latex.")] = "markdown",
    folder: Runs = Path("runs"),
    rows_file: RowsFile = None,
    save_rows: Annotated[
        Path | None, typer.Option(help="Also write the rows behind the table to this .csv file.")
    ] = None,
) -> None:
    """Print the table of PLAN: mean ± deviation over seeds, tests, and the published numbers beside."""
    plan = Plan.load(path, profile)
    frame = read_rows(plan, folder, rows_file)
    if save_rows is not None:
        write_rows(frame, save_rows)
    print(render(plan, summarise(plan, frame), form), end="")


def read_rows(plan: Plan, folder: Path, file: Path | None) -> pd.DataFrame:
    """The rows of what is done, from the run folders or from a file."""
    if file is not None and not file.is_file():
        raise InputError(f"There is no file of rows {str(file)!r}.")
    frame = rows(plan, folder) if file is None else pd.read_csv(file)
    if frame.empty:
        raise InputError(
            f"None of the runs of {plan.name}, profile {plan.profile}, is done: run `prismae study` first."
        )
    return frame
