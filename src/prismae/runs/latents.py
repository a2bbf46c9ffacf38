"""Which latents carry something, which say the same, and in which order to show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prismae.latent.live import LIVE, live

TWIN = 0.95  # absolute correlation from which two live latents count as one
LISTED = 100  # latents with a row in tables, a slider and a curve: the most informative ones
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

    def twins(self, correlation: NDArray) -> NDArray[np.bool_]:
        """[m, m] which live latents say the same as which others: their absolute correlation [m, m] is above 0.95."""
        alive = ~self.dead
        return alike(correlation) & alive & alive[:, None]

    def saturated(self, at_ends: NDArray) -> list[int]:
        """Live latents of which more than half of the observations, `at_ends` [m], lie at an end of their range."""
        return np.flatnonzero((at_ends > PILED) & ~self.dead).tolist()


def alike(correlation: NDArray) -> NDArray[np.bool_]:
    """[m, m] which latents say the same as which others, by their correlation [m, m]."""
    found = np.abs(correlation) > TWIN
    np.fill_diagonal(found, False)
    return found


def grouped(alike: NDArray[np.bool_]) -> list[list[int]]:
    """Those that are alike [m, m], directly or by way of others, in ascending groups of two and more."""
    groups: list[list[int]] = []
    left = alike.any(1)
    while left.any():
        group = np.zeros(len(alike), dtype=bool)
        new = group.copy()
        new[left.argmax()] = True
        while new.any():
            group |= new
            new = alike[new].any(0) & ~group
        groups.append(np.flatnonzero(group).tolist())
        left &= ~group
    return groups


def shown_order(latents: Latents | None, m: int) -> NDArray[np.intp]:
    """In which order m latents are shown: by index where nothing is known of them."""
    return np.arange(m) if latents is None else latents.order
