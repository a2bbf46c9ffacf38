"""Observations beside what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae.views._base import Arrays, View
from prismae.views._shown import shown

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

PAIRS = 8


@dataclass(frozen=True)
class Reconstructions(View):
    """Observations and their reconstructions from the mean codes.

    Arrays: ``originals``, ``reconstructions``, ``shown_codes`` and ``shown_rows``, what these observations are called
    (see `World.names`); ``feature_names`` of a table.
    """

    arrays: ClassVar = {
        "originals": "r *shape",
        "reconstructions": "r *shape",
        "shown_codes": "r m",
        "shown_rows": "r",
        "feature_names": "*shape",
    }
    sometimes = ("feature_names",)
    needs = ("originals", "reconstructions")
    section, place = "reconstruction", 10

    def compute(self, subject: Subject) -> Arrays:
        import torch

        from prismae.data.storage import spaced

        world, net = subject.world, subject.net
        rows = subject.rows[spaced(len(subject.rows), PAIRS)]
        with torch.no_grad():
            shown = world.data[rows]
            codes = net.encode(shown).mean
            again = net.generate(codes, shown)
        found = {
            "originals": shown.numpy(),
            "reconstructions": again.numpy(),
            "shown_codes": codes.numpy(),
            "shown_rows": world.called[rows.numpy()],
        }
        if world.kind.element_names:
            found["feature_names"] = np.array(world.kind.element_names)
        return found

    def draw(self, run: Run) -> Figure:
        return shown(run).pairs(run, "originals", "reconstructions")

    def sentence(self, run: Run) -> str:
        if not shown(run).lanes(run):
            return ""
        return (
            "Each channel of a series has a lane of its own, the first at the top, named with its range in the data's "
            "units."
        )

    def absence(self, run: Run) -> str:
        return "No reconstructions were saved with this run."
