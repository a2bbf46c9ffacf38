"""A study's scores: bars with seeds as dots, and scores over a swept setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from prismae._text import shortened
from prismae.figures.canvas import (
    ACCENT,
    FAINT,
    FONT,
    INK,
    MUTED,
    PALETTE,
    SMALL,
    WIDTH,
    new_figure,
    plain,
)

COLUMNS = 2  # panels beside each other
LETTERS = 30  # of a line of a method's name
LETTER = 0.08  # inches of one in a key
TICKS = 8  # settings that have a tick of their own
STYLES = ("-", "--", ":")  # of the first seven lines, and of those after them
DEVIATION: dict[str, Any] = {"elinewidth": 1.2, "capsize": 2.5, "capthick": 1.2, "zorder": 5}
FAR = 4  # spans of the values that the level of chance may lie away from them, to be drawn
CHANCE: dict[str, Any] = {"color": MUTED, "lw": 1.2, "ls": ":"}


def seed_bars(
    scores: Mapping[str, Mapping[str, Sequence[float]]],
    published: Mapping[str, Mapping[str, tuple[float, float | None]]],
    chance: Mapping[str, float] | None = None,
    better: Mapping[str, str] | None = None,
) -> Figure:
    """One panel for each score: a bar for each line's mean over seeds with its deviation, each seed a dot.

    Parameters
    ----------
    scores
        Score → line → values of the seeds.
    published
        Score → line → published mean and deviation (None where there is none), drawn as a mark over the bar; may be
        empty.
    chance
        Score → what shuffled codes score, where it is known.
    better
        Score → a word on which end is better, where it is not the upper one.
    """
    lines = list(dict.fromkeys(line for panel in scores.values() for line in panel))
    named = [fill(line, LETTERS) for line in shortened(lines, 2 * LETTERS - 6)]  # of two lines
    figure, panels = _panels(len(scores), 0.75 + 0.3 * len(lines), share_y=True)
    lines_of_chance = False
    for axes, (score, values) in zip(panels, scores.items(), strict=False):
        plain(axes, grid="x")
        _title(axes, score)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel(_measure(score, better), fontsize=SMALL, color=MUTED)
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_yticks(range(len(lines)), named, fontsize=SMALL, color=INK, linespacing=1.0)
        for row, line in enumerate(lines):
            seeds = np.asarray(values.get(line, ()), dtype=float)
            if len(seeds):
                axes.barh(row, seeds.mean(), height=0.55, color=ACCENT, alpha=0.45, zorder=2)
                axes.plot(seeds, np.full(len(seeds), row), "o", color=ACCENT, ms=3.5, zorder=4)
            if len(seeds) > 1:
                axes.errorbar(seeds.mean(), row + 0.16, xerr=seeds.std(ddof=1), **DEVIATION, color=ACCENT)
            if line in published.get(score, {}):
                mark, spread = published[score][line]
                axes.plot([mark, mark], [row - 0.36, row + 0.36], color=INK, lw=1.6, zorder=5)
                if spread is not None:
                    axes.errorbar(mark, row - 0.16, xerr=spread, **DEVIATION, color=INK)
        if chance and score in chance:
            marks = [mark for mark, _ in published.get(score, {}).values()]
            each = [0.0, *marks, *(v for seeds in values.values() for v in seeds)]
            lines_of_chance |= _mark_chance(axes, "x", chance[score], each)
    handles: list[Line2D | Patch] = [
        Patch(color=ACCENT, alpha=0.45, label="mean over seeds"),
        Line2D([], [], ls="", marker="o", ms=3.5, color=ACCENT, label="a seed"),
    ]
    if any(len(seeds) > 1 for values in scores.values() for seeds in values.values()):
        handles.append(Line2D([], [], color=ACCENT, lw=1.2, label="± deviation"))
    if any(published.values()):
        handles.append(Line2D([], [], ls="", marker="|", ms=10, mew=1.6, color=INK, label="published"))
    _key(figure, handles, with_chance=lines_of_chance)
    return figure


def swept_curves(
    name: str,
    scores: Mapping[str, Mapping[str, tuple[NDArray, Sequence[Sequence[float]]]]],
    chance: Mapping[str, float] | None = None,
    better: Mapping[str, str] | None = None,
    published: Mapping[str, Mapping[str, Mapping[Any, tuple[float, float | None]]]] | None = None,
) -> Figure:
    """One panel for each score: its mean over seeds against a swept setting, with deviation and seeds.

    Parameters
    ----------
    name
        Name of the setting.
    scores
        Score → line → (the setting's values [n], for each the seeds' values).
    chance, better
        As for `seed_bars`.
    published
        Score → line → value of the setting → published mean and deviation (None where there is none).
    """
    lines = list(dict.fromkeys(line for panel in scores.values() for line in panel))
    colours = {line: PALETTE[i % len(PALETTE)] for i, line in enumerate(lines)}
    styles = {line: STYLES[i // len(PALETTE) % len(STYLES)] for i, line in enumerate(lines)}
    words = not all(np.issubdtype(x.dtype, np.number) for panel in scores.values() for x, _ in panel.values())
    figure, panels = _panels(
        len(scores), 2.5 + 0.7 * words, share_y=False, columns=3 if len(scores) == 3 else COLUMNS
    )
    lines_of_chance = False
    for axes, (score, curves) in zip(panels, scores.items(), strict=False):
        plain(axes)
        _title(axes, score)
        axes.set_xlabel(name, fontsize=SMALL, color=MUTED)
        axes.set_ylabel(_measure(score, better), fontsize=SMALL, color=MUTED)
        for line, (x, seeds) in curves.items():
            mean = np.array([np.mean(each) for each in seeds])
            deviation = np.array([np.std(each, ddof=1) if len(each) > 1 else 0.0 for each in seeds])
            if words:  # nothing lies between them
                axes.errorbar(x, mean, deviation, fmt="D", ms=5, **DEVIATION, color=colours[line])
            else:
                axes.fill_between(
                    x, mean - deviation, mean + deviation, color=colours[line], alpha=0.15, lw=0
                )
                axes.plot(x, mean, color=colours[line], lw=1.7, ls=styles[line], zorder=3)
            for place, (mark, spread) in (published or {}).get(score, {}).get(line, {}).items():
                look = {"fmt": "_", "ms": 11, "mew": 1.8, **DEVIATION}
                axes.errorbar(place, mark, spread, **look, color=INK if len(lines) == 1 else colours[line])
            for place, each in zip(x, seeds, strict=True):
                axes.plot(np.full(len(each), place), each, "o", color=colours[line], ms=2.8, zorder=4)
        places = np.unique(np.concatenate([x for x, _ in curves.values()]))
        if len(places) <= TICKS and np.issubdtype(places.dtype, np.number):
            if places[0] > 0 and places[-1] >= 16 * places[0]:
                axes.set_xscale("log")
                axes.minorticks_off()
            axes.set_xticks(places, [f"{place:g}" for place in places])
        if words:
            axes.tick_params(axis="x", rotation=35)
            for label in axes.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
        if chance and score in chance:
            each = [v for _, seeds in curves.values() for of_place in seeds for v in of_place]
            lines_of_chance |= _mark_chance(axes, "y", chance[score], each)
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colours[line], label=short, marker="D", ms=5, ls="")
        if words
        else Line2D([], [], color=colours[line], label=short, lw=1.7, ls=styles[line])
        for line, short in zip(lines, shortened(lines, 2 * LETTERS), strict=True)
    ]
    if any((published or {}).values()):
        handles.append(Line2D([], [], ls="", marker="_", ms=9, mew=1.8, color=INK, label="published"))
    _key(figure, handles, with_chance=lines_of_chance)
    return figure


def _mark_chance(axes: Axes, axis: Literal["x", "y"], level: float, values: Sequence[float]) -> bool:
    """A line at what shuffled codes score; its number alone where it is so far out that values could not be told apart
    beside it. Whether there is a line."""
    seen = np.asarray(values, dtype=float)
    low, high = np.nanmin(seen), np.nanmax(seen)
    reach = FAR * (high - low)
    if not reach or low - reach <= level <= high + reach:
        (axes.axvline if axis == "x" else axes.axhline)(level, **CHANCE)
        return True
    label = getattr(axes, f"{axis}axis").label
    label.set_text(f"{label.get_text()} · chance {level:.3g}")
    return False


def _title(axes: Axes, score: str) -> None:
    name = score.rpartition(":")[2]
    title = {"mse": "squared error", "nats": "negative log likelihood"}.get(score, name)
    axes.set_title(title, loc="left", fontsize=FONT, color=INK, fontweight="bold", pad=7)


def _measure(score: str, better: Mapping[str, str] | None) -> str:
    """What an axis of a score counts, by which protocol, and which end is better where it is not the upper one."""
    unit = {"mse": "of the data's variance, per element", "nats": "nats per observation"}.get(score, "score")
    return " · ".join(filter(None, (unit, score.rpartition(":")[0], (better or {}).get(score))))


def _panels(n: int, height: float, share_y: bool, columns: int = COLUMNS) -> tuple[Figure, list[Axes]]:
    rows = -(-n // columns)
    figure = new_figure(height * rows + 0.4, WIDTH)
    grid = figure.subplots(rows, min(n, columns), squeeze=False, sharey=share_y)
    panels = list(grid.flat)
    for spare in panels[n:]:
        spare.remove()
    return figure, panels[:n]


def _key(figure: Figure, handles: list[Line2D | Patch], with_chance: bool) -> None:
    if with_chance:
        handles = [*handles, Line2D([], [], **CHANCE, label="chance")]
    longest = max(len(str(handle.get_label())) for handle in handles)
    beside = min(len(handles), max(1, int(WIDTH / (0.5 + LETTER * longest))))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=beside, frameon=False, fontsize=SMALL,
        labelcolor=MUTED, edgecolor=FAINT, handlelength=1.4, columnspacing=1.4, borderpad=0.1,
    )  # fmt: skip
