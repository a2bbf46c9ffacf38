"""What a family of metrics is, and how it hands a metric its inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from prismae.evaluation.options import Options
from prismae.evaluation.protocol import Protocol
from prismae.metrics import Metric
from prismae.metrics._base import Needs


@dataclass(frozen=True)
class Inputs:
    """Arguments of a metric."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A metric's inputs, and those of its baselines.

    Parameters
    ----------
    inputs
        What the score is taken of.
    said
        The metric's parameters and the numbers of points, as results should say them.
    ceiling, chance
        What the baselines are taken of; None: there is no such baseline.
    of
        What it is taken of where there is a choice, as it stands in brackets: "k-means".
    suffix
        Appended to the names of the scores: "-samples".
    """

    inputs: Inputs
    said: dict[str, Any]
    ceiling: Inputs | None = None
    chance: Inputs | None = None
    of: str = ""
    suffix: str = ""


class Given(ABC):
    """The data of an evaluation, and what of it a metric sees."""

    @abstractmethod
    def calls(self, metric: Metric) -> Iterator[Call]:
        """What the metric is given, once for each score that it has here.

        Raises
        ------
        Unavailable
            If it cannot be taken.
        """


class Family(ABC):
    """Metrics that are given the same things, made of a model or of arrays.

    Parameters
    ----------
    protocols
        Its protocols, with their default metrics.
    needs
        What its metrics can need (see `prismae.metrics.Metric`).
    alone
        Whether its one protocol stands beside the protocols of codes, under its own name: "clustering".
    """

    protocols: ClassVar[tuple[Protocol, ...]]
    needs: ClassVar[tuple[Needs, ...]]
    alone: ClassVar[bool] = True

    @abstractmethod
    def given(self, subject: Any, plan: Protocol, metrics: Sequence[Metric], options: Options) -> Given:
        """What these metrics are taken of.

        Parameters
        ----------
        subject
            A `prismae.evaluation.subjects.Subject` (a model or codes), or arrays of this family.
        plan
            How many points, and the metrics' parameters.
        """

    def matrices(self, given: Given) -> dict[str, NDArray]:
        """What else can be said of what `given` gave: name → matrix."""
        return {}
