"""Discrete information: bins, joint counts by one bincount, entropies and mutual information in nats."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.metrics._inputs import Labels, as_codes, as_labels, cut

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
    z = as_codes(codes)
    return mutual_information(joint_counts(bin_codes(z, bins), as_labels(factors, n=len(z), bins=bins)))


def gap(values: NDArray, axis: int) -> Floats:
    """Largest minus second largest along an axis."""
    ordered = np.sort(values, axis=axis)
    return np.take(ordered, -1, axis=axis) - np.take(ordered, -2, axis=axis)
