"""Volumes as pictures: their middle slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def middle_slices(volumes: NDArray) -> NDArray:
    """Volumes [..., d, h, w] as images [..., max(h, d), 2 w + d]: their middle slices beside each other.

    From the left: across the depth [h, w], across the height [d, w], and across the width [h, d]. What lies below a
    slice that is lower than another is 0.
    """
    d, h, w = volumes.shape[-3:]
    parts = (
        volumes[..., d // 2, :, :],
        volumes[..., :, h // 2, :],
        np.swapaxes(volumes[..., :, :, w // 2], -1, -2),
    )
    made = np.zeros((*volumes.shape[:-3], max(h, d), 2 * w + d), volumes.dtype)
    left = 0
    for part in parts:
        made[..., : part.shape[-2], left : left + part.shape[-1]] = part
        left += part.shape[-1]
    return made
