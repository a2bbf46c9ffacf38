"""``prismae list``."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from prismae.cli._app import AsJson, app, out
from prismae.control import all_controllers
from prismae.data import world_descriptions
from prismae.methods import all_methods
from prismae.metrics import all_metrics


class Listed(StrEnum):
    """What `prismae list` can list."""

    methods = "methods"
    metrics = "metrics"
    worlds = "worlds"
    controllers = "controllers"


@app.command(name="list")
def list_names(what: Annotated[Listed, typer.Argument()], as_json: AsJson = False) -> None:
    """List what there is to choose from."""
    if what is Listed.methods:
        found = {name: _first_line(cls) for name, cls in all_methods().items()}
    elif what is Listed.controllers:
        found = {name: _first_line(cls) for name, cls in all_controllers().items()}
    elif what is Listed.worlds:
        found = world_descriptions()
    else:
        found = {name: each.summary for name, each in all_metrics().items()}
    if as_json:
        print(json.dumps(found))
        return
    table = Table(box=None, show_header=False)
    for name, description in found.items():
        table.add_row(f"[bold]{name}[/bold]", description)
    out.print(table)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]
