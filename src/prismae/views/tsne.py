"""Which observations have like codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae import figures as draw
from prismae.errors import InputError, unknown_name
from prismae.fields import Seed
from prismae.views._base import NUMBERS, Arrays, View

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject


@dataclass(frozen=True)
class TSNE(View):
    """t-SNE of mean codes in the plane (van der Maaten and Hinton 2008), started from their principal components.

    Arrays: ``tsne``, ``tsne_rows``, what the observations are called; with known factors ``tsne_factors`` and
    ``tsne_names``.

    Parameters
    ----------
    points
        Number of codes.
    seed
        Seed of the observations and of the t-SNE.
    factor
        Whose value colours the points; by default the factor "label", else the first one.
    """

    points: int = 2_000
    seed: Seed = 0
    factor: str | None = None

    arrays: ClassVar = {"tsne": "n 2", "tsne_rows": "n", "tsne_factors": "n f", "tsne_names": "f"}
    sometimes = ("tsne_factors", "tsne_names")
    needs = ("tsne",)
    title = "Neighbourhoods of codes"
    called = "the t-SNE of the codes"
    kinds = (*NUMBERS, "texts")
    place, small, slow = 40, True, True

    def compute(self, subject: Subject) -> Arrays:
        from prismae.evaluation.plane import FEWEST, t_sne
        from prismae.runs.codes import drawn_rows, encoded

        world = subject.world
        if self.points < FEWEST:
            raise InputError(f"A t-SNE needs at least {FEWEST} points, got {self.points}.")
        rows = drawn_rows(world, self.points, self.seed)
        codes = encoded(subject.net, world, rows).numpy()
        found = {"tsne": t_sne(codes, self.seed), "tsne_rows": world.called[rows.numpy()]}
        if world.factors is not None:
            found |= {
                "tsne_factors": world.factors[rows.numpy()],
                "tsne_names": np.array(world.factor_names),
            }
        return found

    def draw(self, run: Run) -> Figure:
        pictures = run.pictures
        if not {"tsne_factors", "tsne_names"} <= pictures.keys():
            if self.factor is not None:
                raise InputError(
                    f"The t-SNE cannot be coloured by {self.factor!r}: no factors are known for this data."
                )
            return draw.embedding(pictures["tsne"])
        names = [str(name) for name in pictures["tsne_names"]]
        chosen = self.factor or ("label" if "label" in names else names[0])
        if chosen not in names:
            raise unknown_name("factor", chosen, names)
        called = run.job.get("value_names", {}).get(chosen, ())
        return draw.embedding(
            pictures["tsne"], pictures["tsne_factors"][:, names.index(chosen)], chosen, called
        )

    def sentence(self, run: Run) -> str:
        return (
            f"t-SNE of the codes of {len(run.pictures['tsne']):,} observations. Near points have like codes; distances "
            "between groups, their sizes and shapes say nothing."
        )
