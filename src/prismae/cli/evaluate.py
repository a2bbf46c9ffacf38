"""``prismae evaluate``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from prismae._better import Better
from prismae._text import fixed, number
from prismae.cli._app import AsJson, RunPath, answers, app, err, examples, out, print_left_out, tell, writable
from prismae.cli._tables import in_room, whole, width_of
from prismae.evaluation import FAMILIES, SAMPLES
from prismae.runs.doubts import doubts
from prismae.runs.run import Run
from prismae.runs.scoring import PROTOCOLS
from prismae.runs.verdict import BASELINE_NAMES
from prismae.studies import score

NOTHING = "–"
INTERVAL = "95 % interval"


@app.command(
    "evaluate",
    epilog=examples("prismae evaluate RUN", "prismae evaluate RUN --metrics mig,dci --bootstrap 200 --json"),
)
def evaluate_run(
    path: RunPath,
    metrics: Annotated[
        str,
        typer.Option(
            help="default, all, clustering, classification, generation, likelihood, names (`prismae list metrics`), "
            "or several with commas."
        ),
    ] = "default",
    protocol: Annotated[
        str | None, typer.Option(help=f"{' or '.join(PROTOCOLS)}; else those made for the world.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(help="Replicates behind the 95 % intervals; 0: none.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the metrics' draws.")] = 0,
    label: Annotated[
        str | None,
        typer.Option(help="Factor that clusters are compared with; else the only categorical one."),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            help="Samples of each posterior, behind a likelihood; fewer are faster and a looser bound."
        ),
    ] = SAMPLES,
    as_json: AsJson = False,
) -> None:
    """Score a finished run, with ceiling and chance level beside each score."""
    protocols = None if protocol is None else (protocol,)
    run = Run.open(path)
    writable(run.path, "the scores would be kept: copy the run to where it can")
    found = score(
        run,
        metrics=metrics.split(","),
        protocols=protocols,
        bootstrap=bootstrap,
        seed=seed,
        label=label,
        samples=samples,
        progress=not (as_json or out.quiet),
    )
    if as_json:
        print(json.dumps(found))
    else:
        print_scores(found, answers)
        for sentence in () if run.verdict is None else run.verdict.warnings:  # whatever the scores
            tell(err, f"warning: {sentence}", style="yellow")


def print_scores(found: dict[str, Any], to: Console) -> None:
    """Print what `prismae.studies.score` found."""
    unseen = found.get("unseen", {})
    for what, errors in {
        "reconstruction": found["reconstruction"],
        f"of {unseen.get('n')} unseen observations": unseen.get("reconstruction"),
    }.items():
        if errors is not None:
            tell(
                to,
                f"{what}: {fixed(errors['mse'], 4)} of the data's variance per element, "
                f"{fixed(errors['nats'], 1)} nats per observation",
            )
    for protocol, scores in found.get("protocols", {}).items():
        title = protocol if protocol in FAMILIES else f"protocol {protocol}"
        on_unseen = unseen.get("protocols", {}).get(protocol, {})
        columns = {
            "score": [_number(each["score"]) for each in scores.values()],
            "unseen": [_number(on_unseen[name]["score"] if name in on_unseen else None) for name in scores],
            INTERVAL: [_interval(each) for each in scores.values()],
            "ceiling": [_number(each["ceiling"]) for each in scores.values()],
            "chance": [_number(each["chance"]) for each in scores.values()],
            **{
                BASELINE_NAMES[other]: [
                    _number(each.get("beside", {}).get(other)) for each in scores.values()
                ]
                for other in BASELINE_NAMES
            },
            "better": [Better.of(each).word for each in scores.values()],
        }
        columns = {title: texts for title, texts in columns.items() if set(texts) != {NOTHING}}
        if scores:
            to.print(*_tables(title, {"metric": list(scores), **columns}, to))
        print_left_out(to, found.get("skipped", {}).get(protocol, {}))
    for sentence in doubts(found):
        tell(err, f"warning: {sentence}", style="yellow")
    if "protocols" not in found:
        to.print("No scores: this world has no known factors.")


def _tables(title: str, columns: dict[str, list[str]], to: Console) -> Iterable[Table]:
    """Columns of texts in a frame; bare where the screen has no room for one, and below each other where it has none
    for all of them."""
    bare: dict[str, Any] = {"box": None, "pad_edge": False, "collapse_padding": True}

    def made(looks: dict[str, Any], which: list[int]) -> Table:
        chosen = [list(columns)[j] for j in which]
        table = Table(title=title, title_justify="left", **looks)
        for name in chosen:
            side: Literal["left", "right"] = "left" if name == "metric" else "right"
            table.add_column(name, justify=side, **whole([name, *columns[name]]))
        for texts in zip(*(columns[name] for name in chosen), strict=True):
            table.add_row(*texts)
        return table

    others = list(range(1, len(columns)))
    framed = made({}, [0, *others])
    if width_of(framed, to) <= to.width:
        return [framed]
    several = list(in_room(to, [0], [[j] for j in others], partial(made, bare)))
    for each in several[1:]:
        each.title = None
    return several


def _number(value: float | str | None) -> str:
    return NOTHING if value is None else number(float(value))


def _interval(score: dict[str, Any]) -> str:
    return NOTHING if score["lower"] is None else f"{number(score['lower'])} to {number(score['upper'])}"
