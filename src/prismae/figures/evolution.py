"""How weights evolved: what was tried in each generation, what went on, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from prismae.figures.canvas import ACCENT, FAINT, FONT, INK, MUTED, SMALL, WARM, new_figure, plain


def evolution(
    steps: NDArray,
    weights: Mapping[str, NDArray],
    generations: NDArray,
    tried: Mapping[str, NDArray],
    fitness: NDArray,
    kl: NDArray,
    rate: float,
) -> Figure:
    """Each evolved weight over the steps with the population as a cloud; below it the KL of each trial.

    Parameters
    ----------
    steps
        [n] logged steps.
    weights
        [n] the weight in force, by name.
    generations
        [g] steps after which a generation was tried.
    tried
        [g, population] weights that were tried, by name.
    fitness
        [g, population]; the greatest of a row went on. A trial that diverged has -inf.
    kl
        [g, population] nats, after the trial on the held-out batch.
    rate
        Nats, the KL that was sought.

    Notes
    -----
    A dot is the larger the fitter it is among its generation; the fittest is filled.
    """
    figure = new_figure(0.3 + 2.2 * (len(weights) + 1), apart=0.09)
    *upper, last = figure.subplots(len(weights) + 1, 1, squeeze=False, sharex=True)[:, 0]
    for axes, (name, course) in zip(upper, weights.items(), strict=True):
        _frame(axes, f"weight of {name}")
        axes.plot(steps, course, color=ACCENT, lw=1.4, drawstyle="steps-post")
        _cloud(axes, generations, tried[name], fitness)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    _frame(last, f"KL of each trial, nats; line: the rate {rate:.3g}")
    last.axhline(rate, color=FAINT, lw=1.2, zorder=1)
    _cloud(last, generations, kl, fitness)
    last.yaxis.set_major_locator(MaxNLocator(5))
    last.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    last.set_xlim(min(0, steps[0]), 1.01 * max(steps[-1], steps[0] + 1))  # room for the last dots
    last.set_xlabel("step", fontsize=SMALL, color=MUTED)
    return figure


def _frame(axes: Axes, title: str) -> None:
    plain(axes)
    axes.set_title(title, loc="left", fontsize=FONT, color=INK, fontweight="bold", pad=7)


def _cloud(axes: Axes, generations: NDArray, values: NDArray, fitness: NDArray) -> None:
    """A column of dots [g, population] for each generation."""
    rank = fitness.argsort(axis=1).argsort(axis=1) / max(1, fitness.shape[1] - 1)
    fittest = np.arange(fitness.shape[1]) == fitness.argmax(axis=1)[:, None]
    x = np.broadcast_to(np.asarray(generations)[:, None], values.shape)
    others = ~fittest & np.isfinite(values)
    axes.scatter(
        x[others], values[others], s=8 + 22 * rank[others], facecolor="none", edgecolor=WARM,
        linewidth=0.9, zorder=3,
    )  # fmt: skip
    axes.scatter(x[fittest], values[fittest], s=30, color=WARM, linewidth=0, zorder=4)
