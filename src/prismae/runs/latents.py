"""Which latents carry something, which say the same, and in which order to show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prismae.latent.live import LIVE, live

TWIN = 0.95  # absolute correlation from which two live latents count as one
PILED = 0.5  # share of observations at the ends of a code's range from which it counts as saturated


@dataclass(frozen=True)
class Latents:
    """What is known of m latents without any label.

    Parameters
    ----------
    spread
        [m] standard deviation of each code over the data; NaN counts as 0.
    information
        [m] what each tells of an observation, nats (see `prismae.latent.information`); None where it was not kept.
    effect
        [m] how far each moves the decoded data, in their standard deviations; None where it was not kept.
    """

    spread: NDArray
    information: NDArray | None = None
    effect: NDArray | None = None

    def __len__(self) -> int:
        return len(self.spread)

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """[m] true where a latent is not live; where its information is not known, where its code does not vary."""
        spread = np.nan_to_num(np.asarray(self.spread, dtype=float), nan=0.0)
        return spread == 0 if self.information is None else ~live(self.information, self.effect)

    @property
    def live_from(self) -> str:
        """What makes a latent count as live, in words."""
        if self.information is None:
            return "their information is not known"
        return f"{LIVE} nats or more" + (", and an effect on the data" if self.effect is not None else "")

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Indices [m] of the latents: live ones first, then from the most information, or spread, to the least."""
        known = self.spread if self.information is None else self.information
        return np.lexsort((-np.nan_to_num(np.asarray(known, dtype=float), nan=0.0), self.dead))

    def twins(self, correlation: NDArray) -> list[tuple[int, int, float]]:
        """Pairs of live latents that say the same: (i, j, r), i < j, with an absolute correlation [m, m] above 0.95."""
        alive = np.flatnonzero(~self.dead)
        found = [(int(i), int(j), float(correlation[i, j])) for i in alive for j in alive if i < j]
        return [pair for pair in found if abs(pair[2]) > TWIN]

    def saturated(self, at_ends: NDArray) -> list[int]:
        """Live latents of which more than half of the observations, `at_ends` [m], lie at an end of their range."""
        return np.flatnonzero((at_ends > PILED) & ~self.dead).tolist()


def grouped(pairs: Iterable[tuple[int, int, float]]) -> list[list[int]]:
    """The latents of pairs (i, j, r), those that are joined by pairs in one ascending group."""
    groups: list[set[int]] = []
    for i, j, _ in pairs:
        apart = [group for group in groups if not group & {i, j}]
        joined = {i, j}.union(*(group for group in groups if group & {i, j}))
        groups = [*apart, joined]
    return sorted(sorted(group) for group in groups)


def shown_order(latents: Latents | None, m: int) -> NDArray[np.intp]:
    """In which order m latents are shown: by index where nothing is known of them."""
    return np.arange(m) if latents is None else latents.order
