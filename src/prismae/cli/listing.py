"""``prismae list``."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from prismae._catalogue import FAMILIES, SHELVES, catalogue, explained, families
from prismae._discovery import strange_groups
from prismae.cli._app import AsJson, answers, app, err, examples, tell
from prismae.errors import unknown_name

Listed = StrEnum("Listed", {name: name for name in SHELVES})  # type: ignore[misc]


@app.command("list", epilog=examples("prismae list methods", "prismae list methods beta-vae"))
def list_names(
    what: Annotated[Listed, typer.Argument()],
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="One of them: all that is said of it, and its fields."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List methods, metrics, worlds, controllers, networks, likelihoods, views or trackers."""
    for said in strange_groups([*SHELVES, "kinds"]):
        tell(err, said, style="yellow")
    found = catalogue(what)
    if name is not None:
        if name not in found:
            raise unknown_name(what.removesuffix("s"), name, found)
        text = explained(what, name) or found[name]
        if as_json:
            print(json.dumps({name: text}))
        else:
            answers.print(text, highlight=False, soft_wrap=True)
    elif as_json:
        print(json.dumps(found))
    else:
        grouped = families() if what == "methods" else {}
        for family in (*FAMILIES, None) if grouped else (None,):
            table = Table(Column(width=max(map(len, found))), "", box=None, show_header=False)
            for each, description in found.items():
                if grouped.get(each) == family:
                    table.add_row(Text(each, style="bold"), description)
            if family is not None:
                answers.print(Text(family, style="italic"))
            if table.rows:
                answers.print(table)
