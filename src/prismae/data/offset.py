"""Numbers far from zero: single precision would round their variation away, so an offset is taken off before."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np
from numpy.typing import NDArray

TOO_FINE = "varies by less than the computer's numbers can tell: take off what its values have in common, or scale it"
SMALLEST = 1e-37  # numbers nearer to 0 are rounded in float32
LOSS = 1e-4  # of the standard deviation: what rounding may change
_AT_A_TIME = 1 << 18  # numbers in double precision, 2 MB


def rounded_away(largest: float, std: float, bits: int = 24) -> bool:
    """Whether numbers of so many bits round those as large as `largest` by more than 1e-4 of their deviation.

    float32 has 24 bits, float64 53.
    """
    return largest * 2.0**-bits > LOSS * std


def offset_of(x: NDArray) -> float | None:
    """What to take off numbers [n, …] before they become float32: their mean, or 0 where they need nothing taken off.

    Those in [0, 1], such as pixels, keep their range; float32 and whole numbers of 16 bits are held as they are. None
    where double precision rounds their variation away, too.
    """
    if x.size == 0 or x.dtype.itemsize < 4 or x.dtype == np.float32:
        return 0.0
    gaps = np.isnan(x)
    n = x.size - int(gaps.sum())
    if n == 0:
        return 0.0
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    if low == high or (low >= 0 and high <= 1):
        return 0.0
    first = float(x.flat[0])
    shift, total, squares = (
        low if np.isnan(first) else first,
        0.0,
        0.0,
    )  # so that squares of large values do not cancel
    for _, part in some_rows(x):
        part = part.astype(np.float64) - shift
        total, squares = total + float(np.nansum(part)), squares + float(np.nansum(np.square(part)))
    mean = total / n
    return offset_by(low, high, shift + mean, sqrt(max(squares / n - mean**2, 0.0)), x.dtype)


def offset_by(low: float, high: float, mean: float, std: float, dtype: np.dtype) -> float | None:
    """The same for numbers of this type of which that is known."""
    if dtype.itemsize < 4 or dtype == np.float32 or low == high or (low >= 0 and high <= 1):
        return 0.0
    largest = max(abs(low), abs(high))
    if rounded_away(largest, std, bits=53):
        return None
    return mean if rounded_away(largest, std) else 0.0


def less(x: NDArray, offset: float) -> NDArray[np.float32]:
    """Numbers [n, …] as float32 after `offset` has been taken off in double precision; always a copy."""
    made = np.empty(x.shape, np.float32)
    for rows, part in some_rows(x):
        made[rows] = part if offset == 0 else part.astype(np.float64) - offset
    return made


def some_rows(x: NDArray) -> Iterator[tuple[slice, NDArray]]:
    """Rows of x, some hundred thousand numbers at a time, so that x may be larger than memory."""
    step = max(1, _AT_A_TIME // max(1, x[0].size)) if len(x) else 1
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        yield rows, x[rows]
