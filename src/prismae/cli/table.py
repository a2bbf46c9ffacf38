"""``prismae table``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import rich.box
import rich.table
import typer
from rich.text import Text

from prismae._progress import visible
from prismae.cli._app import PlanPath, Profile, Runs, answers, app, examples, tell
from prismae.cli._tables import in_room, whole
from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.rows import check_kept, check_place, read_rows, rows, write_rows
from prismae.studies.search import with_trials
from prismae.studies.summary import Summary, summarise
from prismae.studies.tables import PUBLISHED, Table, remarks, render, sections, tables, tested

RowsFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--rows",
        metavar="FILE",
        help="Take the rows from this .csv file instead of from run folders; repeatable, for those of several "
        "machines.",
    ),
]


@app.command("table", epilog=examples("prismae table plan.yaml", "prismae table plan.yaml --format latex"))
def table(
    path: PlanPath,
    profile: Profile = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="markdown, csv or latex; by default columns that line up in a terminal, and markdown elsewhere.",
        ),
    ] = None,
    folder: Runs = Path("runs"),
    rows_files: RowsFiles = None,
    save_rows: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the rows behind the table to this .csv file."),
    ] = None,
) -> None:
    """Print the table of PLAN: mean ± deviation over seeds, tests, and the published numbers beside."""
    plan = with_trials(Plan.load(path, profile), folder)
    frame = rows_of(plan, folder, rows_files)
    if save_rows is not None:
        check_place(save_rows)
        check_kept(save_rows, folder, frame)
        write_rows(frame, save_rows)
    summary = summarise(plan, frame)
    if form is None and answers.is_terminal:
        _show(plan, summary)
    else:
        print(visible(render(plan, summary, form or "markdown")), end="")


def _show(plan: Plan, summary: Summary) -> None:
    """The tables as a terminal shows them; the best is bold."""
    keys = len(summary.keys)
    for each, (_, scores) in zip(tables(summary), sections(summary), strict=True):
        answers.print(Text(each.title, "bold underline"))
        _lines(each, keys + 1)  # with the seeds
        if each.remark:
            tell(answers, f"{each.remark}\n")
        tests = tested(summary, scores)
        if tests:
            tell(answers, f"{tests.title}\n")
            _lines(tests, keys)
    for note in (*remarks(plan, summary), *plan.notes):
        tell(answers, f"{note.strip()}\n")


def _lines(found: Table, keys: int) -> None:
    """The lines of a table; scores for which there is no room follow below, behind the keys again."""
    first = list(range(keys))
    scores: list[list[int]] = []  # each with its published numbers
    for j in range(keys, len(found.head)):
        if found.head[j] == PUBLISHED:
            scores[-1].append(j)
        else:
            scores.append([j])
    for each in in_room(answers, first, scores, partial(_columns, found)):
        answers.print(each, "")


def _columns(found: Table, columns: list[int]) -> rich.table.Table:
    """Some of the columns; numbers stand on the right."""
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for j in columns:
        numbers = all(line[j][:1] in "−-–0123456789" for line in found.lines)
        texts = [found.head[j], *(line[j] for line in found.lines)]
        if numbers:
            table.add_column(Text(found.head[j]), justify="right", **whole(texts))
        else:
            table.add_column(Text(found.head[j]), overflow="fold", no_wrap=" " not in "".join(texts))
    for i, line in enumerate(found.lines):
        table.add_row(*(Text(visible(line[j]), "bold" if (i, j) in found.best else "") for j in columns))
    return table


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
