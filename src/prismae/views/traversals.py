"""What each latent does when it alone moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from matplotlib.figure import Figure

from prismae.views._base import Arrays, View
from prismae.views._shown import shown

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

FRAMES = 11


@dataclass(frozen=True)
class Traversals(View):
    """What is decoded when one latent after another moves from its 2nd to its 98th percentile, or over its few values.

    Arrays: ``traversals``, ``traversal_values``, the others as in ``base``, the code nearest to the codes' median.
    """

    arrays: ClassVar = {"traversals": "m t *shape", "traversal_values": "m t", "base": "m"}
    needs = ("traversals", "traversal_values")
    section, place = "traversals", 10

    def compute(self, subject: Subject) -> Arrays:
        import torch

        base, values = subject.middle, subject.along(FRAMES)
        moved = base.repeat(*values.shape, 1)  # [m, t, m]
        for i, column in enumerate(values):
            moved[i, :, i] = column
        with torch.no_grad():
            frames = subject.net.generate(moved.flatten(0, 1)).unflatten(0, values.shape)
        return {"traversals": frames.numpy(), "traversal_values": values.numpy(), "base": base.numpy()}

    def draw(self, run: Run) -> Figure:
        return shown(run).traversals(run)

    def sentence(self, run: Run) -> str:
        return shown(run).of_traversals(run)

    def absence(self, run: Run) -> str:
        return "No traversals were saved with this run."
