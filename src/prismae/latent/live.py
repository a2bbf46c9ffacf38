"""Which latents count as live: one rule for every method, and for everything that looks at latents."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LIVE = 0.1
"""Nats (see `prismae.latent.information`) from which a latent counts as live. It is what a code tells whose posterior
is 0.9 times as wide as all codes together; latents that die in a short training stand at 0.005 to 0.02, those in use at
0.3 to 5."""

LEAST_EFFECT = 0.1
"""The effect on the decoded data from which a latent counts as live (see `prismae.latent.information.effect`). Its
square, a variance of 0.01, is that by which active units are counted (Burda et al. 2016)."""


def live(information: ArrayLike, effect: ArrayLike | None = None) -> NDArray[np.bool_]:
    """[m] whether latents tell at least 0.1 nats *and* move the decoded data, from [m] each; effects may be unknown."""
    tells = np.asarray(information, dtype=float) >= LIVE
    return tells if effect is None else tells & (np.asarray(effect, dtype=float) >= LEAST_EFFECT)
