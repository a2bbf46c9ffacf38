"""``prismae report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prismae.cli._app import RUN, Runs, app, examples, where, writable
from prismae.errors import InputError
from prismae.report import write_report
from prismae.runs.files import WEIGHTS
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.views import complete


@app.command(
    "report",
    epilog=examples(
        "prismae report runs/vae-digits-1a2b3c4d",
        "prismae report --last --full",
        "prismae report RUN --to page",
    ),
)
def report(
    path: Annotated[Path | None, typer.Argument(**RUN)] = None,
    last: Annotated[
        bool, typer.Option("--last", help="The run in --out that was trained last, in place of RUN.")
    ] = False,
    folder: Runs = Path("runs"),
    full: Annotated[
        bool,
        typer.Option(
            help="First compute what the run folder lacks: a t-SNE of the codes, and what older runs did not keep. "
            "Needs the run's data."
        ),
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where report.html and its figures go; RUN by default."),
    ] = None,
) -> None:
    """Write report.html of a finished run: one file to open in a browser, without a network."""
    if last == (path is not None):
        raise InputError("Expected a run folder or --last, and not both.")
    run = Run.open(path or _last(folder))
    for place in (to or run.path, (to or run.path) / "figures"):
        writable(place, "the report would lie: --to FOLDER writes it elsewhere")
    if full:
        writable(run.path, "what --full computes would be kept: copy the run to where it can")
        if run.from_python:
            raise InputError(
                f"{str(run.path)!r} was saved from Python, so its data are not known here: save it with them, "
                "model.save(folder, X)."
            )
        from prismae.runs.judge import judged  # here: a page is written without PyTorch

        data = observations(run.job)
        judged(run, data)
        complete(run, data)
    where("report", write_report(run.path, to))


def _last(folder: Path) -> Path:
    """The finished run whose training ended last."""
    weights = sorted(folder.glob(f"*/{WEIGHTS}"), key=lambda path: path.stat().st_mtime)
    if not weights:
        raise InputError(f"There is no finished run in {str(folder)!r}.")
    return weights[-1].parent
