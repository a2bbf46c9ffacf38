"""How good the codes are: what each tells about each factor, and the scores of one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from prismae._better import Better
from prismae._text import finite, fixed, number, shortened
from prismae.figures.canvas import (
    ACCENT,
    FAINT,
    FONT,
    INK,
    MUTED,
    RULE,
    SMALL,
    WARM,
    WIDTH,
    blank,
    new_figure,
    plain,
)
from prismae.figures.pictures import latent_name
from prismae.runs.latents import Latents, shown_order

LONGEST = (
    2.0  # scores beyond this have a scale of their own (decibels, variance ratios): no bar beside shares
)
BARS = {Better.HIGHER: ACCENT, Better.LOWER: WARM, Better.NEITHER: FAINT}


def information(
    mutual: NDArray,
    entropies: NDArray,
    names: Sequence[str],
    latents: Latents | None = None,
    most: int = 24,
    *,
    shuffled: NDArray | None = None,
) -> Figure:
    """What each code knows of each factor, as a share of what there is to know.

    Parameters
    ----------
    mutual
        [m, k] mutual information of code and factor, nats.
    entropies
        [k] entropy of each factor, nats: the largest possible value of its column.
    names
        k names of factors.
    latents
        What is known of the m latents; the order of the rows, dead ones in grey.
    most
        How many latents are drawn at most, the first in order.
    shuffled
        [k] the most that any code seems to know of each factor once codes are shuffled, nats: a row of its own.

    Notes
    -----
    The code that knows most of a factor is framed, if it knows more than shuffled codes seem to. A factor of
    one value has nothing to know: its column is dashes.
    """
    m, k = mutual.shape
    order = shown_order(latents, m)[:most]
    dead = latents.dead if latents is not None else np.zeros(m, dtype=bool)
    share = np.divide(mutual, entropies, out=np.full((m, k), np.nan), where=np.asarray(entropies) > 1e-9)
    live = np.where(dead[:, None] | ~np.isfinite(share), -1.0, share)
    noise = (
        None if shuffled is None else np.divide(shuffled, entropies, out=np.zeros(k), where=entropies > 1e-9)
    )
    left, cell, line = 1.3, min(1.15, (WIDTH - 1.35) / k), 0.31
    rows = len(order) + (noise is not None)
    height, width = 0.5 + line * rows, left + cell * k + 0.05
    figure = new_figure(height, width, placed=True)
    axes = figure.add_axes((left / width, 0.02 / height, cell * k / width, line * rows / height))
    blank(axes)
    axes.set(xlim=(0, k), ylim=(rows, 0))
    for row, i in enumerate(order):
        axes.text(
            -0.12, row + 0.5, latent_name(int(i), latents), ha="right", va="center", fontsize=SMALL,
            color=MUTED if dead[i] else INK,
        )  # fmt: skip
        for j in range(k):
            known = bool(np.isfinite(share[i, j]))
            best = (
                known and live[i, j] > (0 if noise is None else noise[j]) and live[i, j] == live[:, j].max()
            )
            _cell(axes, row, j, float(share[i, j]), grey=bool(dead[i]), best=best)
    if noise is not None:
        axes.text(-0.12, rows - 0.5, "shuffled", ha="right", va="center", fontsize=SMALL, color=MUTED)
        for j in range(k):
            _cell(axes, rows - 1, j, float(noise[j]), grey=True, best=False)
    room = int(cell / 0.075)  # letters
    for j, short in enumerate(shortened(names, max(room, 3))):
        axes.text(j + 0.5, -0.25, short, ha="center", va="bottom", fontsize=FONT, color=INK)
    return figure


def score_bars(scores: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The scores of one protocol as bars, with interval, ceiling and chance level where they are known.

    Parameters
    ----------
    scores
        By metric: `score`, and where known `lower`, `upper`, `ceiling`, `chance`, `better`. A
        metric with no score keeps its line, with a dash; one with a score beyond 2 has its number alone.
    """
    height = 0.8 + 0.36 * len(scores)
    figure = new_figure(height, 7.0)
    axes = figure.subplots()
    plain(axes, grid="x")
    shown = ("score", "lower", "upper", "ceiling", "chance")
    barred = [score for score in scores.values() if abs(finite(score.get("score")) or 0.0) <= LONGEST]
    marks = [finite(score.get(key)) for score in barred for key in shown]
    seen = [mark for mark in marks if mark is not None and abs(mark) <= LONGEST]
    low, high = min([0.0, *seen]), max([1.0, *seen])
    axes.set(xlim=(low, high + 0.14 * (high - low)), ylim=(len(scores) - 0.4, -0.6))
    axes.set_yticks(range(len(scores)), list(scores), fontsize=FONT, color=INK)
    look: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": FONT, "color": INK}
    for row, score in enumerate(scores.values()):
        value = finite(score.get("score"))
        axes.text(1, row, number(value), transform=axes.get_yaxis_transform(), **look)
        if value is None or abs(value) > LONGEST:
            continue
        axes.barh(row, value, height=0.5, color=BARS[Better.of(score)], zorder=2)
        lower, upper = finite(score.get("lower")), finite(score.get("upper"))
        if lower is not None and upper is not None:
            axes.plot([lower, upper], [row, row], color=INK, lw=1.3, zorder=4, solid_capstyle="butt")
        for key, style in (("ceiling", "-"), ("chance", ":")):
            mark = finite(score.get(key))
            if mark is not None and abs(mark) <= LONGEST:
                axes.plot([mark, mark], [row - 0.38, row + 0.38], color=INK, lw=1.5, ls=style, zorder=5)
    axes.set_xlabel("score", fontsize=SMALL, color=MUTED)
    _score_key(figure, scores)
    return figure


def _cell(axes: Axes, row: int, column: int, share: float, *, grey: bool, best: bool) -> None:
    corner, size = (column + 0.03, row + 0.06), (0.94, 0.88)
    if np.isfinite(share):
        # opacity, not a colour map: an empty cell takes the colour of the page, light or dark
        depth = min(max(share, 0.0), 1.0) * (0.5 if grey else 0.85)
        axes.add_patch(Rectangle(corner, *size, facecolor=FAINT if grey else ACCENT, alpha=depth, lw=0))
        if best:
            axes.add_patch(Rectangle(corner, *size, facecolor="none", edgecolor=INK, lw=1.2))
    axes.add_patch(Rectangle(corner, *size, facecolor="none", edgecolor=RULE, lw=0.5, zorder=0))
    text = fixed(share, 2)
    axes.text(
        column + 0.5, row + 0.52, text, ha="center", va="center", fontsize=SMALL, color=MUTED if grey else
        INK, fontweight="bold" if best else "normal",
    )  # fmt: skip


def _score_key(figure: Figure, scores: Mapping[str, Mapping[str, Any]]) -> None:
    kinds = {Better.of(score) for score in scores.values()}
    handles: list[Rectangle | Line2D] = [
        Rectangle((0, 0), 1, 1, facecolor=color, label=better.phrase)
        for better, color in BARS.items()
        if better in kinds
    ]

    def has(key: str) -> bool:
        return any(finite(score.get(key)) is not None for score in scores.values())

    if has("lower"):
        handles.append(Line2D([], [], color=INK, lw=1.3, label="interval"))
    for key, sign, size in (("ceiling", "|", 1.5), ("chance", r"$\vdots$", 0.4)):
        if has(key):
            handles.append(Line2D([], [], ls="", color=INK, marker=sign, ms=11, mew=size, label=key))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, fontsize=SMALL,
        labelcolor=MUTED, handlelength=1.2, columnspacing=1.4, borderpad=0.1,
    )  # fmt: skip
