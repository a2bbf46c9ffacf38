"""The common look: colours, an empty figure, and how a figure becomes a file or a piece of a page.

Colours are picked twice: the values here are for white paper; in a page each is replaced by a CSS variable of
the same role, so that the page can draw the same figure on a dark ground.
"""

from __future__ import annotations

import io
import re
from html import escape

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from numpy.typing import NDArray

from prismae.runs.latents import Latents

INK, MUTED, FAINT, RULE = "#1b1d23", "#666c77", "#a9afb9", "#dfe2e7"
ACCENT, WARM = "#2e79c7", "#c9571a"
# Okabe and Ito's colours that hold on white, and four more that stay apart in the common colour blindnesses
PALETTE = (
    "#0071b1", "#d35d00", "#00936b", "#bf5f95", "#bd8500",
    "#3b97d3", "#7450b3", "#846528", "#5a7d0c", "#a3303f",
)  # fmt: skip
# blue to orange through grey: each end and the middle is readable on white and on black
RAMP = LinearSegmentedColormap.from_list("traversal", ["#1d74c4", "#8790a0", "#dc6a10"])

FONT, SMALL, TINY = 9.0, 8.0, 7.5  # points
WIDTH = 9.0  # inches: the width of the page's column, so that a point in a figure is a point on the page


def new_figure(
    height: float, width: float = WIDTH, *, head: float = 0.0, apart: float = 0.04, placed: bool = False
) -> Figure:
    """An empty figure, apart from pyplot's global state.

    Parameters
    ----------
    height, width
        Size in inches.
    head
        Inches at the top that axes leave free.
    apart
        Inches of padding above and below each axes.
    placed
        Whether the caller places the axes; otherwise they are laid out so that no two labels overlap.
    """
    engine = ConstrainedLayoutEngine(h_pad=apart, w_pad=0.07, rect=(0, 0, 1, 1 - head / height))
    figure = Figure(figsize=(width, height), layout=None if placed else engine, facecolor="none")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes, grid: str = "y") -> None:
    """Take away all of an axes that carries no data; leave faint grid lines along "x", "y" or "" for none."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom" and bool(grid))
        spine.set_color(FAINT)
        spine.set_linewidth(0.7)
    axes.tick_params(which="both", length=0, labelsize=SMALL, labelcolor=MUTED, colors=MUTED, pad=4)
    if grid:
        axes.grid(axis="x" if grid == "x" else "y", color=RULE, linewidth=0.7)
        axes.set_axisbelow(True)


def blank(axes: Axes) -> None:
    """Leave nothing of an axes but what is drawn into it."""
    axes.set_facecolor("none")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def latent_colours(latents: Latents) -> list[str]:
    """A colour for each of m latents, the same in every figure, by their order; dead ones are grey."""
    colours = [FAINT] * len(latents)
    for rank, i in enumerate(latents.order):
        if not latents.dead[i]:
            colours[i] = PALETTE[rank % len(PALETTE)]
    return colours


def thin(curves: NDArray, limit: int) -> tuple[NDArray, NDArray]:
    """Draw long curves with few points and without losing a peak.

    Parameters
    ----------
    curves
        [..., length] values at 0, 1, 2 …
    limit
        How many points may remain.

    Returns
    -------
    positions [p] and values [..., p], p <= max(limit, 2): of each of p / 2 cells the least
    and the greatest value, in the order in which they occur.
    """
    length = curves.shape[-1]
    if length <= max(limit, 2):
        return np.arange(length, dtype=float), curves
    cell = -(-length // max(limit // 2, 1))
    padded = np.pad(curves, [(0, 0)] * (curves.ndim - 1) + [(0, -length % cell)], mode="edge")
    cells = padded.reshape(*curves.shape[:-1], -1, cell)
    first, second = cells.min(axis=-1), cells.max(axis=-1)
    falls = cells.argmax(axis=-1) < cells.argmin(axis=-1)
    values = np.stack([np.where(falls, second, first), np.where(falls, first, second)], axis=-1)
    starts = np.arange(cells.shape[-2]) * cell
    positions = np.stack([starts + (cell - 1) / 4, starts + 3 * (cell - 1) / 4], axis=-1)
    return positions.ravel().clip(max=length - 1), values.reshape(*curves.shape[:-1], -1)


def svg(figure: Figure) -> str:
    """The figure as an SVG document on white, the same for the same figure."""
    _no_mathtext(figure)
    buffer = io.StringIO()
    # text stays text (small, searchable, in the page's font), and equal figures give equal bytes
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "prismae"}):
        figure.savefig(buffer, format="svg", facecolor="none", metadata={"Date": None, "Creator": None})
    return buffer.getvalue().replace("<svg ", '<svg style="background: white" ', 1)


def inline(document: str, name: str, label: str) -> str:
    """The SVG document of a figure as an element of a page.

    Its identifiers start with `name`, so that many figures can stand in one page; `label` is what a screen
    reader says; colours are CSS variables (`--ink`, `--muted`, `--faint`, `--rule`, `--accent`, `--warm`,
    `--c0` …) and the ground is that of the page.
    """
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', document)
    assert box is not None
    width = float(box[1]) * 96 / 72  # CSS pixels a point
    body = document[document.index(">", document.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", body)
    for colour, role in _roles().items():
        body = body.replace(colour, f"var(--{role})")
    style = f"--width: {width:.0f}px; max-width: var(--width)"
    return f'<svg role="img" aria-label="{escape(label)}" {box[0]} style="{style}">{body}'


def png(figure: Figure) -> bytes:
    """The figure as a PNG image on white."""
    _no_mathtext(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, facecolor="white")
    return buffer.getvalue()


def _no_mathtext(figure: Figure) -> None:
    """Take dollar signs as they are: names of terms and factors are the user's."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def _roles() -> dict[str, str]:
    named = {INK: "ink", MUTED: "muted", FAINT: "faint", RULE: "rule", ACCENT: "accent", WARM: "warm"}
    return named | {colour: f"c{i}" for i, colour in enumerate(PALETTE)}
