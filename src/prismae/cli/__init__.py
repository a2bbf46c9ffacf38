"""The command line: thin, every command a call of the library. One file holds one command and registers it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from prismae._version import __version__
from prismae.cli import evaluate, export, fit, listing, picture, plot, report, sample, select, study, table
from prismae.cli._app import app, err, out
from prismae.errors import InputError
from prismae.train import Interrupted, NotFinite

__all__ = [
    "app",
    "evaluate",
    "export",
    "fit",
    "listing",
    "main",
    "picture",
    "plot",
    "report",
    "sample",
    "select",
    "study",
    "table",
]


def _version(value: bool) -> None:
    if value:
        out.print(f"prismae {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    try:
        app()
    except (InputError, NotFinite) as error:
        err.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except Interrupted as stop:
        err.print(str(stop), highlight=False, markup=False, soft_wrap=True)
        sys.exit(130)
