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
    """The reconstruction errors of up to 2,000 observations.

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
        import torch

        world, rows = subject.world, subject.measured
        shift = world.data[rows[:1]].nan_to_num()  # so that squares of large values do not cancel
        total, squares = torch.zeros(world.shape, dtype=torch.float64), 0.0
        seen = torch.zeros(world.shape, dtype=torch.float64)  # observations that have each element
        vectors = []
        for part in rows.split(1024):
            x = world.data[part]
            values = subject.net.to_rebuild(x)
            total += (values - shift).nansum(0, dtype=torch.float64)
            squares += float((values - shift).square().nansum(dtype=torch.float64))
            seen += (~values.isnan()).sum(0)
            vectors.append(x if x.ndim == 2 else x[:0])
        of_mean = (squares - float((total.square() / seen.clamp(min=1)).sum())) / float(seen.sum())
        found = {"errors": subject.errors, "mean_error": of_mean / subject.net.std.square()}
        if len(world.shape) == 1:
            rows_seen = torch.cat(vectors).double().numpy()
            found |= {
                "element_mean": np.nanmean(rows_seen, 0),
                "element_std": np.nanstd(rows_seen, 0, ddof=1),
            }
        return {name: np.asarray(each) for name, each in found.items()}

    def draw(self, run: Run) -> Figure:
        return draw.error_histogram(run.pictures["errors"])

    def sentence(self, run: Run) -> str:
        return (
            f"Over {len(run.pictures['errors']):,} observations; the lines are the median and the 95th percentile. A "
            "long tail means that some kinds of observations are rebuilt much worse than the rest: look below at which."
        )
