"""Which part of an observation each latent changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup
from matplotlib.figure import Figure

from prismae._text import number
from prismae.views._base import Arrays, Table, View
from prismae.views._shown import shown
from prismae.views._units import moves

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

RANGE = Markup('<span class="range">{} → {}</span>')
MOVED = 32  # observations whose latents are moved


@dataclass(frozen=True)
class Effects(View):
    """How far each latent moves each element of an observation.

    In 32 observations each latent takes its 2nd and its 98th percentile, the others stay. Array: ``effects``, the mean
    absolute difference of what the decoder makes of the two, in the data's units.
    """

    arrays: ClassVar = {"effects": "m *shape"}
    needs = ("effects", "spread")
    title = "What each latent changes"
    section, place = "codes", 20

    def compute(self, subject: Subject) -> Arrays:
        import torch

        from prismae.data.storage import spaced

        chosen = spaced(len(subject.codes), MOVED)
        codes, x = subject.codes[chosen], subject.world.data[subject.rows[chosen]]
        found = []
        with torch.no_grad():
            for i in range(codes.shape[1]):
                ends = []
                for end in subject.ends:
                    moved = codes.clone()
                    moved[:, i] = end[i]
                    ends.append(subject.net.generate(moved, x))
                found.append((ends[1] - ends[0]).abs().mean(0))
        return {"effects": torch.stack(found).numpy()}

    def draw(self, run: Run) -> Figure:
        return shown(run).effects(run)

    def sentence(self, run: Run) -> str:
        element, scale = shown(run).of_effects(run)
        return (
            f"The mean absolute change of each {element} as the latent goes from its 2nd to its 98th percentile, over "
            f"observations with all their other codes kept. {scale}Two latents with the same picture change the same "
            "part of the data."
        )

    def table(self, run: Run) -> Table | None:
        rows = [
            (row["name"], RANGE.format(number(row["low"]), number(row["high"])), moves(row["moved"]))
            for row in shown(run).changes(run)
        ]
        said = (
            "The columns that a latent moves furthest, from its low value to its high one, all other codes in the "
            "middle of the data."
        )
        if not rows:
            return None
        return Table("In the table's own units", said, ("latent", "from → to", "columns"), rows)
