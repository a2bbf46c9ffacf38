"""``prismae rows``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from prismae.cli._app import app, examples, written
from prismae.studies.rows import check_kept, check_place, read_rows, write_rows


class Action(StrEnum):
    """What can be done with files of rows."""

    MERGE = "merge"


@app.command("rows", epilog=examples("prismae rows merge here.csv there.csv --to all.csv"))
def of_files(
    action: Annotated[Action, typer.Argument(help="merge: one file of several.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Files of rows (.csv), as of several machines.")
    ],
    to: Annotated[Path, typer.Option(help="The .csv file to write.")] = Path("rows.csv"),
) -> None:
    """Bring files of rows together; a run that is in several of them counts once."""
    frame = read_rows(files)
    check_place(to)
    check_kept(to, None, frame)
    write_rows(frame, to)
    written(f"{to}: {len(frame)} rows of {frame['run'].nunique()} runs", to)
