"""Many observations in a grid: a manifold between four, samples, the means of clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae.figures.canvas import ACCENT, INK, MUTED, SMALL, TINY, WIDTH, blank, head_line, new_figure, thin
from prismae.figures.lanes import FILLED, lanes
from prismae.figures.pictures import mosaic, to_pixels

EDGE = 0.85  # inches: the largest height of an image in a grid
CELL = 0.62  # inches: the height of a series in a grid
NAMES = 1.15  # inches: the width of the names of lanes
HEAD = 0.3  # inches: the height of a title


def manifold(frames: NDArray, channels: Sequence[str] = ()) -> Figure:
    """What lies between four observations, which are at the corners.

    Parameters
    ----------
    frames
        [g, g, c, h, w] images in [0, 1], or [g, g, length] or [g, g, c, length] series.
    channels
        c names of the channels of series.
    """
    return _grid(frames, labels=None, channels=channels)


def samples(frames: NDArray, columns: int = 8, channels: Sequence[str] = ()) -> Figure:
    """Observations [n, c, h, w], [n, length] or [n, c, length] without order, in rows of `columns`; `channels` are c
    names of the channels of series."""
    return _grid(_in_rows(frames, columns), labels=None, channels=channels)


def clusters(
    means: NDArray, sizes: NDArray, source: str, columns: int = 10, channels: Sequence[str] = ()
) -> Figure:
    """The mean observation of each cluster, largest first, with the number of observations in it.

    Parameters
    ----------
    means
        [k, c, h, w] images in [0, 1], or [k, length] or [k, c, length] series.
    sizes
        [k] observations in each.
    source
        Where the clusters come from, for the title.
    channels
        c names of the channels of series.
    """
    order = np.argsort(-np.asarray(sizes), kind="stable")
    columns = min(columns if means.ndim == 4 else 5, len(order))
    labels = [f"{sizes[i]:,}" for i in order]
    figure = _grid(_in_rows(means[order], columns), labels, HEAD, channels)
    head_line(figure, f"mean of each cluster: {source}")
    return figure


def _in_rows(frames: NDArray, columns: int) -> NDArray:
    """Frames [n, *shape] as [rows, columns, *shape], the last row filled up with NaN."""
    rows = -(-len(frames) // columns)
    filled = np.full((rows * columns, *frames.shape[1:]), np.nan)
    filled[: len(frames)] = frames
    return filled.reshape(rows, columns, *frames.shape[1:])


def _grid(
    frames: NDArray, labels: Sequence[str] | None, head: float = 0.0, channels: Sequence[str] = ()
) -> Figure:
    """Frames [rows, columns, *shape] in one axes; NaN frames are left out; `labels` stand below the others.

    `head` inches above the axes stay free.
    """
    return _images(frames, labels, head) if frames.ndim == 5 else _curves(frames, labels, head, channels)


def _images(frames: NDArray, labels: Sequence[str] | None, head: float) -> Figure:
    there = ~np.isnan(frames).all(axis=(-3, -2, -1))
    pixels = to_pixels(frames)
    rows, columns, h, w, _ = pixels.shape
    gap = max(1, h // 24)
    scale = min(WIDTH / (columns * (w + gap) - gap), EDGE / h)
    below = 0.24 / scale if labels else 0.0  # pixels
    line = h + gap + below
    width, height = (columns * (w + gap) - gap) * scale, (rows * line - gap) * scale
    figure = new_figure(height + head, width, placed=True)
    axes = figure.add_axes((0, 0, 1, height / (height + head)))
    blank(axes)
    for row in range(rows):
        shown = int(there[row].sum())
        if not shown:
            continue
        sheet = mosaic(pixels[row : row + 1, :shown], gap)
        top = row * line
        axes.imshow(
            sheet, extent=(0, sheet.shape[1], top + h, top), interpolation="none", aspect="auto"
        )  # fmt: skip
        for column in range(shown if labels else 0):
            text = (labels or ())[row * columns + column]
            middle = column * (w + gap) + w / 2
            axes.text(
                middle, top + h + 0.05 / scale, text, ha="center", va="top", fontsize=SMALL, color=MUTED
            )
    axes.set(xlim=(0, columns * (w + gap) - gap), ylim=(rows * line - gap, 0))
    return figure


def _curves(frames: NDArray, labels: Sequence[str] | None, head: float, channels: Sequence[str]) -> Figure:
    """Series in cells; where they have several channels, the lanes of each row of cells are named before it."""
    there = ~np.isnan(frames).all(axis=tuple(range(2, frames.ndim)))
    curves, names = lanes(frames, 3, channels)
    rows, columns, c, _ = curves.shape
    low, high = (0.0, c - 1 + FILLED) if names else (float(np.nanmin(curves)), float(np.nanmax(curves)))
    left = NAMES if names else 0.0
    cell = CELL * max(1.0, c / 2)
    line = cell + (0.24 if labels else 0.12)
    height = rows * line
    figure = new_figure(height + head, WIDTH, placed=True)
    axes = figure.add_axes((left / WIDTH, 0, 1 - left / WIDTH, height / (height + head)))
    blank(axes)
    axes.set(xlim=(0, columns), ylim=(height, 0))

    def down(value: NDArray) -> NDArray:
        """Inches below the top of a cell."""
        return 0.04 + (cell - 0.04) * (1 - (value - low) / ((high - low) or 1.0))

    x, y = thin(np.nan_to_num(curves, nan=low), max(40, 60_000 // (rows * columns * c)))
    x, y = 0.04 + 0.92 * x / max(x[-1], 1.0), down(y)
    middles = down(np.arange(c)[::-1] + FILLED / 2)
    for row in range(rows):
        for name, middle in zip(names, middles, strict=names != []):
            axes.annotate(
                name, (0, row * line + middle), (-4, 0), textcoords="offset points", ha="right", va="center",
                fontsize=TINY, color=INK, linespacing=1.05, annotation_clip=False,
            )  # fmt: skip
        for column in range(columns):
            if not there[row, column]:
                continue
            for curve in y[row, column]:
                axes.plot(column + x, row * line + curve, color=ACCENT, lw=1.0)
            if labels:
                text, foot = labels[row * columns + column], row * line + cell + 0.04
                axes.text(column + 0.5, foot, text, ha="center", va="top", fontsize=SMALL, color=MUTED)
    return figure
