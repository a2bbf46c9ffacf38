"""Rows of a codes table that share a factor's value, and the majority vote over codes that they feed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from prismae.errors import Unavailable
from prismae.metrics._base import Learned
from prismae.metrics._inputs import LARGEST_LABEL, MISSING, Labels, centred

Rows = NDArray[np.int64]
Choice = Callable[[NDArray[np.float64]], Rows]  # variances [votes, m] → codes [votes]
Held = Literal["values", "rows"]
CHUNK = 1024  # votes whose codes lie in memory at once


@dataclass(frozen=True)
class Groups:
    """Rows sorted by group; group g is order[start[g] : start[g] + count[g]].

    `held` says how a group is drawn: as a random value ("values": all alike) or as that of a random row ("rows":
    as often as it occurs).
    """

    order: Rows
    start: Rows
    count: Rows
    held: Held = "rows"

    def draw(self, votes: int, points: int, rng: Generator) -> Rows:
        """Rows [votes, points]: each vote draws, with replacement, from one random group."""
        if self.held == "values":
            group = rng.integers(len(self.count), size=votes)
        else:
            first = rng.integers(len(self.order), size=votes)
            group = np.searchsorted(self.start, first, side="right") - 1
        step = rng.random((votes, points)) * self.count[group][:, None]
        return self.order[self.start[group][:, None] + step.astype(np.int64)]


def group_rows(labels: NDArray, shared: str, held: Held = "rows") -> Groups:
    """Groups of rows with the same label [n]; rows that share it with no other, or lack it, are left out."""
    known = np.flatnonzero(labels != MISSING)
    count = np.bincount(labels[known])
    known = known[count[labels[known]] >= 2]
    if not len(known):
        raise Unavailable(
            f"No two points share {shared}, so nothing can be held fixed: more points are needed."
        )
    # NumPy sorts 16-bit numbers by radix, in linear time.
    kept = labels[known].astype(np.uint16 if len(count) <= LARGEST_LABEL else np.int64)
    order = known[np.argsort(kept, kind="stable")]
    count = count[count >= 2]
    return Groups(order, np.cumsum(count) - count, count, held)


def groups_by_factor(labels: Labels, held: Held = "rows") -> list[Groups]:
    """Rows that share the value of factor k, for each k."""
    return [group_rows(column, f"a value of factor {k}", held) for k, column in enumerate(labels.T)]


def sampled_variance(codes: NDArray, points: int, rng: Generator) -> NDArray[np.float64]:
    """Variance (ddof 1) [m] of the codes, from `points` rows drawn without replacement where there are so many."""
    rows = rng.choice(len(codes), size=min(points, len(codes)), replace=False)
    return centred(codes[rows]).var(axis=0, ddof=1)


def vote_variances(codes: NDArray, rows: Rows) -> NDArray[np.float64]:
    """Variance (ddof 1) of the codes [votes, m] over each vote's rows [votes, points]."""
    chunks = range(0, len(rows), CHUNK)
    return np.concatenate([codes[rows[i : i + CHUNK]].astype(np.float64).var(axis=1, ddof=1) for i in chunks])


def least_varying(spread: NDArray[np.float64], active: NDArray[np.bool_]) -> Choice:
    """Chooses the active code whose variance is least, relative to its variance `spread` over all rows."""
    return lambda variances: np.flatnonzero(active)[np.argmin(variances[:, active] / spread[active], axis=1)]


def most_varying(spread: NDArray[np.float64], active: NDArray[np.bool_]) -> Choice:
    """Chooses the active code whose variance is greatest, relative to its variance `spread` over all rows."""
    return lambda variances: np.flatnonzero(active)[np.argmax(variances[:, active] / spread[active], axis=1)]


def count_votes(
    codes: NDArray,
    groups: Sequence[Groups],
    choose: Choice,
    votes: int,
    points: int,
    rng: Generator,
) -> Rows:
    """Votes [k, m]: for each a random factor is held fixed, and `choose` picks a code from the variances."""
    counts = np.zeros((len(groups), codes.shape[1]), dtype=np.int64)
    share = np.bincount(rng.integers(len(groups), size=votes), minlength=len(groups))
    for k, group in enumerate(groups):
        if share[k]:
            variances = vote_variances(codes, group.draw(share[k], points, rng))
            counts[k] = np.bincount(choose(variances), minlength=codes.shape[1])
    return counts


def majority_accuracy(train: NDArray, votes: NDArray) -> float:
    """Share of `votes` [k, m] that name the factor which had most of the `train` votes for the same code."""
    winner = np.argmax(train, axis=0)
    return float(votes[winner, np.arange(votes.shape[1])].sum() / votes.sum())


@dataclass(frozen=True)
class VoteScore(Learned):
    """Accuracy of a majority vote, and the votes [k, m] behind it."""

    score: float
    train_score: float
    train_votes: NDArray[np.int64]
    votes: NDArray[np.int64]
    active: NDArray[np.bool_]
    chance: float = 0.0  # accuracy that counts as 0; 0 leaves the accuracy as it is

    def resample(self, rng: Generator) -> dict[str, float]:
        if not self.active.any():
            return {"": self.score}
        total = self.votes.sum()
        drawn = rng.multinomial(total, self.votes.ravel() / total).reshape(self.votes.shape)
        return {"": above_chance(majority_accuracy(self.train_votes, drawn), self.chance)}


def vote_score(
    codes: NDArray,
    groups: Sequence[Groups],
    choose: Choice,
    active: NDArray[np.bool_],
    *,
    votes: tuple[int, int],
    points: int,
    rng: Generator,
    chance: float = 0.0,
) -> VoteScore:
    """Two rounds of votes, to build the majority and to score it; no active code: 0."""
    if not active.any():
        none = np.zeros((len(groups), codes.shape[1]), dtype=np.int64)
        return VoteScore(0.0, 0.0, none, none, active, chance)
    train, test = (count_votes(codes, groups, choose, each, points, rng) for each in votes)
    score, train_score = (above_chance(majority_accuracy(train, each), chance) for each in (test, train))
    return VoteScore(score, train_score, train, test, active, chance)


def above_chance(accuracy: float, chance: float) -> float:
    """Accuracy rescaled so that `chance` is 0 and 1 stays 1; never below 0."""
    return max(0.0, (accuracy - chance) / (1 - chance))
