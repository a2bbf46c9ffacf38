"""One picture of a run as a file."""

from __future__ import annotations

from pathlib import Path

from prismae.errors import InputError
from prismae.report import figures as draw
from prismae.report.drawing import draw_picture, refuse_of_texts
from prismae.report.figures.animation import traversal_gif
from prismae.report.html import write_file
from prismae.report.results import read_run

SUFFIXES = (".png", ".svg")


def write_picture(
    run_folder: Path | str, kind: str, out: Path | str | None = None, *, factor: str | None = None
) -> Path:
    """Draw one picture from the results saved in a run folder.

    Parameters
    ----------
    kind
        "reconstructions", "worst", "traversals", "effects", "manifold", "samples", "clusters", "tsne"; or "gif", the
        traversals as an animation.
    out
        A .png or .svg file (.gif for "gif"); by default in the run's folder ``figures``.
    factor
        Whose value colours a t-SNE; by default the factor "label", else the first one.

    Returns
    -------
    The path of the file.

    Raises
    ------
    InputError
        For an unknown kind, factor or suffix, arrays that the run folder lacks (`prismae.studies.views.add_views`
        computes them), and what the kind of data has no picture of.
    """
    run = read_run(Path(run_folder))
    suffixes = (".gif",) if kind == "gif" else SUFFIXES
    path = run.folder / "figures" / f"{kind}{suffixes[0]}" if out is None else Path(out)
    if kind == "gif" and out is None:
        path = path.with_name("traversals.gif")
    if path.suffix not in suffixes:
        raise InputError(f"A picture of kind {kind!r} is a {' or '.join(suffixes)} file, got {path.name!r}.")
    if kind == "gif":
        if run.kind == "texts":
            refuse_of_texts(kind)
        if run.kind == "table":
            raise InputError("An animation shows images or series; take --kind traversals for a table.")
        draw_picture(run, "traversals")  # refuses what cannot be drawn
        content = traversal_gif(
            run.in_units(run.pictures["traversals"]),
            run.pictures["traversal_values"],
            run.latents,
            channels=run.channel_names,
        )
    else:
        figure = draw_picture(run, kind, factor)
        content = draw.png(figure) if path.suffix == ".png" else draw.svg(figure).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_file(path, content)
