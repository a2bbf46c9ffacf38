"""What a protocol is: how many points a metric is given, and which parameters differ from its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Protocol:
    """How scores are taken.

    Parameters
    ----------
    name
        The name that metrics declare as their protocol.
    default
        Keys of the metrics that are taken when none is named.
    variant
        Which bundle of numbers, where the protocol has several.
    n_points
        Points that a metric is given, at most.
    n_test
        Points kept for scoring what was learned on the others.
    ceiling
        Whether the factors themselves, as codes, say what can be had. (Class indices in one line are no aim for
        a classifier that draws hyperplanes.)
    points, test_points
        `n_points` and `n_test` of single metrics that have their own.
    parameters
        Parameters of single metrics that differ from their defaults.
    """

    name: str
    default: tuple[str, ...]
    variant: str = ""
    n_points: int = 10_000
    n_test: int = 5_000
    ceiling: bool = True
    points: Mapping[str, int] = field(default_factory=dict)
    test_points: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and variant, as tables show them."""
        return f"{self.name}/{self.variant}" if self.variant else self.name
