"""``prismae list``."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from prismae._catalogue import SHELVES, catalogue
from prismae.cli._app import AsJson, app, out

Listed = StrEnum("Listed", {name: name for name in SHELVES})  # type: ignore[misc]


@app.command("list")
def list_names(what: Annotated[Listed, typer.Argument()], as_json: AsJson = False) -> None:
    """List methods, metrics, worlds, controllers, networks or likelihoods."""
    found = catalogue(what)
    if as_json:
        print(json.dumps(found))
        return
    table = Table(box=None, show_header=False)
    for name, description in found.items():
        table.add_row(Text(name, style="bold"), description)
    out.print(table)
