"""``prismae report``."""

from __future__ import annotations

from typing import Annotated

import typer

from prismae.cli._app import RunPath, app, out
from prismae.errors import InputError
from prismae.report import write_report
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.views import complete


@app.command("report")
def report(
    path: RunPath,
    full: Annotated[
        bool,
        typer.Option(
            help="First compute what the run folder lacks: a t-SNE of the codes, and what older runs did not keep. "
            "Needs the run's data."
        ),
    ] = False,
) -> None:
    """Write report.html of a finished run: one file to open in a browser, without a network."""
    run = Run.open(path)
    if full:
        if run.from_python:
            raise InputError(
                f"{str(path)!r} was saved from Python, so its data are not known here: save it with them, "
                "model.save(folder, X)."
            )
        from prismae.runs.judge import judged  # here: a page is written without PyTorch

        data = observations(run.job)
        judged(run, data)
        complete(run, data)
    out.print(f"report: {write_report(run.path)}", highlight=False, soft_wrap=True)
