"""``prismae evaluate``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from prismae.cli._app import AsJson, RunPath, app, out
from prismae.studies import score
from prismae.studies.scoring import PROTOCOLS
from prismae.train import RunFolder


@app.command(name="evaluate")
def evaluate_run(
    path: RunPath,
    metrics: Annotated[
        str, typer.Option(help="default, all, or names with commas (`prismae list metrics`).")
    ] = "default",
    protocol: Annotated[
        str | None, typer.Option(help=f"{' or '.join(PROTOCOLS)}; else those made for the world.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(help="Replicates behind the 95 % intervals; 0: none.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the metrics' draws.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Score a finished run, with ceiling and chance level beside each score."""
    names: str | list[str] = metrics if metrics in ("default", "all") else metrics.split(",")
    protocols = None if protocol is None else (protocol,)
    found = score(RunFolder.open(path), metrics=names, protocols=protocols, bootstrap=bootstrap, seed=seed)
    if as_json:
        print(json.dumps(found))
    else:
        print_scores(found)


def print_scores(found: dict[str, Any]) -> None:
    """Print what `prismae.studies.score` found."""
    errors = found["reconstruction"]
    out.print(
        f"reconstruction: {errors['mse']:.4f} of the data's variance per element, {errors['nats']:.1f} nats per "
        "observation"
    )
    for protocol, scores in found.get("protocols", {}).items():
        table = Table(title=f"protocol {protocol}", title_justify="left")
        table.add_column("metric")
        for column in ("score", "95 % interval", "ceiling", "chance", "better"):
            table.add_column(column, justify="right")
        for name, each in scores.items():
            interval = f"{each['lower']:.3f} to {each['upper']:.3f}" if each["lower"] is not None else "–"
            better = {True: "higher", False: "lower", None: "–"}[each["higher_is_better"]]
            table.add_row(
                name,
                *(_number(each[k]) for k in ("score",)),
                interval,
                _number(each["ceiling"]),
                _number(each["chance"]),
                better,
            )
        out.print(table)
        for name, reason in found.get("skipped", {}).get(protocol, {}).items():
            out.print(f"{name} was left out: {reason}")
    if "protocols" not in found:
        out.print("No scores: this world has no known factors.")


def _number(value: float | str | None) -> str:
    return "–" if value is None else f"{float(value):.3f}"
