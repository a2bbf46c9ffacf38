"""How numbers lie in an array: checked one by one, and with an image's channels first."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.errors import InputError

_CHANNELS = (1, 3, 4)
LARGEST = 1e38  # differences of two such numbers are finite in float32
_SLENDER = 4  # times as long as wide: [n, 12, 1000] may be images of 12x1000 pixels or series of 12 channels


def numbers(x: NDArray | Tensor, what: str, start: int = 0, *, gaps: bool = False) -> NDArray:
    """`x` as a NumPy array of truth values, integers or floats, all of it finite and of float32's range.

    With `gaps` NaN is allowed: it stands for a missing value.
    """
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    if x.dtype.kind not in "buif":
        raise InputError(f"{what}: values of type {x.dtype} cannot be used, expected numbers.")
    if x.dtype.kind != "f":
        return x
    if x.ndim == 0:
        return x
    bad = np.empty(x.shape, np.bool_)
    for start_of in range(0, len(x), 1024):
        part = slice(start_of, start_of + 1024)
        bad[part] = ~(np.abs(x[part]) <= np.float32(LARGEST))
        if gaps:
            bad[part] &= ~np.isnan(x[part])
    if bad.any():
        first = [int(i) for i in np.unravel_index(bad.argmax(), bad.shape)]
        first[0] += start
        count = int(bad.sum())
        are = "1 value is" if count == 1 else f"{count} values are"
        raise InputError(
            f"{what}: {are} {'' if gaps else 'NaN, '}infinite or beyond {LARGEST:g}, the first at index {first}; "
            "expected finite numbers of float32's range."
        )
    return x


def images_first(x: NDArray, name: str, *, least: int = 2, slender: bool = False) -> NDArray:
    """Observations [n, d] or [n, c, h, w], of whichever accepted shape `x` is; `slender` ones may be images too."""
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"World {name!r}: observations of shape {x.shape} cannot be used, "
            "expected [n, d] vectors or series, or [n, h, w], [n, c, h, w] or [n, h, w, c] images"
            + (", or window= (--window), into which one long recording is cut." if x.ndim == 1 else ".")
        )
    check_size(x, name, least)
    if x.ndim == 3:
        if max(x.shape[1:]) > _SLENDER * min(x.shape[1:]) and not slender:
            likely = "channels-first" if x.shape[1] < x.shape[2] else "channels-last"
            raise InputError(
                f"World {name!r}: observations of shape {x.shape[1:]} may be series of several channels or slender "
                f"images: expected series={likely!r} (--series {likely}) for series, or [n, 1, h, w] for images."
            )
        return x[:, None]
    if x.ndim == 4 and x.shape[1] not in _CHANNELS:
        if x.shape[3] not in _CHANNELS:
            raise InputError(
                f"World {name!r}: images of shape {x.shape[1:]}, expected 1, 3 or 4 channels, first or last."
            )
        return np.moveaxis(x, 3, 1)
    return x


def check_size(x: NDArray, name: str, least: int) -> None:
    """Refuse fewer than `least` observations, and empty ones; `name` is what the message calls them."""
    if len(x) < least or x.size == 0:
        count = "two" if least == 2 else "one"
        raise InputError(
            f"World {name!r}: observations of shape {x.shape}, expected at least {count} and none empty."
        )
