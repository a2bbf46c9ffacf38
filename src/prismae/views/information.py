"""What each code knows of each factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from prismae import figures as draw
from prismae.errors import Unavailable
from prismae.views._base import NUMBERS, Arrays, View

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

SHUFFLES = 19  # codes that know nothing seem to know more than in all of them once in twenty times


@dataclass(frozen=True)
class Information(View):
    """The mutual information of each code and each factor.

    Arrays: ``mutual_information`` and ``factor_entropies`` in nats, ``factor_names``; ``shuffled_information``, the
    most that any code seems to know of each factor over 19 shuffles of the codes over the observations.
    """

    arrays: ClassVar = {
        "mutual_information": "m k",
        "factor_entropies": "k",
        "factor_names": "k",
        "shuffled_information": "k",
    }
    sometimes = ("shuffled_information",)  # runs of earlier versions lack it
    kinds = (*NUMBERS, "texts")
    section, place, small = "information", 10, True

    def compute(self, subject: Subject) -> Arrays:
        from scipy.stats import entropy

        from prismae.metrics import mutual_information_matrix

        world = subject.world
        if world.factors is None:
            raise Unavailable("No factors are known for this data, so no code can be compared with them.")
        codes, factors = subject.codes.numpy(), world.factors[subject.rows.numpy()]
        rng = np.random.default_rng(0)
        shuffled = [mutual_information_matrix(rng.permutation(codes), factors) for _ in range(SHUFFLES)]
        return {
            "mutual_information": mutual_information_matrix(codes, factors),
            "shuffled_information": np.max(shuffled, axis=(0, 1)),
            "factor_entropies": np.array([entropy(np.unique(f, return_counts=True)[1]) for f in factors.T]),
            "factor_names": np.array(world.factor_names),
        }

    def draw(self, run: Run) -> Figure:
        names = [str(name) for name in run.pictures["factor_names"]]
        matrix, entropies = run.pictures["mutual_information"], run.pictures["factor_entropies"]
        return draw.information(
            matrix, entropies, names, run.latents, shuffled=run.pictures.get("shuffled_information")
        )

    def sentence(self, run: Run) -> str:
        return Markup(
            "<b>What to look at.</b> Each cell is the mutual information of a code and a factor, divided by the "
            "entropy of the factor: 0 is nothing, 1 is all there is to know. Ideal codes give <b>one strong cell in "
            "each column</b>, framed here, and at most one in each row. Two strong cells in a column: the factor is "
            "spread over two codes. Two in a row: the code mixes two factors. With few points or factors of many "
            "values even codes that are <b>shuffled</b> over the observations seem to know something, and dead "
            "ones, in grey: that is the bias of the estimate. What is no more than that is not framed."
        )

    def absence(self, run: Run) -> str:
        if run.protocols:
            return "The mutual information of codes and factors was not saved with this run."
        return "No factors are known for this data, so no code can be compared with them."
