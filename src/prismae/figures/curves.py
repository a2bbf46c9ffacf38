"""What happened during training: each term, and each observation that has one value a latent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from prismae._text import minus, number
from prismae.figures.canvas import (
    ACCENT,
    FAINT,
    FONT,
    INK,
    MUTED,
    SMALL,
    latent_colours,
    new_figure,
    plain,
    thin,
)
from prismae.runs.latents import LISTED, Latents

POINTS = 500  # a curve: more than that is not seen at this size
SMOOTHED = 150  # logged values from which the curve of a latent is smoothed: many raw ones hide each other
LABELS = 16  # latents named beside their curves: more do not fit


def term_curves(
    steps: NDArray,
    values: Mapping[str, NDArray],
    unseen: Mapping[str, NDArray] | None = None,
    columns: int = 3,
    *,
    smooth: bool = True,
) -> Figure:
    """One small axes for each term: the smoothed line over the faint raw one.

    Parameters
    ----------
    steps
        [n] logged steps.
    values
        [n] values by name; NaN where a step has none. Names that start with "monitor:" lose that in their
        title.
    unseen
        [n] the same quantities, by name, of observations that were not trained on: a second, dashed line.
    columns
        Axes in a row.
    smooth
        Whether to smooth; false for what has no noise, such as weights.

    Notes
    -----
    The scale is logarithmic where all values are positive and span more than a factor of 30. The
    number at the upper right is the last smoothed value.
    """
    rows = -(-len(values) // columns)
    figure = new_figure(0.15 + 1.75 * max(rows, 1), apart=0.09)
    grid = figure.subplots(max(rows, 1), columns, squeeze=False)
    for axes, (name, series) in zip(grid.flat, values.items(), strict=False):
        _term(axes, steps, series, name, smooth and not name.startswith("monitor:"))
        if unseen and name in unseen:
            seen = np.isfinite(unseen[name])
            axes.plot(steps[seen], unseen[name][seen], color=INK, lw=1.2, ls="--", label="held out")
    for axes in grid.flat[len(values) :]:
        axes.set_visible(False)
    # said below the axes: a key within them would lie on curves
    words = "step; dashed: held out" if unseen and unseen.keys() & values.keys() else "step"
    figure.supxlabel(words, fontsize=SMALL, color=MUTED)
    return figure


def latent_curves(steps: NDArray, values: NDArray, latents: Latents | None = None, label: str = "") -> Figure:
    """The course of one quantity of each latent in one axes, every curve named at its end.

    Curves of more than 150 values are smoothed; those of the first 100 latents in order are drawn.

    Parameters
    ----------
    steps
        [n] logged steps.
    values
        [n, m]; rows of NaN are steps without a value.
    latents
        What is known of the m latents: colours go by their order and dead ones are grey; without it, by index.
    label
        What the vertical axis shows, with its unit.
    """
    m = values.shape[1]
    fits = latents is not None and len(latents) == m
    known = latents if latents is not None and fits else Latents(np.arange(m, 0, -1, dtype=float))
    colours, order = latent_colours(known), known.order
    figure = new_figure(3.3)
    axes = figure.subplots()
    plain(axes)
    ends: dict[int, float] = {}
    for i in order[:LISTED][::-1]:  # the most lively code on top
        seen = np.isfinite(values[:, i])
        if not seen.any():
            continue
        grey = colours[i] == FAINT
        y = values[seen, i]
        x, y = _few(steps[seen], _smooth(y) if len(y) > SMOOTHED else y)
        marker = "o" if seen.sum() <= 40 else ""
        axes.plot(
            x, y, color=colours[i], lw=1.1 if grey else 1.7, marker=marker, ms=2.6, zorder=2 if grey else 3
        )
        ends[int(i)] = float(y[-1])
    _step_axis(axes, steps)
    words = f"step; {LISTED} of {m:,} latents" if m > LISTED else "step"
    axes.set_xlabel(words, fontsize=SMALL, color=MUTED)
    axes.set_ylabel(label, fontsize=FONT, color=MUTED)
    named = {int(i): ends[int(i)] for i in order if int(i) in ends}
    _name_ends(axes, dict(list(named.items())[:LABELS]), colours, axes_height=3.3 * 72 * 0.82)
    return figure


def _term(axes: Axes, steps: NDArray, series: NDArray, name: str, noisy: bool) -> None:
    plain(axes)
    seen = np.isfinite(series)
    axes.set_title(
        name.removeprefix("monitor:"), loc="left", fontsize=FONT, color=INK, fontweight="bold", pad=7
    )
    if not seen.any():
        axes.text(
            0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", color=MUTED, fontsize=SMALL
        )
        return
    x, y = steps[seen], series[seen]
    course = _smooth(y) if noisy and len(y) > 40 else y
    if course is not y:
        axes.plot(*_few(x, y), color=ACCENT, lw=0.6, alpha=0.35)
    sparse = course is y and len(y) <= 60
    axes.plot(*_few(x, course), color=ACCENT, lw=1.6, marker="o" if sparse else "", ms=2.4)
    if y.min() > 0 and y.max() / y.min() > 30:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(
            LogLocator(subs=(1.0,) if y.max() / y.min() > 300 else (1.0, 3.0), numticks=5)
        )
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{value:.4g}")))
    axes.set_title(number(course[-1]), loc="right", fontsize=SMALL, color=MUTED, pad=7)
    _step_axis(axes, steps)


def _smooth(values: NDArray) -> NDArray:
    """Centred running mean over a fortieth of the curve [n]: short enough to keep a real change sharp."""
    window = max(3, len(values) // 40)
    return pd.Series(values).rolling(window, center=True, min_periods=1).mean().to_numpy()


def _few(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """The curve with at most POINTS points, its last one kept: it carries the label."""
    positions, values = thin(y, POINTS)
    values = np.append(values[:-1], y[-1])
    return np.interp(positions, np.arange(len(x)), x), values


def _step_axis(axes: Axes, steps: NDArray) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: _short(step)))
    axes.set_xlim(min(0, steps[0]), max(steps[-1], steps[0] + 1))


def _short(step: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(step) >= size:
            return f"{step / size:g}{unit}"
    return f"{step:g}"


def _name_ends(axes: Axes, ends: Mapping[int, float], colours: list[str], axes_height: float) -> None:
    """Name curves at their right ends, moved apart so that no two names overlap."""
    if not ends:
        return
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    indices = sorted(ends, key=lambda i: ends[i])
    wanted = np.array([(ends[i] - low) / (high - low) for i in indices])
    places = _apart(wanted, gap=1.28 * SMALL / axes_height)
    for i, at, place in zip(indices, wanted, places, strict=True):
        grey = colours[i] == FAINT
        axes.annotate(
            f"z{i}",
            xy=(1.0, at),
            xytext=(1.028, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            fontsize=SMALL,
            va="center",
            color=MUTED if grey else INK,
            fontweight="normal" if grey else "bold",
            arrowprops={"arrowstyle": "-", "color": colours[i], "lw": 0.7, "shrinkA": 1, "shrinkB": 2},
            annotation_clip=False,
        )


def _apart(wanted: NDArray, gap: float) -> NDArray:
    """Ascending places [n] at least `gap` apart, each group of crowded ones centred where it wants to be."""
    groups = [[float(place)] for place in wanted]

    def start(group: list[float]) -> float:
        return float(np.mean(group)) - gap * (len(group) - 1) / 2

    i = 0
    while i < len(groups) - 1:
        if start(groups[i]) + gap * len(groups[i]) > start(groups[i + 1]):
            groups[i : i + 2] = [groups[i] + groups[i + 1]]
            i = max(i - 1, 0)
        else:
            i += 1
    return np.array([start(group) + gap * j for group in groups for j in range(len(group))])
