"""The observations that are rebuilt worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae.views._base import Arrays, Table, View
from prismae.views._shown import shown
from prismae.views._units import moves

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

WORST = 8


@dataclass(frozen=True)
class Worst(View):
    """The observations of the largest errors, worst first, and their reconstructions.

    Arrays: ``worst``, ``worst_reconstructions``, and ``worst_rows``, what these are called (see `World.names`).
    """

    arrays: ClassVar = {"worst": "r *shape", "worst_reconstructions": "r *shape", "worst_rows": "r"}
    needs = ("worst", "worst_reconstructions")
    title = "The worst cases"
    section, place = "reconstruction", 30

    def compute(self, subject: Subject) -> Arrays:
        import torch

        world, net = subject.world, subject.net
        rows = subject.measured[subject.errors.argsort(descending=True, stable=True)[:WORST]]
        with torch.no_grad():
            x = world.data[rows]
            again = net.generate(net.encode(x).mean, x)
        return {
            "worst": np.asarray(x),
            "worst_reconstructions": np.asarray(again),
            "worst_rows": world.called[rows.numpy()],
        }

    def draw(self, run: Run) -> Figure:
        return shown(run).pairs(run, "worst", "worst_reconstructions")

    def sentence(self, run: Run) -> str:
        rows = ", ".join(map(str, run.pictures.get("worst_rows", np.empty(0, int)).tolist()))
        counted = f" ({run.shown.counted})" if run.shown.counted else ""
        return f"The observations of the largest errors, worst first: {rows}{counted}."

    def table(self, run: Run) -> Table | None:
        rows = [(str(row["number"]), moves(row["moved"])) for row in shown(run).worst(run)]
        heads = ("row", "columns that are furthest off, each as it is → as it is rebuilt")
        return Table("", "", heads, rows) if rows else None
