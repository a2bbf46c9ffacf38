"""``prismae report``."""

from __future__ import annotations

from prismae.cli._app import RunPath, app, out
from prismae.report import write_report
from prismae.train import RunFolder


@app.command()
def report(path: RunPath) -> None:
    """Write report.html of a finished run: one file to open in a browser, without a network."""
    folder = RunFolder.open(path)
    out.print(f"report: {write_report(folder.path)}", highlight=False, soft_wrap=True)
