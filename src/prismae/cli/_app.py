"""What every command shares: the app they register with, the consoles, and common arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    help="Split data into its factors of variation.", no_args_is_help=True, pretty_exceptions_enable=False
)
out = Console()
err = Console(stderr=True)

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as `prismae fit` prints it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
