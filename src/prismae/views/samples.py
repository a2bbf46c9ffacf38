"""What the model makes of codes of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from matplotlib.figure import Figure

from prismae.errors import Unavailable
from prismae.fields import Seed
from prismae.views._base import Arrays, View
from prismae.views._shown import shown

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

SAMPLES = 32


@dataclass(frozen=True)
class Samples(View):
    """Expected observations for codes of the method's own prior.

    Array: ``samples``; of methods without a prior there are none.

    Parameters
    ----------
    seed
        Seed of the codes.
    """

    seed: Seed = 0

    arrays: ClassVar = {"samples": "s *shape"}
    sometimes = ("samples",)
    needs = ("samples",)
    title = "Samples"
    place = 20

    def compute(self, subject: Subject) -> Arrays:
        import torch

        from prismae._random import Draws

        method, net = subject.method, subject.net
        if not method.has_prior:
            raise Unavailable(f"{method.called()} has no prior, so no codes can be drawn from it.")
        with Draws(self.seed), torch.no_grad():
            z = method.prior_sample(net, subject.n_latents, SAMPLES)
            return {"samples": net.generate(z).numpy()}

    def draw(self, run: Run) -> Figure:
        return shown(run).samples(run)

    def sentence(self, run: Run) -> str:
        return "Decoded from codes drawn from the method's own prior."
