"""Which latents are dead, and in which order to show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEAD_SHARE = 0.05  # of the largest spread: relative, because methods live on different scales of code
TWIN = 0.95  # absolute correlation from which two live latents count as one
PILED = 0.5  # share of observations at the ends of a code's range from which it counts as saturated
DEAD_SPREAD = 0.01  # and absolute, because relative to a collapsed largest spread nothing looks dead


def dead_latents(spread: NDArray) -> NDArray[np.bool_]:
    """Which codes hardly vary over the data.

    Parameters
    ----------
    spread
        [m] standard deviation of each code over the data.

    Returns
    -------
    [m] true where the spread is below 5 % of the largest one or below 0.01, or not a number.
    """
    known = np.nan_to_num(np.asarray(spread, dtype=float), nan=0.0)
    return known < max(DEAD_SPREAD, DEAD_SHARE * known.max(initial=0.0))


def by_spread(spread: NDArray) -> NDArray[np.intp]:
    """Indices [m] of the latents from the largest spread [m] to the smallest; equal ones keep their order."""
    return np.argsort(-np.nan_to_num(np.asarray(spread, dtype=float), nan=0.0), kind="stable")


def duplicates(correlation: NDArray, spread: NDArray) -> list[tuple[int, int, float]]:
    """Pairs of live latents that say the same: (i, j, r), i < j, with an absolute correlation above 0.95.

    Parameters
    ----------
    correlation
        [m, m] of the codes over the data.
    spread
        [m] standard deviation of each code.
    """
    live = np.flatnonzero(~dead_latents(spread))
    found = [(int(i), int(j), float(correlation[i, j])) for i in live for j in live if i < j]
    return [pair for pair in found if abs(pair[2]) > TWIN]


def saturated(at_ends: NDArray, spread: NDArray) -> list[int]:
    """Live latents that lie at an end of their range for more than half of the observations, `at_ends` [m] of them."""
    return np.flatnonzero((at_ends > PILED) & ~dead_latents(spread)).tolist()
