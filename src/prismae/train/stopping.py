"""The loss on observations that are not trained on: measured along the way, and when it has stopped falling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prismae.control._base import Values
from prismae.data import World
from prismae.data.storage import spaced

ROWS = 2_000  # observations that it is measured on
LEAST = 0.005  # of all that the loss has fallen: less does not count as falling
NEAR = 10  # measurements whose differences are its noise
PATIENCE = 0.5  # times the steps up to the last fall, without another one
FEWEST = 1_000  # steps without a fall, at least


class HeldOut:
    """Held-out observations of a run, and what was measured on them.

    Parameters
    ----------
    world
        The observations, of which up to 2,000, evenly spaced, are looked at.
    batch
        About how many of them are taken together: some terms depend on that.
    device
        Where the run trains.
    """

    def __init__(self, world: World, batch: int, device: torch.device) -> None:
        rows = spaced(len(world), ROWS)
        self.parts = [
            world.data[part.to(world.data.device)].to(device)
            for part in torch.tensor_split(rows, max(1, len(rows) // batch))
        ]
        self.sizes = [len(part) / len(rows) for part in self.parts]
        self.measured: list[dict[str, float]] = []  # "step" and the unweighted terms
        self.kept: dict[str, Any] | None = None  # "step", and the players' weights after it

    def note(self, step: int, terms: Mapping[str, float]) -> None:
        """Keep the unweighted terms that were measured after `step` steps."""
        self.measured.append({"step": step, **terms})

    def losses(self, weights: Values) -> list[float]:
        """The loss at each measurement, with these weights of its terms: a weight that was moved is no fall."""
        return [
            sum(float(weights[name]) * value for name, value in each.items() if name != "step")
            for each in self.measured
        ]

    def lowest(self, weights: Values) -> bool:
        """Whether the last loss lies below that of the weights that are kept."""
        losses = self.losses(weights)
        if self.kept is None:
            return True
        at = next(i for i, each in enumerate(self.measured) if each["step"] == self.kept["step"])
        return losses[-1] < losses[at]

    def over(self, weights: Values) -> bool:
        """Whether the loss has stopped falling: since its last fall half as many steps were made as up to it, and at
        least 1,000."""
        if not self.measured:
            return False
        then = self.measured[last_fall(self.losses(weights))]["step"]
        return self.measured[-1]["step"] - then >= max(FEWEST, PATIENCE * then)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"measured": self.measured, "kept": self.kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.measured, self.kept = list(state["measured"]), state["kept"]


def last_fall(losses: Sequence[float]) -> int:
    """The place of the last loss that lies below the fall before it by no less than noise; 0 if none does.

    It has to lie lower by at least half a percent of all that the loss fell up to then, and by at least the noise: the
    median difference, without its sign, between neighbours among the last ten measurements. While a loss falls
    steadily that is what it falls by, so every measurement is a fall.
    """
    fall = 0
    for i in range(1, len(losses)):
        noise = float(np.median(np.abs(np.diff(losses[max(0, i - NEAR) : i + 1]))))
        gap = losses[fall] - losses[i]
        if gap > 0 and gap >= noise and gap >= LEAST * (losses[0] - losses[fall]):
            fall = i
    return fall


def averaged(
    terms: Sequence[Mapping[str, Tensor]], sizes: Sequence[float], names: Sequence[str]
) -> dict[str, float]:
    """The mean of each named term over parts of such sizes."""
    return {
        name: sum(size * float(each[name]) for each, size in zip(terms, sizes, strict=True)) for name in names
    }
