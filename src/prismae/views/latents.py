"""Which latents carry information, and which carry the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae import figures as draw
from prismae.views._base import NUMBERS, Arrays, View

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

END = 0.02  # share of a code's range that counts as its end
PAIRED = 1000  # latents whose correlations are kept: they grow with the square


@dataclass(frozen=True)
class Latents(View):
    """What each latent tells of an observation, in nats; needs no factors.

    Arrays: those of `statistics`; ``levels``, the values that each latent can take where they are few. What is drawn is
    the run's `Latents.information`, or the entropy of the codes where a run of an earlier version does not say it.
    """

    arrays: ClassVar = {
        "spread": "m",
        "code_entropy": "m",
        "correlation": "m m",
        "at_ends": "m",
        "levels": "m l",
    }
    sometimes = ("levels", "correlation")
    needs = ("spread", "code_entropy")
    kinds = (*NUMBERS, "texts")
    section, place, small = "codes", 10, True

    def compute(self, subject: Subject) -> Arrays:
        found = statistics(subject.codes.numpy(), discrete=subject.levels is not None)
        if subject.levels is not None:
            found["levels"] = subject.levels.numpy()
        return found

    def draw(self, run: Run) -> Figure:
        assert run.latents is not None
        if run.latents.information is not None:
            return draw.latent_bars(run.latents.information, run.latents, "information, nats")
        return draw.latent_bars(run.pictures["code_entropy"], run.latents, "entropy of the code, nats")

    def sentence(self, run: Run) -> str:
        return ""  # the page's table of latents, above, says it


def statistics(codes: NDArray, *, discrete: bool = False) -> Arrays:
    """How codes [n, m] lie, each alone and in pairs; codes of few values are `discrete`.

    Returns
    -------
    dict
        ``spread`` [m], standard deviation; ``code_entropy`` [m], differential entropy in nats (from spacings,
        by SciPy), minus infinity where a code is constant and NaN for fewer than 5 observations, or the entropy
        of how often each value of a discrete code occurs, 0 where it is constant;
        ``correlation`` [m, m], of Pearson, 0 for constant codes, of up to 1,000 latents; ``at_ends`` [m], the share of
        observations within 2 % of the code's range from its least or greatest value (0.04 for a uniform code).
    """
    from scipy.stats import differential_entropy, entropy  # here: a page is drawn without it

    low, high = codes.min(0), codes.max(0)
    margin = END * (high - low)
    spread = codes.std(0, ddof=1)
    varies = np.ptp(codes, axis=0) > 0
    standardised = np.divide(codes - codes.mean(0), spread, out=np.zeros_like(codes), where=varies)
    if discrete:
        entropies = np.array([entropy(np.unique(code, return_counts=True)[1]) for code in codes.T])
    else:
        with np.errstate(divide="ignore", invalid="ignore"):  # equal values have no spacing
            found = differential_entropy(codes.astype(np.float64)) if len(codes) >= 5 else np.nan
        entropies = np.where(varies, found, -np.inf)
    pairs = (
        {"correlation": standardised.T @ standardised / (len(codes) - 1)} if codes.shape[1] <= PAIRED else {}
    )
    return pairs | {
        "spread": spread,
        "code_entropy": entropies,
        "at_ends": np.where(varies, ((codes <= low + margin) | (codes >= high - margin)).mean(0), 0.0),
    }
