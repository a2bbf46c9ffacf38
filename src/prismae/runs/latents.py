"""Which latents carry something, which say the same, and in which order to show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LEAST_KL = 0.1  # nats: below, a latent has as good as its prior's own code for every observation
LEAST_SPREAD = (
    0.1  # where no KL is known; the variance of 0.01 by which active units are counted, as a deviation
)
CONSTANT = 0.01  # a spread below which a code is one number, whatever its KL: a posterior far from the prior has some
TWIN = 0.95  # absolute correlation from which two live latents count as one
PILED = 0.5  # share of observations at the ends of a code's range from which it counts as saturated


@dataclass(frozen=True)
class Latents:
    """What is known of m latents without any label.

    Parameters
    ----------
    spread
        [m] standard deviation of each code over the data; NaN counts as 0.
    kl
        [m] mean KL(q(z_i|x) || N(0, 1)), nats; None where the posterior has no density, or it was not kept.
    entropy
        [m] entropy of the value that each code takes, nats, where codes take one of few values; else None.
    """

    spread: NDArray
    kl: NDArray | None = None
    entropy: NDArray | None = None

    def __len__(self) -> int:
        return len(self.spread)

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """[m] true where a latent tells as good as nothing of an observation.

        That is where its KL is below 0.1 nats or its code is constant; without a KL, where its spread is below 0.1; of
        codes that take one of few values, where the entropy of the value is below 0.1 nats. A share of the largest
        spread would say nothing: where all have collapsed, the largest is small too.
        """
        spread = np.nan_to_num(np.asarray(self.spread, dtype=float), nan=0.0)
        if self.entropy is not None:
            return np.asarray(self.entropy, dtype=float) < LEAST_KL
        if self.kl is None:
            return spread < LEAST_SPREAD
        return (spread < CONSTANT) | ~(np.asarray(self.kl, dtype=float) >= LEAST_KL)

    @property
    def live_from(self) -> str:
        """What makes a latent count as live, in words."""
        if self.entropy is not None:
            return f"entropy of {LEAST_KL} nats or more"
        if self.kl is None:
            return f"spread of {LEAST_SPREAD} or more"
        return f"KL of {LEAST_KL} nats or more"

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Indices [m] of the latents: live ones first, then from the largest spread to the smallest."""
        spread = np.nan_to_num(np.asarray(self.spread, dtype=float), nan=0.0)
        return np.lexsort((-spread, self.dead))

    def twins(self, correlation: NDArray) -> list[tuple[int, int, float]]:
        """Pairs of live latents that say the same: (i, j, r), i < j, with an absolute correlation [m, m] above 0.95."""
        live = np.flatnonzero(~self.dead)
        found = [(int(i), int(j), float(correlation[i, j])) for i in live for j in live if i < j]
        return [pair for pair in found if abs(pair[2]) > TWIN]

    def saturated(self, at_ends: NDArray) -> list[int]:
        """Live latents of which more than half of the observations, `at_ends` [m], lie at an end of their range."""
        return np.flatnonzero((at_ends > PILED) & ~self.dead).tolist()


def shown_order(latents: Latents | None, m: int) -> NDArray[np.intp]:
    """In which order m latents are shown: by index where nothing is known of them."""
    return np.arange(m) if latents is None else latents.order
