"""Observations: originals beside their reconstructions, and what each latent does when it alone moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae._text import number, shortened, signed
from prismae.figures.canvas import (
    FAINT,
    FONT,
    INK,
    MUTED,
    RAMP,
    SMALL,
    WARM,
    WIDTH,
    blank,
    new_figure,
    plain,
    thin,
)
from prismae.figures.lanes import lanes, name_axes, name_lanes, tall
from prismae.runs.latents import Latents, shown_order

FRAME = 96  # pixels: the largest edge at which an image is drawn
EDGE = 1.1  # inches: the largest height of a drawn image
LETTER = 0.075  # inches of a letter under or over a picture
POINTS = 60_000  # curve points in one figure: about a megabyte of SVG


def to_pixels(images: NDArray, limit: int = FRAME) -> NDArray[np.uint8]:
    """Images [..., c, h, w] in [0, 1], clipped, as bytes [..., h', w', 3] of at most `limit` pixels an edge.

    One channel becomes grey; of more than three the first three are shown; two are red and green.
    """
    c = images.shape[-3]
    pixels = (np.nan_to_num(shrink(images, limit)).clip(0, 1) * 255).round().astype(np.uint8)
    pixels = np.moveaxis(pixels, -3, -1)
    if c == 1:
        return np.repeat(pixels, 3, axis=-1)
    if c == 2:
        return np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=-1)
    return pixels[..., :3]


def shrink(images: NDArray, limit: int) -> NDArray:
    """Means over square blocks of pixels, as large as `limit` asks for; a remainder at the edges is cut."""
    h, w = images.shape[-2:]
    block = -(-max(h, w) // limit)
    down, right = min(block, h), min(block, w)
    rows, columns = h // down, w // right
    cut = images[..., : rows * down, : columns * right]
    return cut.reshape(*images.shape[:-2], rows, down, columns, right).mean(axis=(-3, -1))


def mosaic(frames: NDArray[np.uint8], gap: int = 0) -> NDArray[np.uint8]:
    """Frames [rows, columns, h, w, 3] as one image [H, W, 4], the `gap` pixels between them clear."""
    rows, columns, h, w, _ = frames.shape
    tiles = np.zeros((rows, columns, h + gap, w + gap, 4), dtype=np.uint8)
    tiles[:, :, :h, :w, :3] = frames
    tiles[:, :, :h, :w, 3] = 255
    sheet = tiles.swapaxes(1, 2).reshape(rows * (h + gap), columns * (w + gap), 4)
    return sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap]


def reconstructions(
    originals: NDArray, rebuilt: NDArray, channels: Sequence[str] = (), names: Sequence[str] = ()
) -> Figure:
    """Originals and their reconstructions, images in pairs of rows or waveforms over each other.

    Parameters
    ----------
    originals, rebuilt
        [r, length] or [r, c, length] series, or [r, c, h, w] images in [0, 1]; the same shape.
    channels
        c names of the channels of series.
    names
        What the r observations are called.
    """
    if originals.ndim == 4:
        return _pairs(originals, rebuilt, names)
    return _overlays(originals, rebuilt, channels, names)


def traversals(
    frames: NDArray,
    values: NDArray,
    latents: Latents | None = None,
    most: int = 24,
    channels: Sequence[str] = (),
) -> Figure:
    """What the decoder makes of each latent when it alone takes one value after another.

    Parameters
    ----------
    frames
        [m, t, c, h, w] images in [0, 1], or [m, t, length] or [m, t, c, length] series.
    values
        [m, t] the values that the latent takes.
    latents
        What is known of the m latents; the order of the rows, dead ones in grey.
    most
        How many latents are drawn at most, the first in order.
    channels
        c names of the channels of series.
    """
    order = shown_order(latents, len(frames))[:most]
    shown = frames[order], values[order], [int(i) for i in order], latents
    return _strips(*shown) if frames.ndim == 5 else _fans(*shown, channels)


def latent_name(i: int, latents: Latents | None) -> str:
    """Name of latent i with what it tells, or its spread where that is not known, or with the word that it is dead."""
    if latents is None:
        return f"z{i}"
    if latents.dead[i]:
        return f"z{i} · dead"
    known = latents.information
    return f"z{i} · spread {number(latents.spread[i])}" if known is None else f"z{i} · {known[i]:.1f} nats"


def _pairs(originals: NDArray, rebuilt: NDArray, names: Sequence[str]) -> Figure:
    """Rows of at most ten originals, each above the row of what became of them."""
    both = np.stack([to_pixels(originals), to_pixels(rebuilt)])
    _, r, h, w, _ = both.shape
    columns = min(r, 10)
    rows = -(-r // columns)
    gap = max(1, h // 24)
    label, between = 0.8, 0.12 + 0.16 * bool(names)  # inches
    scale = min((WIDTH - label) / (columns * (w + gap) - gap), EDGE / h)
    width, height = (columns * (w + gap) - gap) * scale, (2 * h + gap) * scale
    total = label + width, rows * (height + between)
    short = shortened(names, max(4, int((w + gap) * scale / LETTER)))
    figure = new_figure(total[1], total[0], placed=True)
    for row in range(rows):
        part = mosaic(both[:, row * columns : (row + 1) * columns], gap)
        top = row * (height + between) + between
        corner = label / total[0], 1 - (top + height) / total[1]
        axes = figure.add_axes((*corner, part.shape[1] * scale / total[0], height / total[1]))
        blank(axes)
        _put(axes, part)
        for line, word in enumerate(("original", "rebuilt")):
            middle = line * (h + gap) + h / 2
            axes.text(-0.07 / scale, middle, word, ha="right", va="center", color=MUTED, fontsize=SMALL)
        for i, name in enumerate(short[row * columns : (row + 1) * columns]):
            axes.text(i * (w + gap) + w / 2, -0.06 / scale, name, ha="center", color=MUTED, fontsize=SMALL)
    return figure


def _overlays(originals: NDArray, rebuilt: NDArray, channels: Sequence[str], called: Sequence[str]) -> Figure:
    columns = 2 if len(originals) < 9 else 3
    rows = -(-len(originals) // columns)
    both, names = lanes(np.stack([originals, rebuilt]), 3, channels)
    c = both.shape[2]
    figure = new_figure(0.6 + (tall(c, 1.05) + 0.2 * bool(called)) * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    limit = min(500, max(100, POINTS // (2 * c * len(originals))))
    for axes, original, again in zip(grid.flat, *both, strict=False):
        plain(axes)
        for k in range(c):
            x, y = thin(original[k], limit)
            label = None if k else "original"
            axes.plot(x, y, color=FAINT, lw=3.2, solid_joinstyle="round", label=label)
            x, y = thin(again[k], limit)
            axes.plot(x, y, color=WARM, lw=1.2, label=None if k else "rebuilt")
        axes.margins(x=0.01)
        name_lanes(axes, names)
    for axes, name in zip(grid.flat, shortened(called, 40), strict=False):
        axes.set_title(name, loc="left", fontsize=SMALL, color=MUTED, pad=4)
    name_axes(figure, "" if names else "value")
    for axes in grid.flat[len(originals) :]:
        axes.set_visible(False)
    figure.legend(
        *grid.flat[0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False,
        fontsize=FONT, labelcolor=INK, handlelength=1.6, borderpad=0.1,
    )  # fmt: skip
    return figure


def _put(axes: Axes, picture: NDArray[np.uint8]) -> None:
    """A picture that fills its axes, whose unit is a pixel, from 0 at the upper left."""
    h, w = picture.shape[:2]
    axes.imshow(picture, extent=(0, w, h, 0), interpolation="none", aspect="auto")


def _strips(frames: NDArray, values: NDArray, names: list[int], latents: Latents | None) -> Figure:
    """A row of images for each latent, its name before and the ends of its values around it."""
    pixels = to_pixels(frames)
    m, t, h, w, _ = pixels.shape
    gap = max(1, h // 24)
    left, right = 1.9, 0.55
    scale = min((WIDTH - left - right) / (t * (w + gap) - gap), EDGE / h)
    width, height = (t * (w + gap) - gap) * scale, (m * (h + gap) - gap) * scale
    figure = new_figure(height + 0.3, left + width + right, placed=True)
    total = figure.get_figwidth()
    axes = figure.add_axes((left / total, 0.02 / (height + 0.3), width / total, height / (height + 0.3)))
    blank(axes)
    _put(axes, mosaic(pixels, gap))
    for row, i in enumerate(names):
        middle = row * (h + gap) + h / 2
        grey = latents is not None and bool(latents.dead[i])
        inch = 1 / scale  # in pixels of the mosaic
        axes.text(
            -0.75 * inch, middle, latent_name(i, latents), ha="right", va="center", fontsize=SMALL,
            color=MUTED if grey else INK,
        )  # fmt: skip
        for x, side, value in ((-0.1, "right", values[row, 0]), (0.1, "left", values[row, -1])):
            edge = x * inch + (0 if side == "right" else width * inch)
            axes.text(edge, middle, signed(value), ha=side, va="center", fontsize=SMALL, color=MUTED)
    heading = "value of the code, low to high"
    axes.text(width / scale / 2, -0.1 / scale, heading, ha="center", fontsize=SMALL, color=MUTED)
    return figure


def _fans(
    frames: NDArray, values: NDArray, names: list[int], latents: Latents | None, channels: Sequence[str]
) -> Figure:
    """A small axes for each latent, one curve for each value of the code."""
    m, t = frames.shape[:2]
    frames, lane_names = lanes(frames, 3, channels)
    c = frames.shape[2]
    columns = 2
    rows = -(-m // columns)
    figure = new_figure(0.75 + tall(c, 1.35) * rows, head=0.3, apart=0.08)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    x, y = thin(frames, min(500, max(60, POINTS // (m * t * c))))
    colours = RAMP(np.linspace(0, 1, t))
    for axes, curves, ends, i in zip(grid.flat, y, values[:, [0, -1]], names, strict=False):
        plain(axes)
        for each, colour in zip(curves, colours, strict=True):
            for curve in each:
                axes.plot(x, curve, color=colour, lw=1.0)
        name_lanes(axes, lane_names)
        grey = latents is not None and bool(latents.dead[i])
        axes.set_title(
            latent_name(i, latents), loc="left", fontsize=SMALL + 0.5, color=MUTED if grey else INK, pad=5
        )
        axes.set_title(
            f"{signed(ends[0])} to {signed(ends[1])}", loc="right", fontsize=SMALL, color=MUTED, pad=5
        )
        axes.margins(x=0.01)
    for axes in grid.flat[m:]:
        axes.set_visible(False)
    name_axes(figure, "" if lane_names else "value")
    _key(figure, colours)
    return figure


def _key(figure: Figure, colours: NDArray) -> None:
    """The colours of a traversal in their order, between "low" and "high"."""
    height = figure.get_figheight()
    width, left = 0.16, 1.42  # inches
    axes = figure.add_axes((0, 1 - 0.2 / height, 1, 0.2 / height), zorder=5)
    axes.set_in_layout(False)
    blank(axes)
    axes.set(xlim=(0, WIDTH), ylim=(-1, 1))
    for step, colour in enumerate(colours):
        axes.plot(
            [left + step * width, left + (step + 0.8) * width],
            [0, 0],
            color=colour,
            lw=3,
            solid_capstyle="butt",
        )
    axes.text(
        left - 0.1, 0, "value of the code  low", ha="right", va="center_baseline", fontsize=SMALL, color=MUTED
    )
    axes.text(
        left + len(colours) * width + 0.06, 0, "high", va="center_baseline", fontsize=SMALL, color=MUTED
    )
