"""What each latent does when it alone moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup
from matplotlib.figure import Figure

from prismae import figures as draw
from prismae.views._base import Arrays, View
from prismae.views._style import columns, standardised

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

FRAMES = 11
MOST = 24  # latents that are shown


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
        frames, values = run.pictures["traversals"], run.pictures["traversal_values"]
        if run.kind == "table":
            return draw.table_traversals(standardised(run, frames), values, columns(run), run.latents)
        return draw.traversals(run.in_units(frames), values, run.latents, channels=run.channel_names)

    def sentence(self, run: Run) -> str:
        if run.kind == "table":
            return Markup(
                "<b>What to look at.</b> One code moves from low to high, all others stand still; features are in "
                "standard deviations, and the four that move most are named. A <b>disentangled</b> code moves the "
                "features of one cause; a <b>dead</b> code moves none."
            )
        m = len(run.pictures["traversals"])
        shown = f"; the {MOST} largest of {m} are shown" if m > MOST else ""
        return Markup(
            "<b>What to look at.</b> One code moves from low to high, all others stand still. A <b>live, "
            "disentangled</b> code changes one thing, smoothly, from end to end. If two things change at once the code "
            "is entangled; if two codes change the same thing they share a factor. A <b>dead</b> code changes nothing, "
            "and its spread over the data is near zero. Latents come from the largest spread to the smallest{}."
        ).format(shown)

    def absence(self, run: Run) -> str:
        return "No traversals were saved with this run."
