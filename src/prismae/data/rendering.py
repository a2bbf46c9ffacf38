"""dSprites, rendered: the geometry of its 737,280 images, found from genuine ones.

An image is one filled polygon on 64x64 pixels; a pixel is white if and only if its centre lies inside. The
polygon is scaled, turned and moved in float32, and its vertices are snapped to 1/256 pixel, as a rasteriser
of OpenGL does, whose y axis points up. What remains is integer arithmetic. About one image in 13,000 differs
from the genuine one, and then in one pixel: this was found with 64,834 genuine images.

Data: Matthey, Higgins, Hassabis, Lerchner 2017, https://github.com/google-deepmind/dsprites-dataset.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from prismae.errors import InputError

SIZES = (3, 6, 40, 32, 32)  # shape, scale, orientation, x, y; index order is C order, y fastest
SIDE = 64  # pixels

_SUBPIXELS = 256
_HALF = _SUBPIXELS // 2


def render(factors: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Render images by their factors.

    Parameters
    ----------
    factors
        Class indices [n, 5] of shape (square, ellipse, heart), scale, orientation, x and y, as `SIZES` counts
        them.

    Returns
    -------
    uint8 [n, 512]: 64x64 binary pixels, row by row from the top left, packed as by `numpy.packbits`.

    Raises
    ------
    InputError
        For an index out of range.
    """
    wrong = ((factors < 0) | (factors >= SIZES)).any(axis=1)
    if wrong.any():
        raise InputError(
            f"dSprites has no image with the factors {factors[wrong][0]}, expected each below {SIZES}."
        )
    shape, scale, orientation, x, y = factors.T.astype(np.int64)
    sprite = (shape * SIZES[1] + scale) * SIZES[2] + orientation
    order = np.argsort(sprite, kind="stable")
    first = np.flatnonzero(np.diff(sprite[order], prepend=-1))
    rows = np.zeros((len(factors), SIDE), dtype=np.uint64)
    fill = _compiled_fill()
    for group in np.split(order, first[1:]):
        i = group[0]
        xs, ys = _vertices(int(shape[i]), int(scale[i]), int(orientation[i]))
        fill(xs, ys, x[group], y[group], group, rows)
    if sys.byteorder == "little":  # the leftmost pixels go first
        rows.byteswap(inplace=True)
    return rows.view(np.uint8)


def _outline(shape: int) -> NDArray[np.float64]:
    """Vertices [v, 2] of a shape of scale 1 around the origin, in pixels, y down."""
    if shape == 0:
        return 9.6 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    if shape == 1:
        t = 2 * np.pi * np.arange(100) / 100
        return np.stack([9.6 * 1.33 * np.cos(t), 9.6 / 1.33 * np.sin(t)], axis=1)
    t = 2 * np.pi * np.arange(150) / 150
    height = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 14.5 + 0.15
    return np.stack([9.6 * np.sin(t) ** 3, -9.6 * height], axis=1)


def _vertices(shape: int, scale: int, orientation: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Snapped vertices in 1/256 pixel: x [32, v] for each position x; y [32, v], up, for each y.

    Everything after the outline is float32, as on the graphics card that drew the originals; elementwise, so
    that no fused multiply-add changes the last bit from one machine to the next."""
    outline = ((0.5 + 0.1 * scale) * _outline(shape)).astype(np.float32)
    angle = 2 * np.pi * orientation / (SIZES[2] - 1)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    centre = (16 + 32 * np.arange(SIZES[3]) / (SIZES[3] - 1)).astype(np.float32)[:, None]
    x = centre + (cos * outline[:, 0] + sin * outline[:, 1])
    y = SIDE - (centre + (cos * outline[:, 1] - sin * outline[:, 0]))
    return np.rint(x * _SUBPIXELS).astype(np.int64), np.rint(y * _SUBPIXELS).astype(np.int64)


@lru_cache(maxsize=1)
def _compiled_fill() -> Callable[..., None]:
    from numba import njit  # here, because it takes a second to import and is needed once

    return cast(Callable[..., None], njit(nogil=True)(_fill))


def _fill(
    xs: NDArray[np.int64],
    ys: NDArray[np.int64],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    images: NDArray[np.int64],
    rows: NDArray[np.uint64],
) -> None:
    """Fill the polygon with vertices (xs[x[i]], ys[y[i]]) into rows[images[i]], a 64-bit word per pixel row.

    Even-odd rule: where an edge crosses the line of a row's pixel centres, all pixels from there to the right
    are inverted. A centre on the crossing counts as right of it, so left edges are inside and right edges are
    not; an edge's lower end counts as crossed and its upper end does not, so bottom edges are inside.
    """
    for i in range(len(images)):
        row = rows[images[i]]
        px, py = xs[x[i]], ys[y[i]]
        x0, y0 = px[-1], py[-1]
        for k in range(len(px)):
            x1, y1 = px[k], py[k]
            if y0 < y1:
                low_x, low_y, high_x, high_y = x0, y0, x1, y1
            else:
                low_x, low_y, high_x, high_y = x1, y1, x0, y0
            height = high_y - low_y
            # Row r from the bottom has its centres at 256 r + 128: all r with low_y <= centre < high_y.
            for r in range((low_y + _HALF - 1) // _SUBPIXELS, (high_y + _HALF - 1) // _SUBPIXELS):
                above = r * _SUBPIXELS + _HALF - low_y
                # The first pixel whose centre 256 c + 128 is not left of the crossing (a ceiling).
                across = (low_x - _HALF) * height + above * (high_x - low_x)
                column = -((-across) // (_SUBPIXELS * height))
                row[63 - r] ^= np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(column)
            x0, y0 = x1, y1
