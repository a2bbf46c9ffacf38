"""``prismae fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prismae._fields import from_text
from prismae.cli._app import app, out
from prismae.cli.evaluate import print_scores
from prismae.control import controllers_from_text
from prismae.data import world
from prismae.errors import InputError, unknown_name
from prismae.methods import all_methods
from prismae.studies import Job, run, score


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
        print_scores(score(finished, data=data))


def _settings(texts: list[str]) -> dict[str, str]:
    """``["beta=4"]`` → ``{"beta": "4"}``."""
    for text in texts:
        if "=" not in text:
            raise InputError(f"-p {text!r}: expected FIELD=VALUE, as in -p beta=4.")
    return {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}
