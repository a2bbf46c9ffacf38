"""Discrete information: bins, joint counts by one bincount, entropies and mutual information in nats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.metrics._inputs import Labels, as_codes, as_factors, as_labels, cut

Floats = NDArray[np.float64]


def bin_codes(codes: NDArray, bins: int) -> Labels:
    """Each code [n, m] cut into `bins` equal-width bins over its own range."""
    return np.column_stack([cut(column, bins) for column in codes.T])


def joint_counts(a: Labels, b: Labels) -> Floats:
    """Counts [m, k, A, B] of all pairs of columns of a [n, m] and b [n, k]; missing b (-1) is not counted."""
    n_a, n_b = int(a.max()) + 1, int(b.max()) + 1
    k = b.shape[1]
    # Missing values fall into one more column, which is cut off at the end.
    column = b.astype(np.int64) % (n_b + 1) + np.arange(k) * (n_a * (n_b + 1))
    shape = (k, n_a, n_b + 1)
    per_code = [
        np.bincount((code[:, None] * (n_b + 1) + column).ravel(), minlength=k * n_a * (n_b + 1)).reshape(
            shape
        )
        for code in a.T.astype(np.int64)
    ]
    return np.stack(per_code)[..., :n_b].astype(np.float64)


def entropy(counts: NDArray) -> Floats:
    """Entropy in nats of counts (or weights) over the last axis; 0 where all are zero."""
    total = counts.sum(axis=-1, keepdims=True)
    p = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    return -np.sum(p * np.log(p, out=np.zeros_like(p), where=p > 0), axis=-1)


def mutual_information(joint: NDArray) -> Floats:
    """Mutual information in nats of joint counts [..., A, B]; never below 0."""
    both = entropy(joint.reshape(*joint.shape[:-2], -1))
    return np.maximum(entropy(joint.sum(axis=-1)) + entropy(joint.sum(axis=-2)) - both, 0.0)


def factor_entropy(labels: Labels) -> Floats:
    """Entropy [k] of each factor over the points where it is known."""
    return np.array([entropy(np.bincount(column[column >= 0])) for column in labels.T])


@dataclass(frozen=True)
class Binned:
    """Codes and factors of the same points, in bins: joint counts [m, k, A, B], and the factors' labels [n, k]."""

    joint: Floats
    labels: Labels

    @cached_property
    def information(self) -> Floats:
        """Mutual information [m, k] in nats."""
        return mutual_information(self.joint)


_Shared = dict[tuple[int, int, int], tuple[NDArray, ArrayLike, Binned]]
_shared: ContextVar[_Shared | None] = ContextVar("_shared", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Within it, metrics that cut the same arrays into as many bins share what comes of it, until its end.

    Only arrays of codes that cannot be written to: those stay the same from one metric to the next.
    """
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def binned(codes: NDArray, factors: ArrayLike, bins: int, *, least_factors: int = 1) -> Binned:
    """Codes [n, m] and factors [n, k], each cut into `bins` equal-width bins over its own range."""
    shared = _shared.get()
    if shared is None or codes.flags.writeable:
        labels = as_labels(factors, n=len(codes), bins=bins, least_factors=least_factors)
        return Binned(joint_counts(bin_codes(codes, bins), labels), labels)
    as_factors(factors, n=len(codes), least_factors=least_factors)
    key = id(codes), id(factors), bins
    if (
        key not in shared
    ):  # the arrays are kept too, or another one could get their place in memory, which is the key
        labels = as_labels(factors, n=len(codes), bins=bins)
        shared[key] = codes, factors, Binned(joint_counts(bin_codes(codes, bins), labels), labels)
    return shared[key][2]


def mutual_information_matrix(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20) -> Floats:
    """Mutual information [m, k] in nats between every code and every factor.

    Parameters
    ----------
    codes
        [n, m] numbers; each code is cut into `bins` equal-width bins over its own range.
    factors
        [n, k] class indices, or values (cut into `bins` bins too); a row counts for a factor where it is
        known.
    bins
        How many bins. The estimate is biased upwards by about (bins - 1)(values - 1) / 2n.
    """
    return binned(as_codes(codes), factors, bins).information


def gap(values: NDArray, axis: int) -> Floats:
    """Largest minus second largest along an axis."""
    ordered = np.sort(values, axis=axis)
    return np.take(ordered, -1, axis=axis) - np.take(ordered, -2, axis=axis)
