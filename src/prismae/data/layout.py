"""How numbers lie in an array: checked one by one, and with an image's channels first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from prismae._tensors import of_tensor
from prismae.errors import InputError

_CHANNELS = (1, 3, 4)
MENDS = {  # kind of NumPy's types → what makes numbers
    "V": "a table, pandas.DataFrame(x),",
    "U": "x.astype(float)",
    "S": "x.astype(float)",
    "M": "(x - x.min()) / numpy.timedelta64(1, 'D')",
    "m": "x / numpy.timedelta64(1, 'D')",
    "c": "numpy.abs(x), or numpy.concatenate([x.real, x.imag], 1),",
    "O": "x.astype(float), or numpy.stack(x) of arrays of one shape,",
}
LARGEST = 1e38  # differences of two such numbers are finite in float32
ORDER = "cdhw"  # channels, depth, height, width, as a network sees them
_DEEP = 8  # from which a side of unusual images is no number of channels, and a volume has something to slide over
_SLENDER = 4  # times as long as wide: [n, 12, 1000] may be images of 12x1000 pixels or series of 12 channels


def numbers(x: NDArray | Tensor, what: str, start: int = 0, *, gaps: bool = False) -> NDArray:
    """`x` as a NumPy array of truth values, integers or floats, all of it finite and of float32's range.

    With `gaps` NaN is allowed: it stands for a missing value.
    """
    if isinstance(x, Tensor):
        x = of_tensor(x, what)
    if x.dtype.kind not in "buif":
        mend = f": {MENDS[x.dtype.kind]} makes numbers of them" if gaps and x.dtype.kind in MENDS else ""
        sort = "records of several columns" if x.dtype.names else f"values of type {x.dtype}"
        raise InputError(f"{what}: {sort} cannot be used, expected numbers{mend}.")
    if x.dtype.kind != "f":
        return x
    if x.ndim == 0 or x.size == 0:  # rows without values cost nothing, so a file may claim any number of them
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


def images_first(
    x: NDArray, name: str, *, least: int = 2, slender: bool = False, axes: str | None = None
) -> NDArray:
    """Observations [n, d], [n, c, h, w] or [n, c, d, h, w], of whichever accepted shape `x` is.

    `slender` ones may be images too; `axes` are those of an observation, where they were said or found.
    """
    check_size(x, name, least)
    if axes is not None:
        if x.ndim != len(axes) + 1:
            raise InputError(
                f"World {name!r}: axes={axes!r} is for observations of {len(axes)} dimensions, got the shape "
                f"{x.shape[1:]}."
            )
        seen = [axis for axis in ORDER if axis in axes]
        laid_out = np.transpose(x, [0, *(1 + axes.index(axis) for axis in seen)])
        return laid_out if "c" in axes else laid_out[:, None]
    if x.ndim == 3 and max(x.shape[1:]) > _SLENDER * min(x.shape[1:]) and not slender:
        likely = "channels-first" if x.shape[1] < x.shape[2] else "channels-last"
        raise InputError(
            f"World {name!r}: observations of shape {x.shape[1:]} may be series of several channels or slender "
            f"images: expected series={likely!r} (--series {likely}) for series, or axes='hw' (--axes hw) for images."
        )
    if x.ndim == 3:
        return x[:, None]
    return np.moveaxis(x, 3, 1) if x.ndim == 4 and x.shape[1] not in _CHANNELS else x


def axes_of(shape: tuple[int, ...], name: str) -> str | None:
    """The axes of observations that are no usual images: of other numbers of channels, or volumes.

    Parameters
    ----------
    shape
        Their shape, [n, …].

    Returns
    -------
    "chw", "hwc", "dhw", "cdhw" or "dhwc"; None for vectors, and for images of 1, 3 or 4 channels, which come first
    where both ends are such a number.

    Raises
    ------
    InputError
        For another number of dimensions, and where two readings are as likely.
    """
    whole, shape = shape, shape[1:]
    if len(shape) == 4 and 1 in (shape[0], shape[-1]):
        return "cdhw" if shape[0] == 1 else "dhwc"
    if len(shape) == 4:
        raise InputError(
            f"World {name!r}: observations of shape {shape} may be volumes with channels first or last: say "
            "axes='cdhw' (--axes cdhw) or axes='dhwc'."
        )
    if len(shape) not in (1, 2, 3):
        raise InputError(
            f"World {name!r}: observations of shape {whole} cannot be used, "
            "expected [n, d] vectors or series, [n, h, w], [n, c, h, w] or [n, h, w, c] images, or [n, d, h, w] volumes"
            + ("." if len(whole) != 1 else ", or window= (--window), into which one long recording is cut.")
        )
    if len(shape) < 3 or shape[0] in _CHANNELS or shape[2] in _CHANNELS:
        return None
    first, last = (side < _DEEP for side in (shape[0], shape[2]))
    if min(shape) >= _DEEP and max(shape) <= 2 * min(shape):
        return "dhw"
    if first != last:
        return "chw" if first else "hwc"
    likely = "chw" if shape[0] < shape[2] else "hwc"
    raise InputError(
        f"World {name!r}: observations of shape {shape} may be images of {min(shape[0], shape[2])} channels or "
        f"volumes: say axes={likely!r} (--axes {likely}) for images, or axes='dhw' (--axes dhw) for volumes."
    )


def taken_for(axes: str, shape: tuple[int, ...]) -> str:
    """What a user should know of observations whose axes were found by their shape."""
    sizes = dict(zip(axes, shape, strict=True))
    what = "volumes" if "d" in axes else f"images of {sizes['c']} channels"
    others = {"dhw": "chw or hwc", "cdhw": "dhwc", "dhwc": "cdhw"}.get(axes, "dhw")
    return f"{'x'.join(map(str, shape))} is taken for {what}, axes={axes!r} (else --axes {others})"


def check_size(x: NDArray, name: str, least: int) -> None:
    """Refuse fewer than `least` observations, and empty ones; `name` is what the message calls them."""
    if len(x) < least or x.size == 0:
        count = "two" if least == 2 else "one"
        raise InputError(
            f"World {name!r}: observations of shape {x.shape}, expected at least {count} and none empty."
        )
