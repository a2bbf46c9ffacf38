"""``prismae fit``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from prismae._catalogue import catalogue
from prismae._text import percent
from prismae.cli._app import (
    OWN_DATA,
    CheckpointEvery,
    Device,
    Runs,
    Track,
    app,
    completed,
    err,
    examples,
    out,
    tell,
    where,
    writable,
)
from prismae.cli._options import Written, options_of
from prismae.errors import InputError, noted, unknown_name
from prismae.settings import Reading, Training, as_plain

if TYPE_CHECKING:
    from prismae.runs.verdict import Verdict

WRITTEN = {
    "n_latents": Written("--latents", group="Model"),
    "snapshots": Written("--snapshot", each=True, metavar="STEP"),
    "controls": Written(
        "--control",
        each=True,
        metavar="WEIGHT=CONTROLLER",
        description="A controller that moves a weight while training, and its fields, as in kl=pi:target=18; "
        "repeatable (see `prismae list controllers`).",
    ),
    "net": Written(
        "--net",
        group="Model",
        description=f"Network, with settings as mlp:width=512: {', '.join(catalogue('nets'))}, or auto, by the data.",
    ),
    "likelihood": Written(
        "--likelihood",
        group="Model",
        description=f"How outputs are compared with data: {', '.join(catalogue('likelihoods'))}, or auto.",
    ),
    "lr": Written("--lr", description="Learning rate; the method's own by default."),
}


@app.command(
    "fit",
    epilog=examples(
        "prismae fit beta-tcvae measurements.csv --factors batch",
        "prismae fit beta-vae photos/ --size 64 -p beta=2 --latents 16 --seeds 3",
        "prismae fit vae ecg.npy --series channels-first --net conv1d --steps 20000",
        "prismae fit gmvae mnist --seed 1 --out runs/mnist -q --log-file mnist.log",
    ),
)
@options_of("Training", Training, WRITTEN)
@options_of("Data", Reading, {"series_id": Written("--id")})
def fit(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="A method: see `prismae list methods`; what -p takes: `prismae list methods METHOD`.",
            autocompletion=completed("methods"),
        ),
    ],
    world_name: Annotated[
        str,
        typer.Argument(
            metavar="WORLD",
            autocompletion=completed("worlds"),
            help=f"A world (`prismae list worlds`), maybe with a split (mnist:test) or parts (rooms3d:side=32), or "
            f"own data: {OWN_DATA}.",
        ),
    ],
    training: dict[str, Any],
    reading: dict[str, Any],
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            metavar="FIELD=VALUE",
            help="A field of the method, as in -p beta=4; repeatable.",
            rich_help_panel="Model",
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            help="Fit with this many seeds, from --seed on, and see which latents come back.",
            rich_help_panel="Training",
        ),
    ] = 1,
    device: Device = "auto",
    devices: Annotated[
        int,
        typer.Option(
            min=1,
            max=4096,
            help="GPUs, or processes on the CPU, that compute each batch together.",
            rich_help_panel="Training",
        ),
    ] = 1,
    folder: Runs = Path("runs"),
    checkpoint_every: CheckpointEvery = 500,
    evaluate: Annotated[
        bool, typer.Option(help="Score the codes when the training is done.", rich_help_panel="Output")
    ] = True,
    track: Track = None,
) -> None:
    """Train METHOD on WORLD into a run folder; the same command goes on where an interrupted one stopped."""
    # here: completion and help of this command would wait for PyTorch
    from dataclasses import replace

    from prismae.cli.evaluate import print_scores
    from prismae.control import controllers_from_text
    from prismae.fields import from_text
    from prismae.methods import all_methods
    from prismae.runs.judge import judged
    from prismae.runs.observations import parted
    from prismae.runs.run import Run
    from prismae.runs.stability import stability
    from prismae.studies import Job, run, score
    from prismae.trackers import tracker

    known, source = all_methods(), as_path(world_name)
    faults = list[str]()
    chosen: dict[str, Any] = {}
    with noted(faults):
        if method not in known:
            raise unknown_name("method", method, known)
        given = from_text(known[method], _settings(setting or []), **known[method].variants.get(method, {}))
        chosen = given.fields()
    with noted(faults):
        controls = [each.described() for text in training["controls"] for each in controllers_from_text(text)]
        training["controls"] = tuple(controls)
    with noted(faults):
        Training(**training)
    with noted(faults):
        Reading(**reading)
    if not faults:
        with noted(faults):
            job = Job(method=method, world=source, fields=chosen, **training, **reading)
    with noted(faults):
        _check_there(source)
    if faults:
        raise InputError(" ".join(faults))
    if seeds < 1:
        raise InputError(f"fit: seeds should be at least 1, got {seeds}.")
    writable(folder)
    data, held = parted(as_plain(job))
    architecture, reads = job.choices(data)
    out.print(
        f"{data.describe()}\nnetwork {architecture.described()}, likelihood {reads.name()}",
        highlight=False,
        soft_wrap=True,
    )
    if held is not None and job.steps == "auto":
        out.print(
            f"{len(held):,} of {len(data) + len(held):,} observations are held out; the training stops when the loss "
            f"on them has stopped falling, after {job.limit:,} steps at most",
            highlight=False,
            soft_wrap=True,
        )
    done = []
    for each in (replace(job, seed=job.seed + i) for i in range(seeds)):
        if Run(folder / each.id).finished:
            out.print("already done, nothing is trained again", highlight=False)
        tracked = None if track is None else tracker(track, Run(folder / each.id), as_plain(each))
        try:
            finished = run(
                each,
                folder,
                data=(data, held),
                device=device,
                devices=devices,
                checkpoint_every=checkpoint_every,
                hooks=[] if tracked is None else [tracked.hook()],
                progress=not out.quiet,
            )
        finally:
            if tracked is not None:
                tracked.end()
        where("run folder", finished.path)
        scores = score(finished, data=data, held=held, progress=not out.quiet) if evaluate else None
        print_verdict(judged(finished, data), scores)
        if scores is not None:
            print_scores(scores, out)
        if tracked is not None:
            tracked.results(finished)
        done.append(finished)
    if seeds > 1:
        print_stability(stability(done, data))
    said = f"next: prismae report {shlex.quote(str(done[0].path))}"
    out.print(said, highlight=False, soft_wrap=True)


def print_verdict(verdict: Verdict, scores: dict[str, Any] | None) -> None:
    """Print what a run is worth; its faults on standard error, in colour."""
    from prismae.runs.doubts import headline  # here: help would wait for NumPy

    tell(out, " ".join([f"verdict: {headline(verdict, scores)}.", *verdict.sentences]))
    for each in verdict.findings:
        if each.fault:
            tell(err, f"warning: {each}", style="yellow")
        else:
            tell(out, str(each))


def print_stability(found: dict[str, Any]) -> None:
    """Print what `prismae.runs.stability.stability` found."""
    table = Table(title="stability over seeds", title_justify="left")
    for column in ("latent", "mean |r|", *(f"seed {seed}" for seed in found["seeds"][1:])):
        table.add_column(column, justify="left" if column == "latent" else "right", overflow="fold")
    for latent in found["latents"]:
        matches = [f"{match['name']} {match['r']:.3f}" for match in latent["matches"]]
        dead = "" if latent["live"] else " · dead"
        table.add_row(
            latent["name"] + dead, f"{latent['mean']:.3f}", *matches, style="" if latent["live"] else "dim"
        )
    out.print(table)
    for seed, live, explained in zip(found["seeds"], found["live"], found["explained"], strict=True):
        also = "" if explained is None else f", {percent(explained)} of the variance explained"
        out.print(f"seed {seed}: {live} live latents{also}", highlight=False)
    if found["udr"] is None:
        out.print("Agreement is not given: a run has collapsed, and codes that hold nothing may agree on it.")
    else:
        out.print(f"UDR (Spearman) of the first run, over live latents: {found['udr']:.3f}", highlight=False)


def _settings(texts: list[str]) -> dict[str, str]:
    """``["beta=4"]`` → ``{"beta": "4"}``."""
    for text in texts:
        if "=" not in text:
            raise InputError(f"-p {text!r}: expected FIELD=VALUE, as in -p beta=4.")
    return {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}


def _check_there(source: str) -> None:
    """Refuse the name of a world that there is not, and the path of what is not there."""
    from prismae.data import world_splits
    from prismae.data.paths import is_path, split_path

    if not is_path(source):
        world_splits(source.partition(":")[0])
    elif not (path := split_path(source)[0]).exists():
        raise InputError(f"There is no file or folder {path}.")


def as_path(text: str) -> str:
    """A world's name as it is; the name of a folder that lies here as a path, as a shell's user expects."""
    from prismae.data import world_names
    from prismae.data.paths import is_path

    return f"{text}/" if text not in world_names() and Path(text).is_dir() and not is_path(text) else text
