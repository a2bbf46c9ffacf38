"""One picture of a run as a file."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from prismae._files import write_file
from prismae.errors import InputError, unknown_name
from prismae.figures.animation import traversal_gif
from prismae.figures.canvas import DPI, SUFFIXES, as_file
from prismae.runs.run import Run
from prismae.views import View, all_views, check, view
from prismae.views._shown import KINDS
from prismae.views.traversals import Traversals
from prismae.views.tsne import TSNE

GIF = "gif"


def write_picture(
    run_folder: Path | str,
    kind: str | View,
    out: Path | str | None = None,
    *,
    factor: str | None = None,
    dpi: int = DPI,
    width: float | None = None,
) -> Path:
    """Draw one picture from the results saved in a run folder.

    Parameters
    ----------
    kind
        The name of a view, a view, or "gif", the traversals as an animation.
    out
        A .png, .svg or .pdf file (.gif for "gif"); by default in the run's folder ``figures``.
    factor
        Whose value colours a t-SNE; by default the factor "label", else the first one.
    dpi
        Pixels an inch of a .png file.
    width
        Inches; None: as wide as it is drawn in a report. See `prismae.figures.canvas.resize`.

    Returns
    -------
    The path of the file.

    Raises
    ------
    InputError
        For an unknown kind, factor or suffix, arrays that the run folder lacks (`prismae.views.add_views` computes
        them), and what the kind of data has no picture of.
    """
    run = Run(Path(run_folder)).read()
    check(run)
    name = kind if isinstance(kind, str) else kind.name()
    suffixes = (".gif",) if name == GIF else SUFFIXES
    if out is None:
        path = run.path / "figures" / ("traversals.gif" if name == GIF else f"{name}{suffixes[0]}")
    else:
        path = Path(out)
    if path.suffix not in suffixes:
        raise InputError(f"A picture of kind {name!r} is a {', '.join(suffixes)} file, got {path.name!r}.")
    drawn = None if name == GIF else _figure(run, kind, factor)
    content = _animation(run) if drawn is None else as_file(drawn, path.suffix, dpi=dpi, width=width)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_file(path, content)


def refuse(kind: str, data: str) -> None:
    """Refuse a kind of picture that there is not of a kind of data, before anything is computed for it."""
    if kind == GIF:
        if refused := Traversals.refusal(data):
            raise InputError(refused.replace("'traversals'", "'gif'"))
        if data in KINDS and not KINDS[data].slides:
            raise InputError("An animation shows images or series; take --kind traversals for a table.")
        return
    if kind not in all_views():
        raise unknown_name("kind of picture", kind, [*all_views(), GIF])
    if refused := all_views()[kind].refusal(data):
        raise InputError(refused)


def _figure(run: Run, kind: str | View, factor: str | None) -> Figure:
    if isinstance(kind, str):
        refuse(kind, run.shown.kind)
    drawn = view(kind)
    if refused := drawn.refusal(run.shown.kind):
        raise InputError(refused)
    if drawn.drawn and (lacking := drawn.lacks(run)):
        command = f"prismae picture {shlex.quote(str(run.path))} --kind {drawn.name()}"
        raise InputError(f"{run.path} holds no {', '.join(lacking)}: `{command}` computes them.")
    if factor is not None:
        if not isinstance(drawn, TSNE):
            raise InputError(f"A factor colours a t-SNE only, not a picture of kind {drawn.name()!r}.")
        drawn = replace(drawn, factor=factor)
    return drawn.draw(run)


def _animation(run: Run) -> bytes:
    refuse(GIF, run.shown.kind)
    _figure(run, "traversals", None)  # refuses what cannot be drawn
    frames, values = run.shown.drawn(run.pictures["traversals"]), run.pictures["traversal_values"]
    return traversal_gif(frames, values, run.latents, channels=run.shown.channel_names)
