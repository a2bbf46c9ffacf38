"""Gradient-boosted classification trees: scikit-learn's GradientBoostingClassifier, exact splits, compiled.

The algorithm is Friedman's (2001) with scikit-learn's defaults: per round one regression tree of depth 3 per
class (one in all for two classes) fitted to the residuals; a split maximises the squared difference of the
children's means, weighted by their sizes; leaves take one Newton step, shrunk by 0.1. Columns are sorted
once; every level of a tree is one sweep over each sorted column that serves all nodes of the level, and the
first level's sweep serves all classes too. Equally good splits are frequent (two columns that both set one
point apart), so, as in scikit-learn, columns are tried in random order: a fixed order would favour the first
column. Unlike there, columns are standardised before they become float32: trees do not see a column's scale
and offset, but float32 and the smallest step between two values do.
"""

# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False, check-untyped-defs=False
from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from prismae.metrics._standard import Standard

DEPTH = 3
LEAVES = 2**DEPTH
SPLITS = LEAVES - 1
NODES = 2 * LEAVES - 1
SMALLEST_STEP = 1e-7  # standardised values closer than this count as equal, as in scikit-learn
PURE = np.finfo(np.float64).eps  # a node with less variance is a leaf, as in scikit-learn


@dataclass(frozen=True)
class Boosted:
    """A fitted classifier.

    Parameters
    ----------
    classes
        [c] the labels, in the order of the scores' columns.
    features, thresholds
        [rounds, trees, 7] column and threshold (of the standardised column) of each split, as a heap; column
        -1 where there is none.
    leaves
        [rounds, trees, 15] shrunk value of each leaf.
    prior
        [trees] scores before the first round.
    contributions
        [n, m] each training point's share of the squared error that splits on each column removed, summed
        over all trees: its mean over points is scikit-learn's unnormalised importance.
    train_scores
        [n, trees] final scores of the training points.
    standard
        How the columns are standardised: by the training points.
    """

    classes: NDArray
    features: NDArray[np.int32]
    thresholds: NDArray[np.float64]
    leaves: NDArray[np.float64]
    prior: NDArray[np.float64]
    contributions: NDArray[np.float64]
    train_scores: NDArray[np.float64]
    standard: Standard

    @property
    def importance(self) -> NDArray[np.float64]:
        """Share [m] of each column in the removed squared error; zeros if no tree ever split."""
        return normalised(self.contributions.sum(axis=0))

    def predict(self, x: NDArray) -> NDArray:
        """The most probable label of each row."""
        return self.label(
            _scores(self.standard.narrow(x), self.features, self.thresholds, self.leaves, self.prior)
        )

    def label(self, scores: NDArray[np.float64]) -> NDArray:
        """Labels that go with scores [n, trees]."""
        if scores.shape[1] == 1:
            return self.classes[(scores[:, 0] > 0).astype(np.int64)]
        return self.classes[np.argmax(scores, axis=1)]


def normalised(importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Importance as shares that sum to 1; zeros stay zeros."""
    total = importance.sum()
    return importance / total if total > 0 else np.zeros_like(importance)


def fit_boosted(x: NDArray, y: NDArray, *, rounds: int = 100, rate: float = 0.1, seed: int = 0) -> Boosted:
    """Fit boosted trees to x [n, m] and labels y [n] (at least two different ones); `seed` decides ties."""
    standard = Standard.of(x)
    x32 = standard.narrow(x)
    classes, target = np.unique(y, return_inverse=True)
    share = np.bincount(target) / len(target)
    prior = np.log(share) if len(classes) > 2 else np.array([np.log(share[1] / share[0])])
    order = np.ascontiguousarray(np.argsort(x32, axis=0, kind="stable").T.astype(np.int32))
    sorted_x = np.ascontiguousarray(np.take_along_axis(x32, order.T, axis=0).T)
    scores = np.repeat(prior[None], len(x32), axis=0)
    columns = np.tile(np.arange(x32.shape[1], dtype=np.int32), (rounds, len(prior), DEPTH, 1))
    columns = np.random.default_rng(seed).permuted(columns, axis=-1)
    features, thresholds, leaves, contributions = _fit(
        x32, order, sorted_x, target.astype(np.int64), scores, columns, rate
    )
    return Boosted(classes, features, thresholds, leaves, prior, contributions, scores, standard)


@numba.njit(cache=True, nogil=True)
def _fit(x, order, sorted_x, target, scores, columns, rate):
    n, m = x.shape
    rounds, trees = columns.shape[:2]
    features = np.full((rounds, trees, SPLITS), -1, dtype=np.int32)
    thresholds = np.zeros((rounds, trees, SPLITS))
    leaves = np.zeros((rounds, trees, NODES))
    contributions = np.zeros((n, m))
    residuals = np.empty((n, trees))
    residual = np.empty(n)
    root_feature = np.empty(trees, dtype=np.int64)
    root_threshold = np.empty(trees)
    for t in range(rounds):
        _residuals(scores, target, residuals)
        _split_roots(order, sorted_x, residuals, columns[t, 0, 0], root_feature, root_threshold)
        for k in range(trees):
            for i in range(n):
                residual[i] = residuals[i, k]
            features[t, k, 0] = root_feature[k]
            thresholds[t, k, 0] = root_threshold[k]
            _grow(x, order, sorted_x, residual, columns[t, k], features[t, k], thresholds[t, k], leaves[t, k],
                  contributions, scores[:, k], rate, trees)  # fmt: skip
    return features, thresholds, leaves, contributions


@numba.njit(cache=True, nogil=True)
def _residuals(scores, target, residuals):
    """Label minus probability, for every class at once."""
    n, trees = scores.shape
    for i in range(n):
        if trees == 1:
            residuals[i, 0] = target[i] - 1.0 / (1.0 + np.exp(-scores[i, 0]))
            continue
        top = scores[i, 0]
        for k in range(1, trees):
            top = max(top, scores[i, k])
        total = 0.0
        for k in range(trees):
            residuals[i, k] = np.exp(scores[i, k] - top)
            total += residuals[i, k]
        for k in range(trees):
            residuals[i, k] *= -1.0 / total
        residuals[i, target[i]] += 1.0


@numba.njit(cache=True, nogil=True)
def _split_roots(order, sorted_x, residuals, columns, best_feature, best_threshold):
    """The first split of every class's tree: all share the points' order, so one sweep serves them all."""
    n = order.shape[1]
    trees = residuals.shape[1]
    total = np.zeros(trees)
    for i in range(n):
        for k in range(trees):
            total[k] += residuals[i, k]
    best = np.full(trees, -1.0)
    best_at = np.zeros(trees, dtype=np.int64)
    for f in columns:
        left = np.zeros(trees)
        for i in range(n - 1):
            row = order[f, i]
            for k in range(trees):
                left[k] += residuals[row, k]
            if sorted_x[f, i + 1] <= sorted_x[f, i] + SMALLEST_STEP:
                continue
            share = (i + 1.0) / n
            scale = 1.0 / ((i + 1.0) * (n - i - 1.0))
            at = f * n + i
            for k in range(trees):
                difference = left[k] - share * total[k]
                gain = difference * difference * scale
                better = gain > best[k]
                best[k] = gain if better else best[k]
                best_at[k] = at if better else best_at[k]
    for k in range(trees):
        if best[k] < 0:
            best_feature[k] = -1
        else:
            f, i = best_at[k] // n, best_at[k] % n
            best_feature[k] = f
            best_threshold[k] = _middle(sorted_x[f, i], sorted_x[f, i + 1])


@numba.njit(cache=True, nogil=True)
def _middle(low, high):
    middle = np.float64(low) / 2 + np.float64(high) / 2
    return np.float64(low) if middle == high else middle


@numba.njit(cache=True, nogil=True)
def _grow(x, order, sorted_x, residual, columns, feature, threshold, leaf, contributions, score, rate, trees):
    """Grow one tree from its given first split, and move the scores by its leaves."""
    n = len(residual)
    node = np.zeros(n, dtype=np.int8)  # heap index of the node where each point stands
    size = np.zeros(NODES)
    total = np.zeros(NODES)
    squares = np.zeros(NODES)
    size[0] = n
    for i in range(n):
        total[0] += residual[i]
        squares[0] += residual[i] * residual[i]
    for depth in range(DEPTH):
        first = 2**depth - 1
        width = 2**depth
        is_open = np.zeros(width, dtype=np.bool_)
        for j in range(first, first + width):
            mean = total[j] / max(size[j], 1.0)
            is_open[j - first] = size[j] >= 2 and squares[j] / size[j] - mean * mean > PURE
        if depth == 0:
            if not is_open[0]:
                feature[0] = -1
        else:
            _split_level(
                order,
                sorted_x,
                residual,
                columns[depth],
                node,
                first,
                is_open,
                size,
                total,
                feature,
                threshold,
            )
        _descend(x, residual, node, first, width, feature, threshold, size, total, squares)
    _finish(residual, node, feature, size, total, leaf, contributions, score, rate, trees)


@numba.njit(cache=True, nogil=True)
def _split_level(order, sorted_x, residual, columns, node, first, is_open, size, total, feature, threshold):
    """Best split of every open node of one level, by one sweep over each sorted column."""
    n = order.shape[1]
    width = len(is_open)
    rest = width  # points outside the level's open nodes go to one more slot that is never read
    slot = np.empty(n, dtype=np.int8)
    for i in range(n):
        j = node[i] - first
        slot[i] = j if j >= 0 and is_open[j] else rest
    best_gain = np.full(width + 1, -1.0)  # best gain as numerator / denominator: no division in the sweep
    best_scale = np.ones(width + 1)
    count = np.empty(width + 1)
    left = np.empty(width + 1)
    last = np.empty(width + 1, dtype=np.float32)
    sizes = np.ones(width + 1)
    totals = np.zeros(width + 1)
    for j in range(width):
        sizes[j] = size[first + j]
        totals[j] = total[first + j]
    best_gain[rest] = np.inf
    for f in columns:
        count[:] = 0.0
        left[:] = 0.0
        last[:] = np.inf
        for i in range(n):
            row = order[f, i]
            j = slot[row]
            value = sorted_x[f, i]
            if value > last[j] + SMALLEST_STEP:
                difference = sizes[j] * left[j] - count[j] * totals[j]
                gain = difference * difference
                scale = count[j] * (sizes[j] - count[j])
                if gain * best_scale[j] > best_gain[j] * scale:
                    best_gain[j] = gain
                    best_scale[j] = scale
                    feature[first + j] = f
                    threshold[first + j] = _middle(last[j], value)
            count[j] += 1.0
            left[j] += residual[row]
            last[j] = value


@numba.njit(cache=True, nogil=True)
def _descend(x, residual, node, first, width, feature, threshold, size, total, squares):
    """Send each point of a level's split nodes to its child."""
    for i in range(len(residual)):
        j = node[i]
        if j >= first and feature[j] >= 0:
            child = 2 * j + (1 if x[i, feature[j]] <= threshold[j] else 2)
            r = residual[i]
            node[i] = child
            size[child] += 1.0
            total[child] += r
            squares[child] += r * r


@numba.njit(cache=True, nogil=True)
def _finish(residual, node, feature, size, total, leaf, contributions, score, rate, trees):
    """Newton values of the leaves, the points' new scores, and what each point gained by each split."""
    n = len(residual)
    curvature = np.zeros(NODES)
    for i in range(n):
        r = abs(residual[i])
        curvature[node[i]] += r * (1.0 - r)
    shrink = rate if trees == 1 else rate * (trees - 1.0) / trees
    mean = np.zeros(NODES)
    for j in range(NODES):
        if size[j] > 0:
            mean[j] = total[j] / size[j]
        if curvature[j] > 1e-150:
            leaf[j] = shrink * total[j] / curvature[j]
    for i in range(n):
        j = node[i]
        score[i] += leaf[j]
        r = residual[i]
        after = (r - mean[j]) ** 2
        while j > 0:
            j = (j - 1) // 2
            before = (r - mean[j]) ** 2
            contributions[i, feature[j]] += before - after
            after = before


@numba.njit(cache=True, nogil=True)
def _scores(x, features, thresholds, leaves, prior):
    n = len(x)
    rounds, trees, _ = features.shape
    scores = np.empty((n, trees))
    for i in range(n):
        for k in range(trees):
            scores[i, k] = prior[k]
    for t in range(rounds):
        for k in range(trees):
            for i in range(n):
                j = 0
                while j < SPLITS and features[t, k, j] >= 0:
                    j = 2 * j + (1 if x[i, features[t, k, j]] <= thresholds[t, k, j] else 2)
                scores[i, k] += leaves[t, k, j]
    return scores
