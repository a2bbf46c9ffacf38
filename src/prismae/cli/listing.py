"""``prismae list``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from prismae.cli._app import AsJson, app, out
from prismae.control import all_controllers
from prismae.data import world_descriptions
from prismae.methods import all_methods
from prismae.metrics import all_metrics
from prismae.nets import all_likelihoods, all_nets


class Listed(StrEnum):
    """What `prismae list` can list."""

    methods = "methods"
    metrics = "metrics"
    worlds = "worlds"
    controllers = "controllers"
    nets = "nets"
    likelihoods = "likelihoods"


@app.command(name="list")
def list_names(what: Annotated[Listed, typer.Argument()], as_json: AsJson = False) -> None:
    """List what there is to choose from."""
    classes: dict[Listed, Callable[[], Mapping[str, type]]] = {
        Listed.methods: all_methods,
        Listed.controllers: all_controllers,
        Listed.nets: all_nets,
        Listed.likelihoods: all_likelihoods,
    }
    if what in classes:
        found = {name: _first_line(cls) for name, cls in classes[what]().items()}
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
