"""Series of several channels: each channel in a lane of its own, the first at the top, as recorders draw them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from numpy.typing import NDArray

from prismae._text import brief, shortened
from prismae.figures.canvas import FAINT, INK, MUTED, RULE, SMALL, TINY

HEIGHT = 0.42  # inches of a lane
LETTERS = 16  # of a channel's name
FILLED = 0.86  # share of its lane that a channel fills


def lanes(frames: NDArray, rank: int, names: Sequence[str] = ()) -> tuple[NDArray, list[str]]:
    """Series as curves that can stand in one axes.

    Parameters
    ----------
    frames
        [..., length] of `rank` dimensions, series of one channel; or with one more, [..., c, length].
    rank
        Dimensions of series of one channel.
    names
        c names of the channels; by default "channel 1" and so on.

    Returns
    -------
    Curves [..., c, length], channel k between c - 1 - k and c - k with its own scale over all frames; and a name of
    each channel that tells its range. Series of one channel stay as they are, c is 1 and there are no names.
    """
    if frames.ndim == rank:
        return frames[..., None, :], []
    others = tuple(axis for axis in range(frames.ndim) if axis != frames.ndim - 2)
    low, high = np.nanmin(frames, axis=others), np.nanmax(frames, axis=others)
    shares = (frames - low[:, None]) / np.where(high > low, high - low, 1.0)[:, None]
    return shares * FILLED + _feet(len(low)), ranges(low, high, _called(len(low), names))


def heights(changes: NDArray, names: Sequence[str] = ()) -> tuple[NDArray, list[str]]:
    """Heights [m, c, length] from zero in lanes, with one scale for all channels; as `lanes` otherwise."""
    if changes.ndim == 2:
        return changes[:, None], []
    most = float(changes.max())
    listed = _called(changes.shape[1], names)
    listed[0] += f"\n0 to {brief(most)}"
    return changes / (most or 1.0) * FILLED + _feet(changes.shape[1]), listed


def ranges(low: NDArray, high: NDArray, names: Sequence[str] = ()) -> list[str]:
    """What channels are called, by default by their numbers, each with its range below."""
    ends = zip(names or _numbered(len(low)), low.tolist(), high.tolist(), strict=True)
    return [f"{name}\n{brief(a)} to {brief(b)}" for name, a, b in ends]


def name_lanes(axes: Axes, listed: Sequence[str]) -> None:
    """Name each lane at its middle, and part them by lines; nothing for series of one channel."""
    if not listed:
        return
    c = len(listed)
    axes.grid(visible=False)
    for edge in range(1, c):
        axes.axhline(edge - (1 - FILLED) / 2, color=RULE, lw=0.7, zorder=0)
    axes.set_yticks([c - k - 0.5 - (1 - FILLED) / 2 for k in range(c)], listed)
    axes.tick_params(axis="y", labelsize=TINY, labelcolor=INK, colors=FAINT)
    axes.set_ylim(-0.05, c)


def name_axes(figure: Figure, upright: str) -> None:
    """Say what stands along the axes of series: their points, which `in_seconds` may call times, and `upright`."""
    figure.supxlabel("point of the series", fontsize=SMALL, color=MUTED)
    if upright:
        figure.supylabel(upright, fontsize=SMALL, color=MUTED)


def in_seconds(figure: Figure, rate: float) -> Figure:
    """The figure, with the points along its axes, of which there are `rate` a second, written as seconds."""
    for axes in figure.axes:
        if len(axes.get_xticks()):  # others are keys
            low, high = axes.get_xlim()
            ticks = MaxNLocator(5).tick_values(max(low, 0.0) / rate, high / rate)
            axes.xaxis.set_major_locator(MultipleLocator(float(ticks[1] - ticks[0]) * rate))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / rate:.6g} s"))
            axes.set_xlim(low, high)
    figure.supxlabel("time", fontsize=SMALL, color=MUTED)
    return figure


def tall(c: int, height: float) -> float:
    """Height in inches of an axes of c lanes, where one series takes `height`."""
    return height if c == 1 else max(height, HEIGHT * c + 0.25)


def _called(c: int, names: Sequence[str]) -> list[str]:
    """Names of c channels, cut to what fits beside a lane."""
    return shortened(names or _numbered(c), LETTERS)


def _numbered(c: int) -> list[str]:
    return [f"channel {i + 1}" for i in range(c)]


def _feet(c: int) -> NDArray:
    """[c, 1] where each lane begins."""
    return np.arange(c - 1, -1, -1.0)[:, None]
