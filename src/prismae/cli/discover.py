"""``prismae discover``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prismae._text import brief
from prismae.cli._app import OWN_DATA, Runs, app, completed, examples, out, tell, where, writable
from prismae.cli._options import Written, options_of
from prismae.cli.fit import as_path
from prismae.settings import Reading


@app.command(
    "discover",
    epilog=examples("prismae discover measurements.csv", "prismae discover photos/ --minutes 30 --size 64"),
)
@options_of("Data", Reading, {"series_id": Written("--id")}, without=("holdout", "given", "tokens"))
def discover(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            autocompletion=completed("worlds"),
            help=f"Own data: {OWN_DATA}; or a world's name.",
        ),
    ],
    reading: dict[str, Any],
    minutes: Annotated[float, typer.Option(help="Time that it may take.")] = 10.0,
    seeds: Annotated[int, typer.Option(help="Trainings of each promising candidate.")] = 5,
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
        **reading,
        out=folder,
        jobs=jobs,
        progress=not out.quiet,
    )
    kind = "" if found.kind == "columns" else f"; {found.kind}"
    tell(out, f"{found.count}{kind}. {found.why}")
    for each in found.factors:
        sure = each.sure if each.agreement == each.agreement else "one training"
        sure = f"the column {each.column} alone" if each.column else sure
        moves = "; ".join(f"{name} {_number(low)} to {_number(high)}" for name, low, high in each.moves[:3])
        tell(out, f"{each.name}: {100 * each.share:.0f} %, {sure}" + (f"; moves {moves}" if moves else ""))
    role = "kept" if found.kind == "autoencoder" else "reads the data"
    out.print(f"{role}: {found.run}", highlight=False, soft_wrap=True)
    where("page", found.folder / "page.html")


def _number(value: object) -> str:
    return brief(value) if isinstance(value, int | float) else str(value)
