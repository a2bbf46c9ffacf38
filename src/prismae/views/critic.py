"""How much of the dependence between latents a critic sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae import figures as draw
from prismae._text import percent
from prismae.errors import Unavailable
from prismae.fields import Count, Seed
from prismae.views._base import NUMBERS, Arrays, View

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

LOOKS = 11  # values of the curve


@dataclass(frozen=True)
class Critic(View):
    """The dependence between latents that a critic sees, and would see if it were trained on.

    A copy of the critic is trained on while the codes stay as they are, at five times its learning rate. Arrays:
    ``critic_updates``, how many more updates, and ``critic_sees``, the value of the term that it estimates.

    Parameters
    ----------
    updates
        The most updates more; never more than a quarter of those that the training made.
    seed
        Seed of their batches.
    """

    updates: Count = 500
    seed: Seed = 0

    arrays: ClassVar = {"critic_updates": "n", "critic_sees": "n"}
    sometimes = ("critic_updates", "critic_sees")
    needs = sometimes
    title = "What the critic sees"
    section, place, small = "codes", 90, True
    kinds = (*NUMBERS, "texts")

    def compute(self, subject: Subject) -> Arrays:
        from prismae.methods import Adversarial
        from prismae.runs.critics import sight

        method, trained = subject.method, subject.trained
        if trained is None or not isinstance(method, Adversarial):
            raise Unavailable(f"{method.called()} has no critic.")
        made = method.critic_warmup + method.critic_steps * trained.steps
        most = min(self.updates, made // 4)
        updates = np.unique(np.linspace(0, most, LOOKS).round().astype(int))
        return {
            "critic_updates": updates,
            "critic_sees": sight(method, trained, subject.world, updates.tolist(), self.seed),
        }

    def draw(self, run: Run) -> Figure:
        updates, seen = run.pictures["critic_updates"], run.pictures["critic_sees"]
        return draw.term_curves(updates, {"dependence that it sees": seen}, columns=1, smooth=False)

    def sentence(self, run: Run) -> str:
        updates, seen = run.pictures["critic_updates"], run.pictures["critic_sees"]
        most = float(seen.max())
        if most <= 0:
            return f"The critic sees no dependence between latents, nor after {updates[-1]:,} more updates."
        share = percent(max(float(seen[0]), 0) / most)
        return (
            f"The critic sees {share} of the dependence between latents that it sees if it is trained on for up to "
            f"{updates[-1]:,} updates at five times its learning rate, while the codes stay as they are: {seen[0]:.3g} "
            f"of {most:.3g}. Nothing presses on the rest. Where the share is small, train the critic faster, or more "
            "often for each step."
        )
