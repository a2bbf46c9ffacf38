"""Weights that evolve: now and then a population of them is tried out, and the fittest goes on (eVAE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log10
from typing import Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Gt
from numpy.typing import NDArray
from pydantic import AllowInfNan
from torch import Tensor

from prismae.control._base import Controller, Moves, Outcome, State, Trial, Values
from prismae.control._genetics import first_generation, next_generation
from prismae.errors import InputError
from prismae.fields import Count, NonNegative, Positive

BOX = 3.0  # log10: weights stay within 0.001 and 1000
SCALE = 0.2  # of the first mutations, as a share of the reach
SHARE = 0.25  # steps in trials for each step of the run, at most
LEAST_RATE = 1.0  # nats, of a target that is estimated: half of nothing would be a target for a collapse
SETTLED = 1.1  # a KL that grew by less than this factor between two generations is one to estimate from


@dataclass(frozen=True)
class Evolve(Controller):
    """Evolution of weights by a genetic algorithm. Wu, Cao & Qi 2025, "eVAE", arXiv:2301.00011.

    The genes are log10 of the weights. After each `every` steps each chromosome of the population trains a copy of
    the run for `trial_steps` steps (inner), and its fitness, in nats, is measured on a held-out batch:

    ``ELBO of the copy - ELBO of the run - kappa |KL - rate| / rate``, the ELBO with both its weights 1.

    The fittest copy and its weights go on as the run (joint); the next population is its children and those of
    other winners of tournaments (outer; `prismae.control._genetics`).

    The ELBO alone pulls a KL's weight to 1, and the rate pulls it to where the KL is the rate; the pull of the rate
    wins as long as the weight it needs is within ``1 ± kappa / rate``.

    Known from the paper's abstract are the parts: a genetic algorithm with "variational" mutation, crossover and
    selection beside the training of the weights, and an information bottleneck in the fitness. Ours are all numbers,
    and: each weight's `reach` (ten steps tell nothing of what a far weight does in the next 250); that each child
    has at least one mutated gene (no trial is spent on a clone).

    Raises
    ------
    InputError
        If trials cost more than a quarter of the run's own steps, or a weight does not start within 0.001 and 1000;
        before the training also for a method that declares no KL, and a likelihood that is not in nats.
    """

    together: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("weight",)
    needs_elbo: ClassVar[bool] = True

    moves: Moves
    rate: Positive | None = None  # nats; None: half of the KL at the start, as soon as it grows no more
    kappa: NonNegative = 100.0  # nats, for a KL that misses the rate by all of it
    population: Count = 6  # the weights in force and others; 1 compares nothing and moves nothing
    every: Count = 250  # steps between generations
    trial_steps: Count = 10
    reach: Annotated[float, Gt(1), AllowInfNan(False)] = (
        2.0  # factor by which a weight may change in one generation
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        cost, most = self.population * self.trial_steps, int(SHARE * self.every)
        if self.population > 1 and cost > most:
            raise InputError(
                f"{self.name()}: a generation should train at most {SHARE:.0%} of every = {self.every} steps in trials "
                f"({most}), got population {self.population} x trial_steps {self.trial_steps} = {cost}."
            )

    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        own = {name: torch.as_tensor(values[name], dtype=torch.float32) for name in self.moves}
        for name, value in own.items():
            if value.ndim or not 10**-BOX <= float(value) <= 10**BOX:
                raise InputError(
                    f"{self.name()}: {name!r} should start as one number within {10**-BOX:g} and {10**BOX:g} "
                    f"(its logarithm evolves), got {value.tolist()}."
                )
        return {**own}, {
            "weights": torch.stack(list(own.values())),
            "genes": torch.empty(0, len(own)),
            "generation": torch.tensor(0),
            "rate": torch.tensor(0.0 if self.rate is None else self.rate),  # 0: not known yet
            "last_kl": torch.tensor(-inf),  # not known yet
        }

    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        if self.population == 1 or (t + 1) % self.every:
            return {}, state
        incumbent = trial({}, 0)
        rate, kl = float(state["rate"]), incumbent.kl
        if rate == 0:
            last = float(state["last_kl"])
            if last == -inf or max(kl, LEAST_RATE) > SETTLED * max(last, LEAST_RATE):
                return {}, state | {"last_kl": torch.tensor(kl)}
            rate = max(LEAST_RATE, kl / 2)
        return self._generation(state | {"rate": torch.tensor(rate)}, trial, incumbent, rate)

    def _generation(
        self, state: State, trial: Trial, incumbent: Outcome, rate: float
    ) -> tuple[Values, State]:
        """Try every chromosome, go on with the fittest copy, and breed the next population."""
        generation = int(state["generation"])
        rng = np.random.default_rng([trial.seed, generation])
        genes = state["genes"].cpu().double().numpy()
        if generation == 0:
            own = state["weights"].cpu().double().log10().numpy()
            genes = first_generation(own, self.population, *self._box(own), rng)

        fitness, best = np.full(len(genes), -inf), incumbent
        noted = {"evolve:rate": rate}
        for i, chromosome in enumerate(genes):
            weights = self._weights(chromosome) if i else {}  # the first are the weights in force, to the bit
            outcome = trial({**weights}, self.trial_steps)
            kl, gain = outcome.kl, elbo_of(outcome) - elbo_of(incumbent)
            found = gain - self.kappa * abs(kl - rate) / rate
            if found > fitness.max():  # a copy that diverged to NaN is no better than any
                best = outcome
            fitness[i] = found if found == found else -inf
            noted |= {f"evolve:weight:{k}[{i}]": 10.0**g for k, g in zip(self.moves, chromosome, strict=True)}
            noted |= {f"evolve:fitness[{i}]": fitness[i], f"evolve:kl[{i}]": kl}
            noted[f"evolve:recon[{i}]"] = outcome.nll
        trial.note(noted)
        best.adopt()

        winner = int(fitness.argmax())
        low, high = self._box(genes[winner])
        scale = SCALE * 2 * log10(self.reach) / np.sqrt(1 + generation)
        children = next_generation(genes, fitness, scale, low, high, rng)
        weights = self._weights(genes[winner]) if winner else {}
        after = {"weights": torch.stack(list(weights.values()))} if winner else {}
        after |= {"genes": torch.from_numpy(children).float(), "generation": torch.tensor(generation + 1)}
        return {**weights}, state | after

    def _box(self, genes: NDArray) -> tuple[NDArray, NDArray]:
        """Bounds [k] of what can be reached from genes [k] in one generation."""
        reach = log10(self.reach)
        return np.maximum(genes - reach, -BOX), np.minimum(genes + reach, BOX)

    def _weights(self, genes: NDArray) -> dict[str, Tensor]:
        return {name: torch.tensor(10.0**gene).float() for name, gene in zip(self.moves, genes, strict=True)}


def elbo_of(outcome: Outcome) -> float:
    """The evidence lower bound, nats; both its terms have weight 1 whatever the run's weights are."""
    return -outcome.nll - outcome.kl
