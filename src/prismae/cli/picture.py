"""``prismae picture``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prismae._catalogue import catalogue
from prismae.cli._app import PictureDpi, PictureWidth, RunPath, app, examples, where, writable
from prismae.errors import InputError
from prismae.figures.canvas import DPI
from prismae.report import write_picture
from prismae.report.picture import GIF, refuse
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.views import add_views, all_views
from prismae.views.tsne import TSNE

OPTIONS = ("corners", "points", "seed")  # fields of views


def _kinds() -> list[str]:
    return [*catalogue("views"), GIF]


@app.command(
    "picture",
    epilog=examples(
        "prismae picture RUN --kind traversals", "prismae picture RUN --kind tsne --to codes.pdf --width 3.5"
    ),
)
def picture(
    path: RunPath,
    kind: Annotated[
        str,
        typer.Option(
            help=f"What to draw: {', '.join(_kinds())} (the traversals as an animation).",
            autocompletion=_kinds,
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--to",
            "--out",
            metavar="FILE",
            help="A .png, .svg or .pdf file; RUN/figures/KIND.png by default.",
        ),
    ] = None,
    dpi: PictureDpi = DPI,
    width: PictureWidth = None,
    factor: Annotated[str | None, typer.Option(help="Factor that colours a t-SNE.")] = None,
    corners: Annotated[
        str | None, typer.Option(metavar="N,N,N,N", help="Observations at the corners of a manifold.")
    ] = None,
    points: Annotated[
        int | None, typer.Option(min=1, max=10**9, help=f"Codes in a t-SNE; {TSNE.points:,} by default.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=2**32 - 1, help="Seed of corners, clusters, samples and points: draws them anew."
        ),
    ] = None,
) -> None:
    """Draw one picture of a finished run; what the run folder lacks for it is computed and kept there."""
    run = Run.open(path)
    writable(
        run.path / "figures" if file is None else file.parent,
        "the picture would lie: --to FILE writes it elsewhere",
    )
    refuse(kind, run.shown.kind)
    known = all_views()
    view = known["traversals" if kind == GIF else kind]
    given = zip(OPTIONS, (_numbers(corners), points, seed), strict=True)
    options = {name: value for name, value in given if value is not None}
    _check(options, view.options())
    lacking = set(view.lacks(run))
    views = [name for name, each in known.items() if lacking & set(each.arrays)]
    if options or lacking:
        data = observations(run.job)
        add_views(run, sorted({view.name(), *views}), data, **options)
    written = write_picture(run.path, kind, file, factor=factor, dpi=dpi, width=width)
    where("picture", written)


def _check(given: dict[str, Any], taken: list[str]) -> None:
    """Refuse options that are not of this kind of picture, with the kinds they are of."""
    if given.keys() - set(taken):
        owners = {
            name: ", ".join(kind for kind, each in all_views().items() if name in each.options())
            for name in OPTIONS
        }
        first, *others = (f"--{name} {{}} --kind {kinds}" for name, kinds in owners.items())
        raise InputError(
            ", ".join([first.format("belongs to"), *(each.format("to") for each in others)]) + "."
        )


def _numbers(text: str | None) -> list[int] | None:
    """``"3,1,4,1"`` → ``[3, 1, 4, 1]``."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--corners {text!r}: expected four numbers, as in --corners 0,10,20,30.") from None
