"""What is scored: a trained model and its world, or codes and their factors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from prismae.data import World
from prismae.errors import DataWarning, InputError, Unavailable, noted, texts
from prismae.evaluation.encode import assignments_table, codes_table, deviations_table, takes_levels
from prismae.evaluation.protocol import Protocol
from prismae.methods import Clustering, Method
from prismae.metrics._columns import check_rows, column_names
from prismae.metrics._inputs import (
    Labels,
    Test,
    as_array,
    as_clusters,
    as_codes,
    as_deviations,
    as_factors,
    as_kinds,
    varying,
)

DEAD, FAR = (
    0.05,
    1e4,
)  # `least_std` of FactorVAE scores; how many times the least deviation the greatest may be
MANY, PER_CLASS = 20, 5  # whole numbers that a factor may have, or as few rows for each


@dataclass(frozen=True)
class Factors:
    """Factors [n, k] of points, with k names and k kinds where they are known; as a `World` has them. Names are by
    default those of a table's columns."""

    factors: ArrayLike | None
    factor_names: Sequence[str] | None = None
    factor_kinds: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for each in ("factor_names", "factor_kinds"):
            object.__setattr__(self, each, texts(each, getattr(self, each)))
        if self.factor_names is None:
            object.__setattr__(self, "factor_names", column_names(self.factors))


@dataclass(frozen=True)
class Subject:
    """A model and its world, or codes and their factors. What is encoded is encoded once, and only if it is needed.

    Parameters
    ----------
    model
        A fitted `prismae.Autoencoder`, its `net_`, or codes [n, m].
    world
        The world, or the factors of the codes.
    other_runs
        Models of other seeds, or their codes.
    given_stds, given_other_stds
        Deviations of the posteriors where codes are given.
    test
        A world of observations that were kept apart, or its codes and factors.
    assignments
        Clusters of all observations, [n] or shares [n, K]; None: those of a method that clusters.
    method
        What was trained, where the model is a bare net.
    """

    model: Any
    world: World | Factors
    other_runs: Sequence[Any] = ()
    given_stds: ArrayLike | None = None
    given_other_stds: Sequence[ArrayLike] = ()
    test: World | Test | None = None
    assignments: ArrayLike | None = None
    method: Method | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        for name, given in (("other_runs", self.other_runs), ("other_stds", self.given_other_stds)):
            if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__len__"):
                raise InputError(f"{name}: expected a list, one for each other run, got {given!r:.60}.")

    def check(self) -> None:
        """Look at codes and factors that are given before anything is scored.

        Raises
        ------
        InputError
            Naming all that is wrong, where that is more than one thing.

        Warns
        -----
        DataWarning
            Where scores can be had and say little, for the scale of the codes or the number of a factor's values.
        """
        if self.trained is not None or isinstance(self.world, World):
            return
        codes, factors, faults = None, None, list[str]()
        beside = {"the factors": self.world.factors, "the assignments": self.assignments}
        beside |= {f"codes {i} of other_runs": run for i, run in enumerate(self.other_runs)}
        with noted(faults):
            check_rows({"the codes": self.model, **beside})
        if isinstance(self.test, tuple | list) and len(self.test) == 2:
            with noted(faults):
                check_rows({"the codes of test": self.test[0], "the factors of test": self.test[1]})
        apart = bool(faults)  # which nothing else would say
        with noted(faults):
            codes = as_codes(self.model)
        with noted(faults):
            if self.world.factors is not None:
                factors = as_factors(self.world.factors, n=None if codes is None or apart else len(codes))
        if factors is not None:
            with noted(faults):
                self._check_names(factors)
            with noted(faults):
                as_kinds(self.world.factor_kinds or None, factors)
            with noted(faults):
                self._check_values(factors)
        if apart or len(faults) > 1:
            raise InputError(" ".join(faults))
        if not faults and codes is not None:
            for said in (*doubts_of_scale(codes), *doubts_of_classes(factors, self.names)):
                warnings.warn(said, DataWarning, stacklevel=3)

    @cached_property
    def trained(self) -> tuple[Any, World, Method | None] | None:
        """The network, its world and its method; None where codes are given."""
        net = getattr(self.model, "net_", self.model)
        if not isinstance(net, nn.Module):
            return None
        return net, self._world, getattr(self.model, "method_", self.method)

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.codes) if self.trained is None else len(self._world)

    @cached_property
    def codes(self) -> NDArray[np.floating]:
        """Codes [n, m] of all observations."""
        return fixed(self._encoded(self.model))

    @cached_property
    def discrete(self) -> bool:
        """Whether a model's codes take one of few values each; False where codes are given."""
        return self.trained is not None and takes_levels(self.trained[0], self.trained[1])

    @cached_property
    def factors(self) -> NDArray | None:
        """[n, k], NaN where unknown; None if none is known."""
        if self.world.factors is None:
            return None
        factors = as_factors(self.world.factors, n=self.size)
        self._check_names(factors)
        self._check_values(factors)
        return fixed(factors)

    def _check_names(self, factors: NDArray) -> None:
        if len(self.names or factors.T) != factors.shape[1]:
            raise InputError(f"There are {factors.shape[1]} factors but {len(self.names)} factor names.")

    def _check_values(self, factors: NDArray) -> None:
        alike = []
        for k, column in enumerate(factors.T):
            known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
            if not len(known) or known.min() == known.max():
                alike.append(repr(self.names[k]) if k < len(self.names) else str(k))
        if alike:
            which, them = ("Factors", "them") if len(alike) > 1 else ("Factor", "it")
            raise Unavailable(
                f"{which} {', '.join(alike)} {'has' if them == 'it' else 'have'} only one value, so nothing can be "
                f"said about {them}: leave {them} out."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors, if they are known."""
        return tuple(self.world.factor_names or ())

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """Kind of each factor: "categorical" or "continuous"."""
        return None if self.factors is None else as_kinds(self.world.factor_kinds or None, self.factors)

    @cached_property
    def other_codes(self) -> tuple[NDArray, ...]:
        """Codes [n, m] of the other runs."""
        return tuple(self._encoded(run) for run in self.other_runs)

    @cached_property
    def stds(self) -> NDArray | None:
        """Standard deviations [n, m] of the posteriors, 0 where codes have no density; None if unknown."""
        return self._deviations(self.model, self.codes, self.given_stds)

    @cached_property
    def other_stds(self) -> tuple[NDArray, ...]:
        """The same of the other runs, as far as they are known."""
        unknown: list[ArrayLike | None] = [None] * len(self.other_runs)
        given = self.given_other_stds if len(self.given_other_stds) else unknown
        if len(given) != len(self.other_runs):
            raise InputError(f"There are {len(self.other_runs)} other runs but deviations of {len(given)}.")
        runs = zip(self.other_runs, self.other_codes, given, strict=True)
        return tuple(stds for each in runs if (stds := self._deviations(*each)) is not None)

    @cached_property
    def unseen(self) -> Subject | None:
        """The same model and the test world; None where there is none."""
        if not isinstance(self.test, World):
            return None
        if self.trained is None:
            raise InputError("Codes are given, so the test world's are needed too: test=(codes, factors).")
        return replace(self, world=self.test, other_runs=(), test=None, assignments=None)

    @cached_property
    def test_points(self) -> tuple[NDArray, NDArray] | None:
        """Codes and factors of the test world; None where there is none, or nothing to compare with."""
        if self.test is None or self.factors is None:
            return None
        if isinstance(self.test, World):
            if self.test.factors is None:
                raise InputError(
                    f"World {self.test.name!r} has no known factors, so nothing can be tested on it."
                )
            assert self.unseen is not None
            return self.unseen.codes, as_factors(self.test.factors, n=len(self.test))
        codes = as_codes(self.test[0])
        return codes, as_factors(self.test[1], n=len(codes), like=self.world.factors)

    @cached_property
    def clusters(self) -> Labels | None:
        """Cluster [n] of each observation, as given or by the method itself; None if there is none."""
        if self.assignments is not None:
            return as_assignments(self.assignments, self.size)
        net, world, method = self.trained or (None, None, None)
        if world is None or not isinstance(method, Clustering):
            return None
        return as_assignments(assignments_table(method, net, world, progress=self.progress), self.size)

    @property
    def _world(self) -> World:
        if not isinstance(self.world, World):
            given = type(self.world.factors).__name__
            raise InputError(f"A model is evaluated on a World, got {given}: see prismae.world.")
        return self.world

    def _encoded(self, run: Any) -> NDArray[np.floating]:
        net = getattr(run, "net_", run)
        if isinstance(net, nn.Module):
            run = codes_table(net, self._world, progress=self.progress)
        return as_codes(run)

    def _deviations(self, run: Any, codes: NDArray, given: ArrayLike | None) -> NDArray | None:
        net = getattr(run, "net_", run)
        if isinstance(net, nn.Module):
            given = deviations_table(net, self._world, progress=self.progress)
        return None if given is None else as_deviations(given, codes)


def doubts_of_scale(codes: NDArray) -> list[str]:
    """What a user should know of codes whose scale is not that of a prior."""
    spread = codes.astype(np.float64).std(axis=0)[varying(codes)]
    if not len(spread):
        return ["All codes are constant, so they tell nothing of any factor."]
    low, high = spread.min(), spread.max()
    if high >= DEAD and high < FAR * low:
        return []
    reach = f"{high:.2g}" if len(spread) == 1 else f"{low:.2g} to {high:.2g}"
    return [
        f"The codes' standard deviations are {reach}: FactorVAE scores take codes below {DEAD} for dead, and SAP, the "
        "beta-VAE score and distances weigh codes by their scale: standardise them if it means nothing."
    ]


def doubts_of_classes(factors: NDArray | None, names: tuple[str, ...]) -> list[str]:
    """What a user should know of factors whose whole numbers may be no classes."""
    said = []
    for k, column in enumerate(() if factors is None else factors.T):
        known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
        n, whole = len(np.unique(known)), bool((known % 1 == 0).all())
        if whole and n > MANY and n * PER_CLASS > len(known):
            said.append(
                f"Factor {repr(names[k]) if names else k} has {n:,} whole numbers in {len(known):,} rows, and each "
                "counts as a class, of few rows: if it is a quantity, cut it into bins, as in "
                "pandas.cut(values, 20, labels=False)."
            )
    return said


def coded(subject: Any, plan: Protocol) -> Subject:
    """The subject, of which this protocol needs codes."""
    if not isinstance(subject, Subject):
        raise InputError(
            f"Scores of {plan.label} are taken of codes, and none are given: see evaluate_codes."
        )
    return subject


def fixed(array: NDArray) -> NDArray:
    """The same array, which whoever gets it cannot write to."""
    view = array.view()
    view.flags.writeable = False
    return view


def as_assignments(assignments: ArrayLike, n: int) -> Labels:
    """Cluster of each point [n], from these or from shares of components [n, K], of which the largest counts."""
    given = as_array(assignments)
    if given.ndim == 2 and given.shape[1] > 1:
        if given.dtype.kind != "f" or not np.isfinite(given).all():
            raise InputError("Shares of components [points, components] must be finite numbers.")
        given = given.argmax(axis=1)
    return as_clusters(given, n=n)
