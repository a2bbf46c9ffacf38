"""What is known of the codes without any label: which inform, what they change, what is rebuilt badly, how they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from prismae._text import number, shortened
from prismae.figures.canvas import (
    ACCENT,
    FAINT,
    FONT,
    INK,
    MUTED,
    RAMP,
    SMALL,
    WIDTH,
    blank,
    look,
    new_figure,
    plain,
    thin,
)
from prismae.figures.lanes import heights, name_axes, name_lanes, tall
from prismae.figures.pictures import FRAME, latent_name, shrink
from prismae.figures.tables import furthest, left_out
from prismae.latent.live import LIVE
from prismae.runs.latents import Latents

CLASSES = 20  # values of a factor that get a colour each; more are drawn on a scale
LETTERS = 24  # of the name of a value


def latent_bars(values: NDArray, latents: Latents, label: str, most: int = 24) -> Figure:
    """One quantity of each latent as bars, in their order, dead ones in grey.

    Parameters
    ----------
    values
        [m]; minus infinity or NaN leave a dash.
    latents
        What is known of the m latents.
    label
        What is shown, with its unit.
    """
    order, dead = latents.order[:most], latents.dead
    figure = new_figure(0.5 + 0.24 * len(order), 6.0)
    axes = figure.subplots()
    plain(axes, grid="x")
    for row, i in enumerate(order):
        if np.isfinite(values[i]):
            axes.barh(row, values[i], height=0.6, color=FAINT if dead[i] else ACCENT, zorder=2)
        axes.text(
            1.01, row, number(values[i]), transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL, color=INK
        )  # fmt: skip
    axes.axvline(0, color=FAINT, lw=0.7)
    axes.set_xlim(right=max(axes.get_xlim()[1], LIVE))  # bars of what is next to nothing are short
    axes.set_yticks(range(len(order)), [f"z{i}" for i in order], fontsize=FONT, color=INK)
    axes.set(ylim=(len(order) - 0.4, -0.6))
    axes.set_xlabel(label, fontsize=SMALL, color=MUTED)
    return figure


def effects(
    change: NDArray,
    latents: Latents,
    names: Sequence[str] | None = None,
    most: int = 12,
    channels: Sequence[str] = (),
) -> Figure:
    """How far each latent moves each element of an observation.

    Parameters
    ----------
    change
        [m, c, h, w], [m, length] or [m, c, length] mean absolute change as the latent goes from low to high.
    latents
        What is known of the m latents; the order in which they come, dead ones left out unless all are dead.
    names
        Names of the elements: given, they are drawn as bars, a table's columns; else series and images.
    most
        How many latents are drawn at most.
    channels
        c names of the channels of series.
    """
    order, dead = latents.order, latents.dead
    order = order[~dead[order]][:most] if not dead.all() else order[:most]
    if change.ndim == 4:
        return _change_maps(change[order], order, latents)
    if names is not None:
        return _change_bars(change[order], order, latents, names)
    return _change_curves(change[order], order, latents, channels)


def error_histogram(errors: NDArray) -> Figure:
    """How many observations are rebuilt how badly; errors [n], in units of the data's variance."""
    figure = new_figure(2.4, 6.0)
    axes = figure.subplots()
    plain(axes)
    known = errors[np.isfinite(errors)]
    axes.hist(known, bins=min(40, max(5, int(np.sqrt(len(known))))), color=ACCENT, alpha=0.85, rwidth=0.9)
    for share, style in ((0.5, "-"), (0.95, ":")):
        axes.axvline(
            np.quantile(known, share), color=INK, lw=1.2, ls=style, label=f"{share:.0%}".replace("%", " %")
        )
    axes.legend(frameon=False, fontsize=SMALL, labelcolor=MUTED, title=None)
    axes.set_xlabel("squared error per element, in units of the data's variance", fontsize=SMALL, color=MUTED)
    axes.set_ylabel("observations", fontsize=SMALL, color=MUTED)
    axes.set_xlim(left=0)
    return figure


def embedding(
    points: NDArray, labels: NDArray | None = None, name: str = "", called: Sequence[str] = ()
) -> Figure:
    """Codes in the plane, in the colour of a factor.

    Parameters
    ----------
    points
        [n, 2].
    labels
        [n] the factor's value of each point; None: one colour.
    name
        Name of the factor.
    called
        What its values 0, 1, 2 … are called, where they have names.

    Notes
    -----
    Up to 20 values have a colour each, named beside the figure; more are drawn on a scale from low to high.
    """
    figure = new_figure(5.2, 7.2)
    axes = figure.subplots()
    blank(axes)
    axes.set_aspect("equal", adjustable="datalim")
    size = float(np.clip(6000 / len(points), 3, 28))
    marks: dict[str, Any] = {"s": size, "lw": 0, "alpha": 0.8}
    if labels is None:
        axes.scatter(points[:, 0], points[:, 1], color=ACCENT, **marks)
        return figure
    values = np.unique(labels)
    if len(values) > CLASSES:
        drawn = axes.scatter(points[:, 0], points[:, 1], c=labels, cmap=RAMP, **marks)
        bar = figure.colorbar(drawn, ax=axes, shrink=0.6, aspect=24, pad=0.02)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, labelsize=SMALL, labelcolor=MUTED)
        bar.set_label(name, fontsize=SMALL, color=MUTED)
        return figure
    handles = []
    named = dict(enumerate(shortened(called, LETTERS)))
    for place, value in enumerate(values):
        colour, shape = look(place)
        axes.scatter(
            points[labels == value, 0], points[labels == value, 1], color=colour, marker=shape, **marks
        )
        handles.append(
            Line2D([], [], ls="", marker=shape, ms=5, color=colour, label=named.get(value, f"{value:g}"))
        )
    figure.legend(
        handles=handles, title=name, loc="outside right upper", frameon=False, fontsize=SMALL, labelcolor=INK,
        title_fontsize=SMALL, handletextpad=0.2,
    ).get_title().set_color(MUTED)  # fmt: skip
    return figure


def _change_maps(change: NDArray, order: NDArray, latents: Latents) -> Figure:
    """A map for each latent; the pixel of the fullest colour is the one that any latent changes most."""
    maps = shrink(change, FRAME).mean(axis=1)
    columns = min(6, len(maps))
    rows = -(-len(maps) // columns)
    upright = maps.shape[1] / maps.shape[2]  # three slices of a volume beside each other are wide
    figure = new_figure(0.25 + rows * (0.22 + 1.5 * upright), min(WIDTH, 1.5 * columns))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, each, i in zip(grid.flat, maps, order, strict=False):
        blank(axes)
        for spine in axes.spines.values():
            spine.set(visible=True, color=FAINT, linewidth=0.6)
        shade = np.empty((*each.shape, 4))
        shade[..., :3] = to_rgb(ACCENT)
        shade[..., 3] = each / (maps.max() or 1.0)
        axes.imshow(shade, interpolation="none")
        _title(axes, int(i), latents)
    for axes in grid.flat[len(maps) :]:
        axes.set_visible(False)
    figure.supxlabel(f"fullest: a change of {number(maps.max())}", fontsize=SMALL, color=MUTED)
    return figure


def _change_curves(change: NDArray, order: NDArray, latents: Latents, channels: Sequence[str]) -> Figure:
    columns = 2
    rows = -(-len(change) // columns)
    curves, names = heights(change, channels)
    c = curves.shape[1]
    figure = new_figure(0.4 + tall(c, 1.15) * rows, apart=0.07)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    name_axes(figure, "mean absolute change" if rows > 1 or c > 1 else "mean change")
    x, y = thin(curves, 500)
    for axes, each, i in zip(grid.flat, y, order, strict=False):
        plain(axes)
        for k, curve in enumerate(each):
            axes.fill_between(x, curve, c - 1 - k, color=ACCENT, alpha=0.55, lw=0)
        axes.margins(x=0.01)
        name_lanes(axes, names)
        _title(axes, int(i), latents)
    if (
        not names
    ):  # after all are drawn: the axes share their heights, and a limit stops growing when it is set
        grid.flat[0].set_ylim(bottom=0)
    for axes in grid.flat[len(change) :]:
        axes.set_visible(False)
    return figure


def _change_bars(change: NDArray, order: NDArray, latents: Latents, names: Sequence[str]) -> Figure:
    left, kept = left_out(change.shape[1]), furthest(change)
    change, names = change[:, kept], [names[i] for i in kept]
    columns = min(4, len(change))
    rows = -(-len(change) // columns)
    figure = new_figure(rows * (0.45 + 0.2 * len(names)), apart=0.09)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, each, i in zip(grid.flat, change, order, strict=False):
        plain(axes, grid="x")
        axes.barh(range(len(names)), each, height=0.62, color=ACCENT, zorder=2)
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.set(ylim=(len(names) - 0.4, -0.6))
        _title(axes, int(i), latents)
    for axes in grid.flat[len(change) :]:
        axes.set_visible(False)
    words = "; ".join(filter(None, ("mean absolute change, standard deviations", left)))
    figure.supxlabel(words, fontsize=SMALL, color=MUTED)
    return figure


def _title(axes: Axes, i: int, latents: Latents) -> None:
    colour = MUTED if latents.dead[i] else INK
    axes.set_title(latent_name(i, latents), loc="left", fontsize=SMALL, color=colour, pad=4)
