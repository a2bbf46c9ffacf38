"""Axes for factors: components of data, how many of them, and latents turned to axes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.optimize import linear_sum_assignment

from prismae.discovery.alone import LOOKED_AT, grown, spread
from prismae.discovery.search import LATENTS, PARSIMONY
from prismae.evaluation.baselines import FLAT, Components, agreement, explained, independent, means, principal
from prismae.metrics._inputs import standardised

FURTHER = 4  # by how much a component beyond the live latents has to lessen what is left unexplained
SHUFFLED = 20  # times that columns are shuffled to know what principal components explain by chance
EXACT = 1e-3  # share of the variance that counts as nothing left
TOLD = 0.5  # share of a component that those before it tell, from which it is a function of these
STARTS = 20  # of independent components, for local optima: this by their number, at least two
SWEEPS, GAINS = 15, 1.001  # over all pairs of components, and what a sweep has to gain for another
ANGLES = [
    np.arange(12) * np.pi / 24,
    *(np.linspace(-1, 1, 9) * np.pi / 24 / 4**i for i in range(4)),
]  # ever finer
ROUGHLY = 2_000  # rows that starts are turned on
GAUSSIAN = 0.37457  # the mean of log cosh of a standard normal variable (Hyvärinen 1999)
BY_CHANCE = (
    1 / 80
)  # × (1 + k²) / n: contrast that k independent components of n Gaussian rows rarely reach (1 in 20)
STEADY = 0.9  # agreement of independent components of two halves, and the share of the variance that fewer of them keep
ALIKE = 0.5  # of the nats of the latent that tells most, from which one is turned with it
SHARP = 0.75  # share of the distance from Gaussian that independent components of latents have, of those of the data
SPACE = 0.9  # least canonical correlation of latents with components that span the same space
HELD = 0.7  # correlation with a column that goes with no other, from which codes hold it


def as_many(first: Components, unseen: NDArray, live: int) -> int:
    """How many components are compared with a model: as many as it has live latents, and further ones where each
    lessens what is left unexplained of the held-out observations to a quarter, as a factor does that it has missed."""
    most = min(first.into.shape[1], max(live, LATENTS))
    numbers = range(min(live, most), most + 1)
    left = [1 - explained(unseen, part.decoded(part.codes(unseen))) for part in map(first.first, numbers)]
    charged = [max(each, EXACT) * FURTHER**i for i, each in enumerate(left)]
    return numbers[int(np.argmin(charged))]


def above_noise(x: NDArray) -> int:
    """How many principal components of x [n, d], each column of deviation 1, explain more than those of the same
    columns shuffled, each for itself, ever do (parallel analysis: Horn 1965)."""
    rng, z = np.random.default_rng(0), standard(x)
    by_chance = [np.linalg.svd(rng.permuted(z, axis=0), compute_uv=False) for _ in range(SHUFFLED)]
    above = np.linalg.svd(z, compute_uv=False) > np.max(by_chance, axis=0)
    return int(above.cumprod().sum())


def fewest(first: Components, x: NDArray, live: int = 1) -> Components:
    """Those of principal components that are worth their number: each has to explain 2 % of the variance, and those
    beyond the live latents also to say what the others do not: what bends the data is a function of these. (Factors of
    few levels are so, too, wherefore live latents count for more.)"""
    z, whole = first.codes(x), np.square(x - means(x))
    rows = spread(z, LOOKED_AT)
    kept: list[int] = []
    for i in np.flatnonzero(np.square(z).sum(0) >= PARSIMONY * np.nansum(whole)).tolist() or [0]:
        if len(kept) < live or grown(rows[:, kept], rows[:, i]).oob_score_ < TOLD:
            kept.append(i)
    return first.part(kept)


def steady(first: Components, x: NDArray) -> Components:
    """The same, or fewer principal components where independent ones of two halves agree that do not with all of them,
    and what is left out is little: what bends the data a little is a component that mixes with the factors."""
    k, whole = first.into.shape[1], np.square(first.codes(x)).sum(0)
    for fewer in range(k, 1, -1):
        part = first.first(fewer)
        if whole[:fewer].sum() < STEADY * whole.sum():
            break
        alike = agreement(*(independent_of(half, part).codes(x) for half in halves(x)))
        if alike >= STEADY and not adrift(independent_of(x, part).codes(x)).any():  # which agree by chance
            return part
    return first


def determined(codes: NDArray) -> float:
    """How well independent components of latents [n, k] come back in halves of the observations: whether they have axes
    of their own, which Gaussian ones have not."""
    white = scaled(principal(codes, codes.shape[1]), codes).codes(codes)
    k = white.shape[1]
    return agreement(*(independent_of(half, principal(half, k)).codes(white) for half in halves(white)))


def groups(told: NDArray) -> list[NDArray]:
    """Indices of the latents that are turned together: those that tell at least half of the nats [k] of the one that
    tells most; of the others again, and so on.

    A rotation makes all alike: a latent of few nats, which is mostly noise, would spoil those that it is turned with.
    """
    left, found = np.arange(len(told)), []
    while len(left):
        alike = told[left] >= ALIKE * told[left].max()
        found.append(left[alike])
        left = left[~alike]
    return found


def halves(x: NDArray) -> tuple[NDArray, NDArray]:
    """The rows of x [n, d] in two halves, drawn by chance."""
    order = np.random.default_rng(0).permutation(len(x))
    return x[order[::2]], x[order[1::2]]


def turned(codes: NDArray, told: NDArray, x: NDArray, lone: list[int]) -> Components:
    """Latents turned to axes of their own: codes [n, k] that tell `told` [k] nats of observations x [n, d], each of
    deviation 1; those together that tell about as much (`groups`).

    First go the directions that say what columns say of which no other tells: these stand apart, or noise would be
    turned into factors. The others are turned to their independent components; where these are far nearer to Gaussian
    than those of the data, as a prior makes them, their axes are hardly determined: then they are turned to lie as near
    as they can to the independent components of the data (orthogonal Procrustes), if these span the same space, as
    they do not where factors bend the data much, like a place in an image.
    """
    k, place = len(told), 0
    mean, into, back = np.zeros(k), np.zeros((k, k)), np.zeros((k, k))
    for latents in groups(told):
        part, places = _turned_together(codes[:, latents], x, lone), np.arange(place, place + len(latents))
        mean[latents] = part.mean
        into[np.ix_(latents, places)], back[np.ix_(places, latents)] = part.into, part.back
        place += len(latents)
    return Components(mean, into, back)


def _turned_together(codes: NDArray, x: NDArray, lone: list[int]) -> Components:
    white = scaled(principal(codes, codes.shape[1]), codes)
    axes, apart = held(codes, x, lone)
    k = len(axes)
    first, rest = (
        Components(white.mean, white.into @ part, part.T @ white.back)
        for part in (axes[:, :apart], axes[:, apart:])
    )
    found = ordered(independent_of(codes, rest), codes)
    other = of_data(np.delete(x, lone, 1), k - apart)
    if other.shape[1] == k - apart and contrast(found.codes(codes)) < SHARP * contrast(other):
        left, alike, right = np.linalg.svd(rest.codes(codes).T @ standard(other) / len(codes))
        if alike.min() > SPACE:
            turn = left @ right
            found = ordered(Components(rest.mean, rest.into @ turn, turn.T @ rest.back), codes)
    return Components(
        white.mean, np.concatenate([found.into, first.into], 1), np.concatenate([found.back, first.back])
    )


def held(codes: NDArray, x: NDArray, lone: list[int]) -> tuple[NDArray, int]:
    """[k, k] orthogonal directions of codes, as principal components of deviation 1, and along how many of them, which
    come first, they say what a column says of which no other tells; at most all but one.

    Each goes by the column that is said best of what those before it leave: the values of a category leave one of them
    nothing to say.
    """
    white = scaled(principal(codes, codes.shape[1]), codes)
    said = white.codes(codes).T @ standard(x[:, lone]) / len(codes)
    said = said[:, np.linalg.norm(said, axis=0) > HELD]
    axes, left, _ = qr(said, pivoting=True)
    return axes, min(int((np.abs(np.diag(left)) > HELD / 2).sum()), len(said) - 1)


def others(codes: NDArray, x: NDArray, lone: list[int]) -> NDArray:
    """The codes [n, k] that are none of the columns of which no other tells."""
    found: NDArray = codes[:, correlations(codes, x[:, lone]).max(1, initial=0.0) <= HELD]
    return found


def likeness(codes: NDArray, x: NDArray) -> float:
    """The least correlation of codes [n, k] with as many independent components of x [n, d], matched one to one."""
    other = of_data(x, codes.shape[1])
    if other.shape[1] != codes.shape[1]:
        return 0.0
    r = correlations(codes, other)
    return float(r[linear_sum_assignment(r, maximize=True)].min())


def of_data(x: NDArray, k: int) -> NDArray:
    """[n, k] independent components of x [n, d], or as many as there are."""
    return independent_of(x, principal(x, k)).codes(x)


def independent_of(x: NDArray, start: Components) -> Components:
    """Independent components; of several starts those that are farthest from Gaussian.

    FastICA does not always converge where some components are nearly Gaussian, as a prior makes them, so from what it
    found, and from other rotations, pairs of components are turned until none gets farther (Comon 1994): roughly and
    on some rows first, and the best of these finely and on all. Directions in which x does not vary, as of a
    column that stands out in rows none of which is here, come behind the others.
    """
    k, z = start.into.shape[1], start.codes(x)
    _, spreads, own = np.linalg.svd(z - z.mean(0), full_matrices=False)
    there = int((np.square(spreads) > FLAT * np.square(spreads[0])).sum())
    if there == 0:
        return start
    if there < k:
        into, back = start.into @ own.T, own @ start.back
        part = independent_of(x, Components(start.mean, into[:, :there], back[:there]))
        return Components(
            start.mean, np.hstack([part.into, into[:, there:]]), np.concatenate([part.back, back[there:]])
        )
    white = scaled(start, x)
    z = white.codes(x)
    rng = np.random.default_rng(0)
    left, _, right = np.linalg.svd(z.T @ independent(x, start).codes(x))
    turns = [
        left @ right,
        *(np.linalg.qr(rng.normal(size=(k, k)))[0] for _ in range(max(1, STARTS // k - 1))),
    ]
    some = spread(z, ROUGHLY)
    found = max(
        (each @ _turned_in_pairs(some @ each, ANGLES[:2]) for each in turns),
        key=lambda each: contrast(z @ each),
    )
    turn = found @ _turned_in_pairs(z @ found, ANGLES[1:])
    return Components(white.mean, white.into @ turn, turn.T @ white.back)


def _turned_in_pairs(z: NDArray, angles: Sequence[NDArray]) -> NDArray:
    """[k, k] the rotation of white z [n, k] that raises its contrast until no pair of columns gains by a turn of these
    angles, each around the best of those before."""
    z, turn = z.copy(), np.eye(z.shape[1])
    for _ in range(SWEEPS):
        before = contrast(z)
        for i, j in combinations(range(z.shape[1]), 2):
            angle = 0.0
            for grid in angles:
                c, s = np.cos(angle + grid), np.sin(angle + grid)
                gain = _far(np.outer(z[:, i], c) + np.outer(z[:, j], s))
                gain = gain + _far(np.outer(z[:, j], c) - np.outer(z[:, i], s))
                angle += grid[gain.argmax()]
            one = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            z[:, [i, j]], turn[:, [i, j]] = z[:, [i, j]] @ one, turn[:, [i, j]] @ one
        if contrast(z) < GAINS * before:
            break
    return turn


def adrift(codes: NDArray) -> NDArray[np.bool_]:
    """[k] which independent components [n, k] have no axes of their own, since they are no farther from Gaussian than
    those of as many Gaussian variables: of these only the space that they span is known (Comon 1994).

    From all of them on, the farthest is left out until the others are none any more; one by itself has an axis.
    """
    far = _far(codes / codes.std(0))
    order, k = np.argsort(-far), codes.shape[1]
    found = np.zeros(k, bool)
    for left in range(k, 1, -1):
        if far[order[k - left :]].sum() <= BY_CHANCE * (1 + left**2) / len(codes):
            found[order[k - left :]] = True
            break
    return found


def contrast(codes: NDArray) -> float:
    """How far codes [n, k] are from Gaussian, by log cosh: what FastICA raises."""
    return float(_far(codes / codes.std(0)).sum())


def _far(codes: NDArray) -> NDArray:
    """[k] the same of each column of deviation 1."""
    far: NDArray = np.square(_log_cosh(codes).mean(0) - GAUSSIAN)
    return far


def _log_cosh(x: NDArray) -> NDArray:
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)


def plain(codes: NDArray) -> Components:
    """Latents as they are, scaled to deviation 1."""
    scale = np.diag(codes.std(0))
    return Components(codes.mean(0), np.linalg.inv(scale), scale)


def scaled(first: Components, x: NDArray) -> Components:
    """Components scaled to deviation 1."""
    scale = first.codes(x).std(0)
    return Components(first.mean, first.into / scale, first.back * scale[:, None])


def ordered(found: Components, x: NDArray) -> Components:
    """Components of deviation 1, those that move x most first."""
    scale = found.codes(x).std(0)
    order = np.argsort(-np.square(found.back * scale[:, None]).sum(1))
    return Components(found.mean, (found.into / scale)[:, order], (found.back * scale[:, None])[order])


def agreements(codes: NDArray, others: NDArray) -> NDArray:
    """[k] the largest absolute correlation of each column with one of the others."""
    return np.abs(np.corrcoef(codes.T, others.T)[: codes.shape[1], codes.shape[1] :]).max(1)


def correlations(codes: NDArray, x: NDArray) -> NDArray:
    """[k, d] absolute correlations of codes [n, k] with columns of x [n, d]."""
    found: NDArray = np.abs(standard(codes).T @ standard(x)) / len(codes)
    return found


def standard(x: NDArray) -> NDArray:
    """Columns of mean 0 and variance 1; the mean stands for what is missing."""
    return standardised(np.nan_to_num(x - means(x)))
