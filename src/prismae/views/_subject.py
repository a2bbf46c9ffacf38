"""Subject: a trained model and the data that it is looked at with, as views compute from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import NotFinite
from prismae.latent.gaussian import Discrete
from prismae.methods import Method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.text import TextAutoencoderNet
from prismae.runs.codes import MEASURED, drawn_rows, encoded, in_parts, looked_at
from prismae.train.trained import Trained

POINTS = 10_000  # observations that codes are taken of


@dataclass(frozen=True)
class Subject:
    """A trained model and its data; what several views look at is computed once.

    Parameters
    ----------
    method
        What the model was trained by.
    net
        The trained networks, on the CPU.
    world
        Most often what it was trained on.
    trained
        All that the training left, the critic among it; None where the networks alone are at hand.
    """

    method: Method
    net: AutoencoderNet
    world: World
    trained: Trained | None = None

    @property
    def kind(self) -> str:
        """The name of the kind of data; texts for a network of texts, whatever the world is."""
        return "texts" if isinstance(self.net, TextAutoencoderNet) else self.world.kind.name()

    @property
    def n_latents(self) -> int:
        """m, the number of latents."""
        with torch.no_grad():
            return self.net.encode(self.world.data[self.rows[:1]]).mean.shape[1]

    @cached_property
    def rows(self) -> Tensor:
        """[n] indices of up to 10,000 observations, fewer of wide ones, drawn with a fixed seed."""
        return drawn_rows(self.world, looked_at(self.world, POINTS))

    @cached_property
    def codes(self) -> Tensor:
        """[n, m] mean codes of `rows`."""
        return self._encoded(self.rows)

    def codes_of(self, rows: Tensor) -> Tensor:
        """[k, m] mean codes of other observations; where these are `rows` themselves, as of wide ones, `codes`."""
        return self.codes if torch.equal(rows, self.rows) else self._encoded(rows)

    def _encoded(self, rows: Tensor) -> Tensor:
        codes = encoded(self.net, self.world, rows)
        if (
            not codes.isfinite().all()
        ):  # the last step may be the first that goes wrong, which no loss has seen
            raise NotFinite(
                "The codes of the trained model are NaN or infinite: try a smaller learning rate, or look at the "
                "data's range."
            )
        return codes

    @cached_property
    def levels(self) -> Tensor | None:
        """[m, levels] the values that each latent can take, in their order; None where they are not few."""
        with torch.no_grad():
            posterior = self.net.encode(self.world.data[self.rows[:1]])
        return posterior.values.sort(1).values if isinstance(posterior, Discrete) else None

    @cached_property
    def ends(self) -> tuple[Tensor, Tensor]:
        """[m] the 2nd and [m] the 98th percentile of each code; of codes of few values the nearest one that occurs."""
        how = "linear" if self.levels is None else "nearest"
        low, high = torch.quantile(self.codes, torch.tensor([0.02, 0.98]), dim=0, interpolation=how)
        return low, high

    def along(self, frames: int) -> Tensor:
        """[m, t] where a traversal of each latent stops: `frames` equal steps from one of its `ends` to the other.

        Where values are few, all of them are stops, or `frames` of them, evenly spaced by their rank.
        """
        if self.levels is not None:
            return self.levels[:, spaced(self.levels.shape[1], frames)]
        low, high = self.ends
        return torch.stack(
            [torch.linspace(a, b, frames) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        )

    @property
    def middle(self) -> Tensor:
        """[m] the code nearest to the codes' median."""
        return self.codes[(self.codes - self.codes.median(0).values).square().sum(1).argmin()]

    @cached_property
    def measured(self) -> Tensor:
        """[e] up to 2,000 of `rows`, evenly spaced: those whose reconstruction errors are measured."""
        return self.rows[spaced(len(self.rows), MEASURED)]

    @cached_property
    def errors(self) -> Tensor:
        """[e] squared error per element that is not missing of each of `measured`, in units of the world's variance."""
        found = []
        with torch.no_grad():
            for part in in_parts(self.world, self.measured):
                found.append(self.net.row_errors(self.world.data[part])[0].nan_to_num())
        return torch.cat(found)
