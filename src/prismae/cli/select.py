"""``prismae select``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from prismae.cli._app import PlanPath, Profile, Runs, answers, app, examples
from prismae.cli.table import RowsFiles, rows_of
from prismae.studies.plan import Plan
from prismae.studies.search import with_trials
from prismae.studies.selection import select


@app.command("select", epilog=examples("prismae select plan.yaml --by udr"))
def select_settings(
    path: PlanPath,
    by: Annotated[
        str, typer.Option(help="A score, as mig or yeats2023:mig; or udr or udr-lasso, which need no labels.")
    ],
    profile: Profile = None,
    folder: Runs = Path("runs"),
    rows_files: RowsFiles = None,
) -> None:
    """Rank the settings of PLAN, the best first."""
    plan = with_trials(Plan.load(path, profile), folder)
    ranked = select(plan, rows_of(plan, folder, rows_files), by, folder)
    table = Table(*(Column(str(name), overflow="fold") for name in ranked.columns), box=None)
    for _, line in ranked.iterrows():
        texts = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in line]
        table.add_row(*("–" if text in ("nan", "None") else text for text in texts))
    answers.print(table)
