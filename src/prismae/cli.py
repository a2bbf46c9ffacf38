"""The command line: thin, every command a call of the library."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from prismae._fields import from_text
from prismae._version import __version__
from prismae.control import all_controllers, controllers_from_text
from prismae.data import world, world_descriptions
from prismae.errors import InputError, unknown_name
from prismae.methods import all_methods
from prismae.metrics import all_metrics
from prismae.report import write_report
from prismae.studies import Job, run, score
from prismae.studies.scoring import PROTOCOLS
from prismae.train import Interrupted, NotFinite, RunFolder

app = typer.Typer(
    help="Split data into its factors of variation.", no_args_is_help=True, pretty_exceptions_enable=False
)
out = Console()
err = Console(stderr=True)

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as `prismae fit` prints it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Listed(StrEnum):
    """What `prismae list` can list."""

    methods = "methods"
    metrics = "metrics"
    worlds = "worlds"
    controllers = "controllers"


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


@app.command()
def fit(
    method: Annotated[str, typer.Argument(help="A method: see `prismae list methods`.")],
    world_name: Annotated[
        str, typer.Argument(metavar="WORLD", help="A world (`prismae list worlds`), or a .npy or .npz file.")
    ],
    latents: Annotated[int, typer.Option(help="Size of the code.")] = 10,
    net: Annotated[str, typer.Option(help="Network: auto, mlp, conv or conv1d.")] = "auto",
    likelihood: Annotated[
        str, typer.Option(help="auto, bernoulli, gaussian, gaussian-learned or mse.")
    ] = "auto",
    steps: Annotated[int, typer.Option(help="Autoencoder updates.")] = 10_000,
    batch: Annotated[int, typer.Option(help="Observations in each update.")] = 64,
    lr: Annotated[float | None, typer.Option(help="Learning rate; the method's own by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    setting: Annotated[
        list[str] | None, typer.Option("-p", metavar="FIELD=VALUE", help="A field of the method; repeatable.")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WEIGHT=CONTROLLER:FIELD=VALUE,…",
            help="Move a weight while training, as in kl=pi:target=18; repeatable.",
        ),
    ] = None,
    precision: Annotated[str, typer.Option(help="32, or bf16 for bfloat16 matrix products.")] = "32",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    folder: Annotated[Path, typer.Option("--out", help="Where run folders are kept.")] = Path("runs"),
    snapshot: Annotated[
        list[int] | None,
        typer.Option(help="Also keep and score the codes after this many steps; repeatable."),
    ] = None,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 500,
    evaluate: Annotated[bool, typer.Option(help="Score the codes when the training is done.")] = True,
) -> None:
    """Train METHOD on WORLD into a run folder; the same command goes on where an interrupted one stopped."""
    known = all_methods()
    if method not in known:
        raise unknown_name("method", method, known)
    job = Job(
        method=method,
        world=world_name,
        fields=from_text(known[method], _settings(setting or [])).fields(),
        n_latents=latents,
        net=net,
        likelihood=likelihood,
        steps=steps,
        batch=batch,
        lr=lr,
        seed=seed,
        precision=precision,  # type: ignore[arg-type] # checked by Job
        snapshots=tuple(snapshot or []),
        controls=tuple(each.described() for text in control or [] for each in controllers_from_text(text)),
    )
    if device not in ("auto", "cpu", "cuda", "mps"):
        raise unknown_name("device", device, ["auto", "cpu", "cuda", "mps"])
    data = world(job.world)
    finished = run(job, folder, data=data, device=device, checkpoint_every=checkpoint_every, progress=True)
    out.print(f"run folder: {finished.path}", highlight=False, soft_wrap=True)
    if evaluate:
        _print_scores(score(finished, data=data))


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
        _print_scores(found)


@app.command()
def report(path: RunPath) -> None:
    """Write report.html of a finished run: one file to open in a browser, without a network."""
    folder = RunFolder.open(path)
    out.print(f"report: {write_report(folder.path)}", highlight=False, soft_wrap=True)


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


def _settings(texts: list[str]) -> dict[str, str]:
    """``["beta=4"]`` → ``{"beta": "4"}``."""
    for text in texts:
        if "=" not in text:
            raise InputError(f"-p {text!r}: expected FIELD=VALUE, as in -p beta=4.")
    return {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}


def _print_scores(found: dict[str, Any]) -> None:
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
