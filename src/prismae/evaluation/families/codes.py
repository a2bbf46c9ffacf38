"""Codes and factors of a world's points, and what of them a metric sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.errors import Unavailable
from prismae.evaluation.families._base import Call, Family, Given, Inputs
from prismae.evaluation.options import Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.subjects import Subject, coded, fixed
from prismae.latent.gaussian import Gaussian
from prismae.latent.information import posterior_information
from prismae.latent.live import LIVE
from prismae.metrics import Metric, mutual_information_matrix
from prismae.metrics._inputs import standardised

LOCATELLO2019 = Protocol("locatello2019", default=("mig", "factor-vae-score", "dci", "sap"))
_YEATS2023 = ("mig", "fac", "dci", "sap")
YEATS2023_DSPRITES = Protocol(
    "yeats2023",
    variant="dsprites",
    default=_YEATS2023,
    points={"dci-yeats2023": 1_000, "sap-yeats2023": 5_000},
    test_points={"sap-yeats2023": 1_000},
)
YEATS2023_BEAMSYNTHESIS = Protocol(
    "yeats2023",
    variant="beamsynthesis",
    default=_YEATS2023,
    parameters={
        "mig-yeats2023": {"bins": 50},
        "fac-yeats2023": {"votes": 1_000, "test_votes": 200},
        "dci-yeats2023": {"constant_factor": False},
        "sap-yeats2023": {"constant_factor": False},
    },
)
DEAD_STD = 0.01
UNKNOWN_STDS = (
    "The metric needs the posteriors' standard deviations, of every run where it compares runs, and they are not "
    "known: give the models, or with codes stds and other_stds (0 where codes have no density)."
)


class Codes(Family):
    """Disentanglement: codes and factors, the posteriors' deviations, and other runs."""

    protocols = (LOCATELLO2019, YEATS2023_DSPRITES, YEATS2023_BEAMSYNTHESIS)
    needs = ("points", "split", "table", "codes", "runs")
    alone = False

    def given(self, subject: object, plan: Protocol, metrics: Sequence[Metric], options: Options) -> Points:
        return points_of(coded(subject, plan), plan, metrics, options)

    def matrices(self, given: Given) -> dict[str, NDArray]:
        """Mutual information [m, k] of codes and factors, in nats."""
        assert isinstance(given, Points)
        if given.factors is None:
            return {}
        codes, factors, _ = given.sample(given.plan.n_points)
        return {"mutual-information": mutual_information_matrix(codes, factors)}


def points_of(codes: Subject, plan: Protocol, metrics: Sequence[Metric], options: Options) -> Points:
    """The points of a subject, with the deviations of posteriors if a metric looks at them."""
    levels = any("discrete" in each.parameters for each in metrics)
    posteriors = any("stds" in each.arguments or "kl" in each.parameters for each in metrics)
    return Points(
        codes.codes,
        codes.factors,
        codes.kinds,
        codes.other_codes,
        codes.stds if posteriors else None,
        codes.other_stds if posteriors else (),
        None,
        plan,
        options.baselines,
        options.seed,
        levels and codes.discrete,
    )


@dataclass(frozen=True)
class Points(Given):
    """Codes and factors of points: the same rows for the same number of points.

    Parameters
    ----------
    codes
        [n, m].
    factors
        [n, k], or None if unknown.
    kinds
        k kinds, "categorical" or "continuous".
    other_runs
        The codes [n, m] of other runs.
    stds, other_stds
        Standard deviations of the posteriors behind `codes` [n, m] and behind the codes of the other runs; 0 where they
        have no density; None and () if unknown.
    test
        Codes and factors to score on what is learned, where they are given apart.
    plan
        How many points, and the metrics' parameters.
    baselines
        Whether ceiling and chance level are wanted.
    seed
        Seed of every draw.
    discrete
        Whether codes are levels, for metrics that count these.
    """

    codes: NDArray
    factors: NDArray | None
    kinds: tuple[str, ...] | None
    other_runs: tuple[NDArray, ...]
    stds: NDArray | None
    other_stds: tuple[NDArray, ...]
    test: tuple[NDArray, NDArray] | None
    plan: Protocol
    baselines: bool
    seed: int
    discrete: bool = False

    def rows(self, n: int) -> NDArray[np.int64]:
        """Up to n rows without replacement."""
        return np.random.default_rng(self.seed).permutation(len(self.codes))[:n]

    def calls(self, metric: Metric) -> Iterator[Call]:
        """The metric's inputs, and its baselines': the ideal codes of this world, and these codes shuffled."""
        inputs, said = self._inputs(metric)
        ceiling = chance = None
        if self.baselines and self.factors is not None and metric.needs != "runs":
            if self.plan.ceiling:
                ceiling = self._ideal._inputs(metric)[0]
            if metric.needs != "codes":
                chance = self._shuffled._inputs(metric)[0]
        yield Call(inputs, said, ceiling, chance)

    @cached_property
    def _ideal(self) -> Points:
        assert self.factors is not None
        codes = fixed(ideal_codes(self.factors, self.codes.shape[1], self.seed))
        return replace(self, codes=codes, stds=np.zeros_like(codes), discrete=False)

    @cached_property
    def _shuffled(self) -> Points:
        rows = np.random.default_rng(self.seed).permutation(len(self.codes))
        return replace(
            self, codes=fixed(self.codes[rows]), stds=None if self.stds is None else self.stds[rows]
        )

    def _inputs(self, metric: Metric) -> tuple[Inputs, dict[str, Any]]:
        """Arguments of a metric, and its parameters as results should say them."""
        valid = metric.parameters
        options = dict(self.plan.parameters.get(metric.name, {}))
        if "seed" in valid:
            options["seed"] = self.seed
        if "discrete" in valid:
            options["discrete"] = self.discrete
        if "factor_kinds" in valid:
            options["factor_kinds"] = self.kinds
        said = {name: value for name, value in {**valid, **options}.items() if name not in ("test", "kl")}
        n_points = self.plan.points.get(metric.name, self.plan.n_points)
        if metric.needs not in ("codes", "runs") and self.factors is None:
            raise Unavailable("The metric needs the factors of the points, and none are known.")
        if "stds" in metric.arguments and self.stds is None:
            raise Unavailable(UNKNOWN_STDS)
        if metric.needs == "table":
            return Inputs((self.codes, self.factors), options), said | {"n_table": len(self.codes)}
        if metric.needs == "split":
            train, options["test"] = self._split(
                n_points, self.plan.test_points.get(metric.name, self.plan.n_test)
            )
            return Inputs(train, options), said | {
                "n_train": len(train[0]),
                "n_test": len(options["test"][0]),
            }
        codes, factors, stds = self.sample(n_points)
        said |= {"n_points": len(codes)}
        if metric.needs == "runs":
            if not self.other_runs:
                raise Unavailable("The metric compares runs, and the codes of one run alone are given.")
            if self.stds is None or len(self.other_stds) != len(self.other_runs):
                raise Unavailable(UNKNOWN_STDS)
            rows = self.rows(n_points)
            runs = [run[rows] for run in (self.codes, *self.other_runs)]
            spreads = [each[rows] for each in (self.stds, *self.other_stds)]
            options["kl"] = [told(*each) for each in zip(runs, spreads, strict=True)]
            said["least_kl"] = options.setdefault("least_kl", LIVE)
            return Inputs((runs,), options), said
        if metric.needs == "codes":
            return Inputs((codes,), options), said
        args = (codes, factors, stds) if "stds" in metric.arguments else (codes, factors)
        return Inputs(args, options), said

    def sample(self, n: int) -> tuple[NDArray, ...]:
        """Codes, factors and deviations of up to n points: the same arrays for all metrics, so that they share bins.

        Those that are unknown are empty.
        """
        if n not in self._samples:
            rows = self.rows(n)
            arrays = (self.codes, self.factors, self.stds)
            self._samples[n] = tuple(fixed(np.empty(0) if each is None else each[rows]) for each in arrays)
        return self._samples[n]

    @cached_property
    def _samples(self) -> dict[int, tuple[NDArray, ...]]:
        return {}

    def _split(self, n_points: int, n_test: int) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
        """Codes and factors to learn on, and to score on: those given apart, else up to a third of the rows."""
        assert self.factors is not None
        if self.test is not None:
            rows = self.rows(n_points)
            return (self.codes[rows], self.factors[rows]), self.test
        rows = self.rows(n_points + n_test)
        n_test = min(n_test, len(rows) // 3)
        train, test = rows[: len(rows) - n_test], rows[len(rows) - n_test :]
        return (self.codes[train], self.factors[train]), (self.codes[test], self.factors[test])


def told(codes: NDArray, stds: NDArray) -> NDArray[np.float64]:
    """[m] what latents tell, nats, of means and deviations [n, m] of posteriors; infinite where codes are points."""
    points = (stds == 0).all(0)
    log_var = torch.from_numpy(2 * np.log(np.where(points, 1.0, stds).astype(np.float64)))
    found = posterior_information(Gaussian(torch.from_numpy(codes.astype(np.float64)), log_var)).numpy()
    return np.where(points, np.inf, found)


def ideal_codes(factors: NDArray, n_codes: int, seed: int = 0) -> NDArray[np.float32]:
    """Codes [n, max(n_codes, k)] that know everything: standardised factors, then dead codes N(0, 0.01^2)."""
    n, k = factors.shape
    dead = max(n_codes - k, 0)
    z = np.zeros((n, k + dead), dtype=np.float32)
    for i, column in enumerate(factors.T.astype(np.float64)):
        known = ~np.isnan(column)
        z[known, i] = standardised(column[known, None])[:, 0]
    z[:, k:] = DEAD_STD * np.random.default_rng(seed).standard_normal((n, dead), dtype=np.float32)
    return z
