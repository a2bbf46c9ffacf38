"""One factor in two latents: pairs of codes that lie on a curve, and the place on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components, dijkstra
from sklearn.neighbors import kneighbors_graph

from prismae.discovery.alone import LOOKED_AT, spread
from prismae.evaluation.baselines import Components

NEIGHBOURS = 10  # along which distances on a curve are measured
WHOLE = 0.95  # share of the points that hang together, at least
KNOTS, ROUNDS = 10, 8  # of a curve, and of its fitting
THIN = 0.02  # most of the variance of a pair that its curve leaves, and
LESS = 0.4  # this times what a curve leaves of a pair that have nothing to do with one another, at most:
SHUFFLED = 5  # the best of so many
FULL = 0.2  # of the mean number of points between two knots, which each gap has: else it is of several groups
OPEN = (
    1.5  # gaps between knots by which the ends are apart, at least: a ring has no ends to measure places from
)


@dataclass(frozen=True)
class Curve:
    """A factor's place on a curve through two columns of codes.

    Parameters
    ----------
    first
        The first of these columns; the other is the next one.
    knots
        Points [m, 2] of the curve, which is straight between them and beyond the last ones.
    centre, scale
        Mean and deviation of the places, in units of the curve's length.
    """

    first: int
    knots: list[tuple[float, float]]
    centre: float
    scale: float

    def fault(self, columns: int) -> str | None:
        """What of it can be no curve through two of so many columns; None if it is one."""
        knots = np.asarray(self.knots, dtype=float).reshape(-1, 2)
        with np.errstate(all="ignore"):
            lengths = np.square(np.diff(knots, axis=0)).sum(1)
        if not 0 <= self.first < columns - 1:
            return f"a curve is at component {self.first} and the next of {columns}"
        if len(knots) < 2 or not (np.isfinite(lengths).all() and lengths.all()):
            return f"knots of the curve at {self.first} are no two or more finite points, each apart from the next"
        if not (0 < self.scale < np.inf and np.isfinite(self.centre)):
            return f"the curve at {self.first} has scale {self.scale} and centre {self.centre}"
        return None

    def places(self, codes: NDArray) -> NDArray:
        """[n] the places of codes [n, k]: how far along the curve the nearest point of it is, scaled to deviation 1."""
        along, _ = _nearest(codes[:, self.first : self.first + 2], np.asarray(self.knots))
        found: NDArray = (along - self.centre) / self.scale
        return found

    def at(self, places: NDArray) -> NDArray:
        """[n, 2] the points at places [n]."""
        knots = np.asarray(self.knots)
        steps, starts = _segments(knots)
        along = places * self.scale + self.centre
        i = np.clip(np.searchsorted(starts, along, side="right") - 1, 0, len(steps) - 1)
        lengths = np.linalg.norm(steps, axis=1)
        found: NDArray = knots[i] + ((along - starts[i]) / lengths[i])[:, None] * steps[i]
        return found


def unrolled(codes: NDArray, curves: Sequence[Curve]) -> NDArray:
    """[n, k] factors of codes [n, k + curves]: each pair of columns with a curve becomes the place on it."""
    found = codes.copy()
    for each in curves:
        found[:, each.first] = each.places(codes)
    return np.delete(found, [each.first + 1 for each in curves], 1)


def rolled(factors: NDArray, curves: Sequence[Curve]) -> NDArray:
    """[n, k + curves] codes of factors [n, k]; the inverse of `unrolled` for codes that lie on the curves."""
    found = factors
    for each in sorted(curves, key=lambda curve: curve.first):
        found = np.insert(found, each.first + 1, 0.0, axis=1)
        found[:, each.first : each.first + 2] = each.at(found[:, each.first])
    return found


def bent(components: Components, codes: NDArray) -> tuple[Components, list[Curve]]:
    """The same components with pairs that lie on a curve side by side and behind the others, and these curves.

    A factor that bends the data may take two latents, as a bump's place does in a series: one tells left from right,
    the other how far from the middle, and neither follows the factor; their place on the curve does.

    Parameters
    ----------
    codes
        [n, m] what the components are made of.
    """
    z = components.codes(codes)
    rows = spread(z, LOOKED_AT)
    k = z.shape[1]
    found = {
        pair: curve for pair in combinations(range(k), 2) if (curve := _curve(rows[:, pair])) is not None
    }
    pairs: list[tuple[int, int]] = []
    for pair in sorted(found, key=lambda each: found[each][1]):
        if not {i for each in pairs for i in each} & {*pair}:
            pairs.append(pair)
    taken = [i for pair in pairs for i in pair]
    order = [i for i in range(k) if i not in taken] + taken
    curves = []
    for place, pair in enumerate(pairs):
        knots = found[pair][0]
        along = _nearest(z[:, pair], knots)[0]
        first = k - len(taken) + 2 * place
        curves.append(
            Curve(first, [(x, y) for x, y in knots.tolist()], float(along.mean()), float(along.std()))
        )
    return components.part(order), curves


def reordered(
    components: Components, curves: Sequence[Curve], order: Sequence[int]
) -> tuple[Components, list[Curve]]:
    """The same with the factors in another order."""
    second = {each.first + 1 for each in curves}
    of_factor = [i for i in range(components.into.shape[1]) if i not in second]
    by_first = {each.first: each for each in curves}
    columns: list[int] = []
    moved: list[Curve] = []
    for first in (of_factor[i] for i in order):
        if first in by_first:
            moved.append(replace(by_first[first], first=len(columns)))
            columns.append(first)
            columns.append(first + 1)
        else:
            columns.append(first)
    return components.part(columns), moved


def _curve(z: NDArray) -> tuple[NDArray, float] | None:
    """Knots of the curve that points [n, 2] lie on, and the share of their variance that it leaves; None if they lie
    on none that has two ends."""
    fitted = _fitted(z)
    if fitted is None or fitted[1] > THIN:
        return None
    rng = np.random.default_rng(0)
    pairs = (np.stack([z[:, 0], rng.permutation(z[:, 1])], 1) for _ in range(SHUFFLED))
    by_chance = [each[1] for pair in pairs if (each := _fitted(pair)) is not None]
    return fitted if fitted[1] < LESS * min(by_chance, default=np.inf) else None


def _fitted(z: NDArray) -> tuple[NDArray, float] | None:
    """A principal curve (Hastie and Stuetzle 1989) that begins with the distances along the points' neighbours, from
    one that is farthest from another (Tenenbaum et al. 2000)."""
    scale = z.std(0)
    if len(z) <= 2 * NEIGHBOURS or not scale.all():
        return None
    points = (z - z.mean(0)) / scale
    graph = kneighbors_graph(points, NEIGHBOURS, mode="distance")
    graph = graph.maximum(graph.T)
    group = connected_components(graph)[1]
    together = np.flatnonzero(group == np.bincount(group).argmax())
    if len(together) < WHOLE * len(z):
        return None
    points, graph = points[together], graph[together][:, together]
    end = 0
    for _ in range(2):
        end = int(_distances(graph, end).argmax())
    along = _distances(graph, end)
    for _ in range(ROUNDS):
        edges = np.linspace(along.min(), along.max(), KNOTS + 1)
        between = np.clip(np.searchsorted(edges, along, side="right") - 1, 0, KNOTS - 1)
        count = np.bincount(between, minlength=KNOTS)
        if count.min() < max(1, FULL * count.mean()):
            return None
        knots = np.stack([np.bincount(between, column, KNOTS) / count for column in points.T], 1)
        along, left = _nearest(points, knots)
    if np.linalg.norm(knots[-1] - knots[0]) < OPEN * np.linalg.norm(np.diff(knots, axis=0), axis=1).mean():
        return None
    return knots * scale + z.mean(0), float(left.mean() / points.var(0).sum())


def _distances(graph: Any, start: int) -> NDArray:
    """[n] along the edges of a graph."""
    found: NDArray = cast(Any, dijkstra)(graph, indices=start)  # its types know no single index
    return found


def _nearest(z: NDArray, knots: NDArray) -> tuple[NDArray, NDArray]:
    """[n] how far along the curve through knots [m, 2] the point nearest to each of z [n, 2] is, and [n] its squared
    distance."""
    steps, starts = _segments(knots)
    lengths = np.linalg.norm(steps, axis=1)
    along = ((z[:, None] - knots[:-1]) * steps).sum(-1) / lengths**2
    along[:, 1:] = np.maximum(along[:, 1:], 0.0)
    along[:, :-1] = np.minimum(along[:, :-1], 1.0)
    far = np.square(z[:, None] - knots[:-1] - along[..., None] * steps).sum(-1)
    i, rows = far.argmin(1), np.arange(len(z))
    return starts[i] + along[rows, i] * lengths[i], far[rows, i]


def _segments(knots: NDArray) -> tuple[NDArray, NDArray]:
    """[m - 1, 2] steps between knots, and [m - 1] how far along the curve each begins."""
    steps = np.diff(knots, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    return steps, np.concatenate([[0.0], lengths[:-1].cumsum()])
