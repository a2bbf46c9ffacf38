"""Columns of vectors, and channels of images and volumes, that lie so far apart that one scale for all hides most."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from prismae.data.channels import ChannelScheme

RANGES = 100  # times as wide a range as that of another from which they have no scale in common,
LEVELS = 10  # and times the widest range that they lie from each other
COLUMNS = (
    32  # of vectors, up to which they are taken for a table's; more are those of spectra, curves and pixels
)
HARDLY = (
    "the ranges of the columns differ by a factor of {:,.0f} and all columns of an array have one scale, so the small "
    "ones hardly count: a table (pandas.DataFrame(X)) scales each by itself"
)


def scheme_of(
    low: NDArray, high: NDArray, n: NDArray, fit: Callable[[], ChannelScheme], *, of_vectors: bool
) -> tuple[ChannelScheme | None, tuple[str, ...]]:
    """How channels, or columns of vectors, are scaled that lie far apart, and what a user should know of it.

    Each has its own scale where they cannot be the same quantity: channels whose ranges differ by a factor of 100, or
    which lie ten times as far from each other as the widest ranges, and up to 32 columns of which that is so, where the
    narrow ones do not lie within the widest, as those of pixels do that are hardly ever drawn on. Where columns are
    more, or constant ones lie far from the others, their means are taken off and they keep one scale.

    Parameters
    ----------
    low, high, n
        [c] ranges, and how many values each has.
    fit
        Makes their scheme.
    of_vectors
        Whether they are the columns of vectors.

    Returns
    -------
    ChannelScheme | None, tuple[str, ...]
        None where one mean and one scale serve all.
    """
    low, high = low.astype(np.float64), high.astype(np.float64)
    spread = high - low
    varies = spread > 0
    if len(low) < 2 or not varies.any():
        return None, ()
    widest = int(np.nanargmax(spread))
    ratio, each_from_other = spread[widest] / spread[varies].min(), _levels(low, high, varies)
    beyond = ((low < low[widest]) | (high > high[widest]))[varies].any()
    what = "columns" if of_vectors else "channels"
    differ = f"the ranges of the {what} differ by a factor of {ratio:,.0f}"
    lie = f"the {what} lie up to {{:,.0f}} times as far from each other as any of them ranges"
    if not of_vectors or len(low) <= COLUMNS:
        of_own = " so each is scaled by itself, to mean 0 and standard deviation 1"
        if ratio > RANGES and (beyond or not of_vectors):
            return fit(), (f"{differ},{of_own}",)
        if each_from_other > LEVELS:
            return fit(), (f"{lie.format(each_from_other)},{of_own}",)
    notices = (HARDLY.format(ratio),) if ratio > RANGES and of_vectors else ()
    if (levels := _levels(low, high, ~np.isnan(low))) > LEVELS:
        said = f"{lie.format(levels)}, so the mean of each is taken off"
        return fit().with_one_scale(n), (said, *notices)
    return None, notices


def _levels(low: NDArray, high: NDArray, some: NDArray[np.bool_]) -> float:
    """How far the middles of some lie from each other, in the widest range of all."""
    return float(np.ptp((low + (high - low) / 2)[some]) / np.nanmax(high - low))
