"""``prismae picture``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from prismae.cli._app import RunPath, app, out
from prismae.errors import InputError
from prismae.report import write_picture
from prismae.report.drawing import NEEDS, refuse_of_texts
from prismae.studies.observations import observations
from prismae.studies.pictures import MEASURED
from prismae.studies.views import VIEWS, add_views, read_pictures
from prismae.train import RunFolder
from prismae.train.run_folder import JOB


class Kind(StrEnum):
    """What `prismae picture` can draw."""

    reconstructions = "reconstructions"
    worst = "worst"
    traversals = "traversals"
    gif = "gif"
    effects = "effects"
    manifold = "manifold"
    samples = "samples"
    clusters = "clusters"
    tsne = "tsne"


@app.command("picture")
def picture(
    path: RunPath,
    kind: Annotated[Kind, typer.Option(help="What to draw; gif: the traversals as an animation.")],
    file: Annotated[
        Path | None, typer.Option("--out", help="A .png or .svg file; RUN/figures/KIND.png by default.")
    ] = None,
    factor: Annotated[str | None, typer.Option(help="Factor that colours a t-SNE.")] = None,
    corners: Annotated[
        str | None, typer.Option(metavar="N,N,N,N", help="Observations at the corners of a manifold.")
    ] = None,
    points: Annotated[int | None, typer.Option(help=f"Codes in a t-SNE; {MEASURED:,} by default.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of corners, clusters, samples and points: draws them anew.")
    ] = None,
) -> None:
    """Draw one picture of a finished run; what the run folder lacks for it is computed and kept there."""
    folder = RunFolder.open(path)
    if "vocabulary" in folder.read_json(JOB):
        refuse_of_texts(kind.value)
    needed = "traversals" if kind is Kind.gif else kind.value
    view = needed if needed in VIEWS else "pictures"
    asked = [corners is not None and view != "manifold", points is not None and view != "tsne"]
    if any(asked):
        raise InputError("--corners belongs to --kind manifold, --points to --kind tsne.")
    again = corners is not None or points is not None or (seed is not None and view != "pictures")
    if again or set(NEEDS[needed]) - read_pictures(folder).keys():
        data = observations(folder.read_json(JOB))
        points = MEASURED if points is None else points
        add_views(folder, [view], data, seed=seed or 0, corners=_numbers(corners), points=points)
    written = write_picture(folder.path, kind.value, file, factor=factor)
    out.print(f"picture: {written}", highlight=False, soft_wrap=True)


def _numbers(text: str | None) -> list[int] | None:
    """``"3,1,4,1"`` → ``[3, 1, 4, 1]``."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--corners {text!r}: expected four numbers, as in --corners 0,10,20,30.") from None
