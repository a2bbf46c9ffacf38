"""Observations that are rows of a table: features have names and scales of their own, so all are standardised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from prismae._text import shortened
from prismae.figures.canvas import (
    ACCENT,
    FAINT,
    FONT,
    INK,
    MUTED,
    PALETTE,
    RULE,
    SMALL,
    TINY,
    WARM,
    WIDTH,
    blank,
    head_line,
    new_figure,
    plain,
)
from prismae.figures.pictures import latent_name
from prismae.runs.latents import Latents, shown_order

NAMED = 4  # features named in one axes: those that a latent moves most
BESIDE = 20  # letters of names that stand two in a row of a key
SHOWN = 40  # columns of a table that have a place of their own in a figure


def furthest(values: NDArray) -> NDArray:
    """The columns that are shown of values [..., d], in their order: of more than 40 those with the largest values."""
    largest = np.nan_to_num(np.abs(values)).reshape(-1, values.shape[-1]).max(axis=0)
    return np.sort(np.argsort(-largest, kind="stable")[:SHOWN])


def left_out(d: int) -> str:
    """What a figure says where it does not show all of d columns."""
    return f"{SHOWN} of {d:,} columns: those of the largest values here" if d > SHOWN else ""


def table(rows: NDArray, names: Sequence[str], labels: Sequence[str], title: str = "") -> Figure:
    """Rows of a table by colour: blue below the column's mean, orange above, full at two standard deviations.

    Parameters
    ----------
    rows
        [n, d] values in standard deviations from the column's mean.
    names, labels
        d names of columns, and n of rows.
    title
        What stands above it all.
    """
    key = "blue below the column's mean, orange above, full at two standard deviations"
    title = "\n".join(filter(None, (", ".join(filter(None, (title, left_out(rows.shape[1])))), key)))
    kept = furthest(rows)
    rows, names = rows[:, kept], [names[i] for i in kept]
    n, d = rows.shape
    left, cell, line = 1.3, min(0.8, (WIDTH - 1.35) / d), 0.26
    head = 0.2 + 0.065 * max(map(len, names), default=0) + 0.2 * (1 + title.count("\n"))
    height, width = head + line * n + 0.05, max(left + cell * d + 0.05, 6.0)
    figure = new_figure(height, width, placed=True)
    axes = figure.add_axes((left / width, 0.05 / height, cell * d / width, line * n / height))
    blank(axes)
    axes.set(xlim=(0, d), ylim=(n, 0))
    cells, fills = [], []
    for i, row in enumerate(rows):
        axes.text(-0.1, i + 0.5, labels[i], ha="right", va="center", fontsize=SMALL, color=INK)
        for j, value in enumerate(np.nan_to_num(row)):
            depth = min(abs(float(value)) / 2, 1.0) * 0.9
            cells.append(Rectangle((j + 0.03, i + 0.05), 0.94, 0.9))
            fills.append(to_rgba(WARM if value > 0 else ACCENT, depth))
    axes.add_collection(
        PatchCollection(cells, facecolors=fills, edgecolors=RULE, linewidths=0.5), autolim=False
    )
    for j, name in enumerate(names):
        axes.text(
            j + 0.5, -0.25, name, ha="center", va="bottom", fontsize=SMALL, color=INK, rotation=90
        )  # fmt: skip
    head_line(figure, title)
    return figure


def table_pairs(
    originals: NDArray, rebuilt: NDArray, names: Sequence[str], called: Sequence[str] = ()
) -> Figure:
    """Rows of a table beside their reconstructions, a line between the two values of each feature.

    Parameters
    ----------
    originals, rebuilt
        [r, d] values in standard deviations from the column's mean.
    names
        d names of columns.
    called
        What the r rows are called.
    """
    left, kept = left_out(originals.shape[1]), furthest(np.stack([originals, rebuilt]))
    originals, rebuilt, names = originals[:, kept], rebuilt[:, kept], [names[i] for i in kept]
    columns = min(4, len(originals))
    rows = -(-len(originals) // columns)
    figure = new_figure(0.35 + rows * (0.3 + 0.2 * bool(called) + 0.19 * len(names)), apart=0.07)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    places = np.arange(len(names))
    for axes, original, again in zip(grid.flat, originals, rebuilt, strict=False):
        plain(axes, grid="x")
        axes.hlines(places, original, again, color=FAINT, lw=1.2)
        axes.plot(original, places, ls="", marker="o", ms=5, color=FAINT, label="original")
        axes.plot(again, places, ls="", marker="o", ms=3.2, color=WARM, label="rebuilt")
        axes.set_yticks(places, names, color=INK)
        axes.set_ylim(len(names) - 0.5, -0.5)
    for axes, name in zip(grid.flat, shortened(called, 24), strict=False):
        axes.set_title(name, loc="left", fontsize=SMALL, color=MUTED, pad=4)
    for axes in grid.flat[len(originals) :]:
        axes.set_visible(False)
    figure.legend(
        *grid.flat[0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False,
        fontsize=FONT, labelcolor=INK, handlelength=1.0, borderpad=0.1,
    )  # fmt: skip
    words = "; ".join(filter(None, ("standard deviations from the column's mean", left)))
    figure.supxlabel(words, fontsize=SMALL, color=MUTED)
    return figure


def table_traversals(
    frames: NDArray, values: NDArray, names: Sequence[str], latents: Latents | None = None, most: int = 24
) -> Figure:
    """What the decoder makes of each feature when one latent takes one value after another.

    Parameters
    ----------
    frames
        [m, t, d] values in standard deviations from the column's mean.
    values
        [m, t] the values that the latent takes.
    names
        d names of columns; the forty that a latent moves most are drawn, four of them named and coloured.
    latents
        What is known of the m latents; the order in which they come.
    most
        How many latents are drawn at most.
    """
    order = shown_order(latents, len(frames))[:most]
    columns = min(3, len(order))
    rows = -(-len(order) // columns)
    beside = 2 if max(map(len, names)) <= BESIDE else 1
    figure = new_figure(0.1 + (2.1 if beside == 2 else 2.4) * rows, apart=0.09)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, i in zip(grid.flat, order, strict=False):
        plain(axes)
        dead = latents is not None and bool(latents.dead[i])
        moved = np.argsort(-np.ptp(frames[i], axis=0), kind="stable")
        colours = _different(moved[:NAMED].tolist())
        for rank, j in reversed([*enumerate(moved[:SHOWN])]):
            named = rank < NAMED and not dead
            colour, width = (colours[rank], 1.7) if named else (FAINT, 0.8)
            axes.plot(values[i], frames[i][:, j], color=colour, lw=width, label=names[j] if named else None)
        colour, above = (MUTED, 4) if dead else (INK, 4 + 12 * NAMED // beside)
        axes.set_title(latent_name(int(i), latents), loc="left", fontsize=SMALL, color=colour, pad=above)
        if not dead:  # above the curves
            axes.legend(
                frameon=False, fontsize=TINY, labelcolor=MUTED, handlelength=1.0, labelspacing=0.2, ncols=beside,
                loc="lower left", bbox_to_anchor=(0, 1), borderpad=0.1, borderaxespad=0.1, columnspacing=1.0,
            )  # fmt: skip
    for axes in grid.flat[len(order) :]:
        axes.set_visible(False)
    figure.supxlabel("value of the latent", fontsize=SMALL, color=MUTED)
    figure.supylabel("standard deviations from the column's mean", fontsize=SMALL, color=MUTED)
    return figure


def _different(columns: list[int]) -> list[str]:
    """A colour for each column: the same in all panels, unless another column of this one has it."""
    places: list[int] = []
    for column in columns:
        free = (place % len(PALETTE) for place in range(column, column + len(PALETTE)))
        places.append(next(place for place in free if place not in places))
    return [PALETTE[place] for place in places]
