"""Traversals that move: an animated GIF."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray
from PIL import Image

from prismae._text import signed
from prismae.figures.canvas import ACCENT, INK, MUTED, SMALL, blank, new_figure, plain, thin
from prismae.figures.lanes import lanes, name_lanes, tall
from prismae.figures.pictures import to_pixels
from prismae.runs.latents import Latents, shown_order

PAUSE = 120  # milliseconds a frame
DPI = 100


def traversal_gif(
    frames: NDArray,
    values: NDArray,
    latents: Latents | None = None,
    most: int = 12,
    channels: Sequence[str] = (),
) -> bytes:
    """Each live latent moving from low to high and back, all side by side, as a GIF that repeats.

    Parameters
    ----------
    frames, values, latents, most, channels
        As for `prismae.figures.traversals`; dead latents are left out unless all are dead.
    """
    order = shown_order(latents, len(frames))
    if latents is not None and not latents.dead.all():
        order = order[~latents.dead[order]]
    order = order[:most]
    shown = _sheets(frames[order], values[order], order, channels)
    # one palette, else colours flicker; from all frames, else those that the others have are not in it
    every = Image.fromarray(np.concatenate([np.asarray(image) for image in shown])).quantize(256)
    there = [image.quantize(palette=every, dither=Image.Dither.NONE) for image in shown]
    images = [*there, *there[-2:0:-1]]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=PAUSE, loop=0)
    return buffer.getvalue()


def _sheets(frames: NDArray, values: NDArray, order: NDArray, channels: Sequence[str]) -> list[Image.Image]:
    """All latents at each step of their values: one figure, laid out once, in which pictures and titles change."""
    images = frames.ndim == 5
    columns = min(6 if images else 3, len(frames))
    rows = -(-len(frames) // columns)
    curves, names = (frames, []) if images else lanes(frames, 3, channels)
    figure = new_figure(
        rows * (1.75 if images else tall(curves.shape[2], 1.3)), columns * (1.4 if images else 2.8)
    )
    figure.set_facecolor("white")
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    low, high = float(np.nanmin(curves)), float(np.nanmax(curves))
    change: list[Callable[[NDArray], None]] = []
    for axes, each in zip(grid.flat, curves[:, 0], strict=False):
        change.append(_image(axes, each) if images else _curves(axes, each, low, high, names))
    for axes in grid.flat[len(frames) :]:
        axes.set_visible(False)
    sheets = []
    for step in range(frames.shape[1]):
        for axes, put, each, value, i in zip(
            grid.flat, change, curves[:, step], values[:, step], order, strict=False
        ):
            put(each)
            axes.set_title(f"z{i} = {signed(float(value))}", loc="left", fontsize=SMALL, color=INK, pad=3)
        canvas.draw()
        figure.set_layout_engine("none")  # of the first step: what follows stays where it is
        sheets.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    return sheets


def _image(axes: Axes, image: NDArray) -> Callable[[NDArray], None]:
    """Show an image; what is returned puts another in its place."""
    blank(axes)
    shown = axes.imshow(to_pixels(image), interpolation="nearest" if image.shape[-1] < 48 else "bilinear")
    return lambda other: shown.set_data(to_pixels(other))


def _curves(
    axes: Axes, curves: NDArray, low: float, high: float, names: list[str]
) -> Callable[[NDArray], None]:
    """Show curves; what is returned puts others in their place."""
    plain(axes)
    drawn = [axes.plot(*each, color=ACCENT, lw=1.1)[0] for each in _thinned(curves)]
    margin = 0.05 * ((high - low) or 1.0)
    axes.set(ylim=(low - margin, high + margin))
    axes.tick_params(labelcolor=MUTED)
    name_lanes(axes, names)

    def put(others: NDArray) -> None:
        for line, each in zip(drawn, _thinned(others), strict=True):
            line.set_data(*each)

    return put


def _thinned(curves: NDArray) -> list[tuple[NDArray, NDArray]]:
    x, y = thin(curves, 500)
    return [(x, curve) for curve in y]
