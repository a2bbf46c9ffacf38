"""Trials: copies of a run's players that are trained on other weights, to compare these before one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import nan
from typing import TYPE_CHECKING

from prismae.control import Outcome
from prismae.control._base import Values

if TYPE_CHECKING:
    from prismae.train.ongoing import Ongoing


class CopyTrial:
    """A `prismae.control.Trial` of a run.

    Both players are copied with their optimisers, and both train: a critic that stood still would soon judge codes
    that it never saw. The copy's batches are a stream of their own, of which the batch that measures it is another
    one: its rows are not among those that the trial trained on, except across the end of an epoch. The run has no
    rows that it never trains on.
    """

    def __init__(self, run: Ongoing) -> None:
        self.run = run

    @property
    def seed(self) -> int:
        return self.run.seed

    def __call__(self, values: Values, steps: int) -> Outcome:
        twin = self.run.twin(values)
        with self.run.draws.rewound():  # each trial draws what the run would draw next
            for _ in range(steps):
                twin.step += 1
                twin.update_players()
        with self.run.draws.rewound():
            terms = twin.measure(*twin.batch(self.run.step))
        self.run.trial_updates += steps
        method = self.run.method
        nll, kl = (
            float(sum(terms[name] for name in names)) if names else nan
            for names in (terms.keys() & {method.reconstruction}, method.kl)
        )
        return Outcome(terms, nll, kl, partial(self.run.adopt, twin))

    def note(self, values: Mapping[str, float]) -> None:
        self.run.history.monitor(self.run.step, values)
