"""The common look: colours, an empty figure, and how a figure becomes a file or a piece of a page.

Colours are picked twice: the values here are for white paper; in a page each is replaced by a CSS variable of the same
role, so that the page can draw the same figure on a dark ground.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae.report.latents import by_spread, dead_latents

INK, MUTED, FAINT, RULE = "#1b1d23", "#666c77", "#a9afb9", "#dfe2e7"
ACCENT, WARM = "#2e79c7", "#c9571a"
# Okabe and Ito's colours that hold on white, and four more that stay apart in the common colour blindnesses
PALETTE = (
    "#0071b1", "#d35d00", "#00936b", "#bf5f95", "#bd8500",
    "#3b97d3", "#7450b3", "#846528", "#5a7d0c", "#a3303f",
)  # fmt: skip
# blue to orange through grey: each end and the middle is readable on white and on black
RAMP = LinearSegmentedColormap.from_list("traversal", ["#1d74c4", "#8790a0", "#dc6a10"])

FONT, SMALL = 9.0, 8.0  # points
WIDTH = 9.0  # inches: the width of the page's column, so that a point in a figure is a point on the page


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure of the given size in inches, apart from pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
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


def latent_colours(spread: NDArray) -> list[str]:
    """A colour for each of m latents, the same in every figure: by rank of spread [m]; dead ones are grey."""
    colours = [FAINT] * len(spread)
    dead = dead_latents(spread)
    for rank, i in enumerate(by_spread(spread)):
        if not dead[i]:
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
    positions [p] and values [..., p], p <= max(limit, 2): of each of p / 2 cells the least and the greatest value,
    in the order in which they occur.
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


def svg(figure: Figure, name: str = "", label: str = "") -> str:
    """The figure as an SVG element for a page.

    Its identifiers start with `name`, so that many figures can stand in one page; `label` is what a screen reader
    says; colours are CSS variables (`--ink`, `--muted`, `--faint`, `--rule`, `--accent`, `--warm`, `--c0` …).
    """
    text = _svg_document(figure, "none")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", text)
    for colour, role in _roles().items():
        text = text.replace(colour, f"var(--{role})")
    width = figure.get_figwidth() * 96  # CSS pixels an inch
    head = f'<svg role="img" aria-label="{label}" style="max-width: {width:.0f}px"'
    return re.sub(r'<svg( (?!viewBox|xmlns)[\w:]+="[^"]*")*', head, _drop_sizes(text), count=1)


def save(figure: Figure, path: Path) -> Path:
    """Write the figure on white, as the suffix of `path` says (.svg or .png), under a temporary name first."""
    temporary = path.with_name(f".{path.name}.part")
    if path.suffix == ".svg":
        temporary.write_text(_svg_document(figure, "white"), encoding="utf-8")
    else:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150, facecolor="white")
    return temporary.replace(path)


def _svg_document(figure: Figure, ground: str) -> str:
    buffer = io.StringIO()
    # text stays text (small, searchable, in the page's font), and equal figures give equal bytes
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "prismae"}):
        figure.savefig(buffer, format="svg", facecolor=ground, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _drop_sizes(text: str) -> str:
    start, end = text.split(">", 1)
    return re.sub(r' (width|height|version)="[^"]*"', "", start) + ">" + end


def _roles() -> dict[str, str]:
    named = {INK: "ink", MUTED: "muted", FAINT: "faint", RULE: "rule", ACCENT: "accent", WARM: "warm"}
    return named | {colour: f"c{i}" for i, colour in enumerate(PALETTE)}
