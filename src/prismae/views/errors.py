"""How well each observation is rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae import figures as draw
from prismae.views._base import Arrays, View

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject


@dataclass(frozen=True)
class Errors(View):
    """The reconstruction errors of up to 2,000 observations, fewer of wide ones.

    Arrays: ``errors``, squared error per element in units of the world's variance; ``mean_error``, what these would be
    on average if the mean of these observations stood for each; for series and tables ``element_mean`` and
    ``element_std`` of the observations.
    """

    arrays: ClassVar = {"errors": "n", "mean_error": "", "element_mean": "*shape", "element_std": "*shape"}
    sometimes = ("element_mean", "element_std")
    needs = ("errors",)
    title = "Errors by observation"
    section, place, small = "reconstruction", 20, True

    def compute(self, subject: Subject) -> Arrays:
        from prismae.runs.codes import moments

        world, net = subject.world, subject.net
        rebuilt = moments(world, subject.measured, net.to_rebuild)
        of_mean = rebuilt.squares.sum() / rebuilt.count.sum()
        found = {"errors": subject.errors, "mean_error": of_mean / net.std.square()}
        if len(world.shape) == 1:
            each = moments(world, subject.measured) if net.given else rebuilt
            freedom = np.where(each.count > 1, each.count - 1, np.nan)
            found |= {"element_mean": each.mean, "element_std": np.sqrt(each.squares / freedom)}
        return {name: np.asarray(each) for name, each in found.items()}

    def draw(self, run: Run) -> Figure:
        return draw.error_histogram(run.pictures["errors"])

    def sentence(self, run: Run) -> str:
        return (
            f"Over {len(run.pictures['errors']):,} observations; the lines are the median and the 95th percentile. A "
            "long tail means that some kinds of observations are rebuilt much worse than the rest: look below at which."
        )
