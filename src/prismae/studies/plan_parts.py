"""What a plan is made of: arms, the ranges of searches, and what papers say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from prismae.errors import InputError


@dataclass(frozen=True)
class Range:
    """Where values of a search lie: whole numbers if both ends are, `log` if orders of magnitude count."""

    low: Any
    high: Any
    log: bool = False

    def __post_init__(self) -> None:
        ends = (self.low, self.high)
        known = all(isinstance(each, int | float) and not isinstance(each, bool) for each in ends)
        if not known or not all(map(isfinite, ends)) or self.low >= self.high or (self.log and self.low <= 0):
            raise InputError(
                f"Expected two numbers, low below high{' and above 0' * self.log}, got {self.low!r} and {self.high!r}."
            )


Space = dict[str, list[Any] | Range]


def in_rows(value: Any) -> Any:
    """A grid's value as rows and tables have it: lists and mappings are JSON, everything else is itself."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | dict) else value


@dataclass(frozen=True)
class Arm:
    """One row of a study's table: a method with its fields.

    Parameters
    ----------
    method
        Its name; the arm's own name if it is not given.
    fields
        Fields of the method; those not given have their defaults.
    grid
        Values to try, each with each: of the method's fields, or of a job's settings. A key "name = field = field"
        gives several fields the same value, and rows a column "name".
    search
        What `prismae.studies.search` draws values from: lists and ranges, by the keys of a grid.
    trials
        Values that are tried together, by the keys of a grid; those of a search are drawn, not written.
    settings
        A job's settings (`steps`, `lr`, `net` …) that differ from the plan's.
    """

    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    trials: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """Numbers of a paper to stand beside.

    Parameters
    ----------
    source
        Paper and table.
    scores
        The columns, as rows call them: "yeats2023:mig", "mse".
    rows
        For each arm one value per column: a number, [mean, deviation], or null.
    at
        What the rows must have to be compared: a world, or a value of a grid.
    """

    source: str
    scores: list[str]
    rows: dict[str, list[float | tuple[float, float] | None]]
    at: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """Something that a paper says. Its numbers are not here: ours are the rows', the paper's those of `Published`.

    Parameters
    ----------
    claim
        What the paper says, in one sentence.
    score
        By which it is judged, as rows call it.
    profile
        Whose rows are meant.
    of
        The arm, and the settings that its rows must have: `{arm: VAE, world: mnist, n_latents: 8}`.
    why
        What explains the difference, or limits the agreement, in one clause.
    beside
        What it is compared with, where the paper says that one thing is better than another.
    credible
        Whether the published number can be right at all.
    """

    claim: str
    score: str
    profile: str
    of: dict[str, Any]
    why: str
    beside: dict[str, Any] = field(default_factory=dict)
    credible: bool = True
