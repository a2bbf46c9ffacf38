"""What a model of texts writes: sentences drawn from the prior, rebuilt ones, and those between two others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae.errors import InputError
from prismae.fields import Seed
from prismae.views._base import Arrays, View

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

SHOWN = 10
FRAMES = 5  # of a latent that moves


@dataclass(frozen=True)
class Sentences(View):
    """What a model of texts writes.

    Arrays: ``sentences`` and ``sentence_reconstructions``, the likeliest at their mean codes; ``sentence_path``, from
    the first of these to the last; ``sentence_traversals``, each latent moved from its 2nd to its 98th percentile, the
    others as in the code nearest to the codes' median; ``sentence_samples``, drawn from the prior at temperature 1,
    where the method has one.

    Parameters
    ----------
    seed
        Seed of the sentences that are drawn.
    """

    seed: Seed = 0

    arrays: ClassVar = {
        "sentences": "r",
        "sentence_reconstructions": "r",
        "sentence_path": "t",
        "sentence_traversals": "m f",
        "sentence_samples": "s",
    }
    sometimes = ("sentence_samples",)
    kinds = ("texts",)
    section, drawn = "sentences", False

    def compute(self, subject: Subject) -> Arrays:
        import torch

        from prismae._random import Draws
        from prismae.data import Tokens
        from prismae.data.kinds import Texts
        from prismae.data.storage import spaced
        from prismae.nets.text import TextAutoencoderNet
        from prismae.runs.texts import PATH, between, written

        method, net, world, codes = subject.method, subject.net, subject.world, subject.codes
        rows = subject.rows
        assert isinstance(net, TextAutoencoderNet)
        assert isinstance(world.kind, Texts)
        vocabulary = world.kind.vocabulary
        shown = rows[spaced(len(rows), SHOWN)]
        ends = Tokens(world.data[shown[[0, -1]]].int())
        found = {
            "sentences": vocabulary.decode(world.data[shown]),
            "sentence_reconstructions": written(net, vocabulary, codes[spaced(len(rows), SHOWN)]),
            "sentence_path": between(net, vocabulary, ends, PATH),
        }
        if method.has_prior:
            with Draws(self.seed):
                z = method.prior_sample(net, codes.shape[1], SHOWN)
            found["sentence_samples"] = written(net, vocabulary, z, temperature=1.0, seed=self.seed)
        arrays: dict[str, NDArray] = {name: np.array(each) for name, each in found.items()}
        low, high = subject.ends
        moved = subject.middle.repeat(len(low), FRAMES, 1)
        for i, share in enumerate(torch.linspace(0, 1, FRAMES)):
            moved[:, i].diagonal().copy_(torch.lerp(low, high, share))
        moving = np.array(written(net, vocabulary, moved.flatten(0, 1))).reshape(len(low), FRAMES)
        return arrays | {"sentence_traversals": moving}

    def draw(self, run: Run) -> Figure:
        raise InputError("Sentences are in the report, `prismae report`; there is no figure of them.")
