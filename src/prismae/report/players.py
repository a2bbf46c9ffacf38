"""Traversals for the sliders of a page: all frames of all latents in one small piece of data."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from prismae._text import number
from prismae.figures.canvas import thin
from prismae.figures.pictures import mosaic, to_pixels
from prismae.runs.latents import Latents, shown_order
from prismae.views._shown import MOST

SAMPLES = 1000  # of a series: more points than pixels across a slider's picture


def player(
    frames: NDArray, values: NDArray, latents: Latents | None = None, most: int = MOST
) -> dict[str, Any]:
    """What the page's sliders need, as plain JSON data.

    Parameters
    ----------
    frames, values, latents, most
        As for `prismae.figures.traversals`.

    Returns
    -------
    `kind` "images" or "series"; `latents`, each with `name`, `dead`, `spread` and its
    `values` [t]; `steps` t. Images: `sheet`, a PNG data URI of the frames in m rows and t columns, `width`
    and `height` of a frame in pixels. Series: `channels` c, `points` p, `data`, base64 of bytes [m, t, c, p], and
    `low` and `high` [c], the values that 0 and 255 stand for in each channel.
    """
    order = shown_order(latents, len(frames))[:most]
    shown = [
        {
            "name": f"z{i}",
            "dead": latents is not None and bool(latents.dead[i]),
            "spread": None if latents is None else number(latents.spread[i]),
            "values": [round(float(value), 4) for value in values[i]],
        }
        for i in order
    ]
    common = {"latents": shown, "steps": int(frames.shape[1])}
    return common | (_images(frames[order]) if frames.ndim == 5 else _series(frames[order]))


def _images(frames: NDArray) -> dict[str, Any]:
    pixels = to_pixels(frames)
    sheet = mosaic(pixels)[..., :3]
    buffer = io.BytesIO()
    imsave(buffer, np.ascontiguousarray(sheet), format="png", pil_kwargs={"optimize": True})
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"kind": "images", "sheet": uri, "height": pixels.shape[2], "width": pixels.shape[3]}


def _series(frames: NDArray) -> dict[str, Any]:
    channels = frames[:, :, None] if frames.ndim == 3 else frames
    _, curves = thin(np.nan_to_num(channels.astype(float)), SAMPLES)
    low, high = curves.min(axis=(0, 1, 3)), curves.max(axis=(0, 1, 3))
    levels = (curves - low[:, None]) / np.where(high > low, high - low, 1.0)[:, None] * 255
    data = base64.b64encode(levels.round().astype(np.uint8).tobytes()).decode()
    return {
        "kind": "series",
        "channels": curves.shape[2],
        "points": curves.shape[3],
        "data": data,
        "low": low.tolist(),
        "high": high.tolist(),
    }
