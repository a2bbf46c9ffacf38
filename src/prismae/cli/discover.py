"""``prismae discover``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prismae._text import brief
from prismae.cli._app import OWN_DATA, Runs, app, completed, examples, out, tell, where, writable
from prismae.cli.fit import as_path
from prismae.settings import Layout


@app.command(
    "discover",
    epilog=examples("prismae discover measurements.csv", "prismae discover photos/ --minutes 30 --size 64"),
)
def discover(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            autocompletion=completed("worlds"),
            help=f"Own data: {OWN_DATA}; or a world's name.",
        ),
    ],
    minutes: Annotated[float, typer.Option(help="Time that it may take.")] = 10.0,
    seeds: Annotated[int, typer.Option(help="Trainings of each promising candidate.")] = 5,
    factors: Annotated[
        str,
        typer.Option(metavar="NAME,…", help="Columns, arrays or labels that are left out, as known factors."),
    ] = "",
    size: Annotated[int | None, typer.Option(help="Side that the images of a folder are scaled to.")] = None,
    series: Annotated[
        Layout | None,
        typer.Option(
            metavar="ORDER",
            help="Where the channels of series stand: channels-first, channels-last, or rows, one channel each.",
        ),
    ] = None,
    axes: Annotated[
        str | None, typer.Option(help="Dimensions of images and volumes, as chw, hwc, dhw or cdhw.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Trainings at once; as many as there are processors by default."),
    ] = None,
    folder: Runs = Path("runs"),
) -> None:
    """Find what varies in DATA, without labels: train candidates under a time budget, and write one page.

    Ctrl-C ends it with the best so far.
    """
    from prismae.discovery import discover as find  # here: help would wait for PyTorch

    writable(folder)
    found = find(
        as_path(data),
        minutes=minutes,
        seeds=seeds,
        factors=tuple(name.strip() for name in factors.split(",") if name.strip()),
        size=size,
        series=series,
        axes=axes,
        out=folder,
        jobs=jobs,
    )
    tell(out, f"{found.count}; {found.kind}. {found.why}")
    for each in found.factors:
        sure = each.sure if each.agreement == each.agreement else "one training"
        moves = "; ".join(f"{name} {_number(low)} to {_number(high)}" for name, low, high in each.moves[:3])
        tell(out, f"{each.name}: {100 * each.share:.0f} %, {sure}" + (f"; moves {moves}" if moves else ""))
    role = "kept" if found.kind == "autoencoder" else "reads the data"
    out.print(f"{role}: {found.run}", highlight=False, soft_wrap=True)
    where("page", found.folder / "page.html")


def _number(value: object) -> str:
    return brief(value) if isinstance(value, int | float) else str(value)
