"""What a training is to be better than: principal components, independent components, and its network untrained."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import Unavailable
from prismae.evaluation.encode import codes_table
from prismae.evaluation.options import Options
from prismae.evaluation.protocols import Wanted
from prismae.evaluation.scores import Scores
from prismae.evaluation.subjects import Subject
from prismae.evaluation.take import take
from prismae.metrics._inputs import standardised

Floats = NDArray[np.floating]

LINEAR = ("pca", "ica")
BASELINES = (*LINEAR, "untrained")
FITTED = 10_000  # observations that components are fitted to, where their elements are few enough
ELEMENTS = 2**24  # of all these observations together: 64 MB
ROUNDS = 1_000  # of FastICA
FLAT = 1e-10  # of the first component's variance: a direction below is none


@dataclass(frozen=True)
class Components:
    """Linear codes of observations [n, d]: z = (x - mean) @ into, and back x = z @ back + mean."""

    mean: Floats
    into: Floats
    back: Floats

    def codes(self, x: Floats) -> Floats:
        """[n, m] from [n, d]; the mean stands for what is missing."""
        return np.nan_to_num(x - self.mean, copy=False) @ self.into

    def decoded(self, z: Floats) -> Floats:
        """[n, d] from [n, m]."""
        return z @ self.back + self.mean

    def first(self, k: int) -> Components:
        """The first k components."""
        return self.part(range(min(k, len(self.back))))

    def part(self, which: Sequence[int]) -> Components:
        """Some of the components."""
        chosen = list(which)
        return Components(self.mean, self.into[:, chosen], self.back[chosen])


def principal(x: Floats, m: int) -> Components:
    """The first m principal components of observations [n, d], or as many as they have."""
    most = min(m, len(x) - 1, x.shape[1])
    gaps = np.isnan(x)
    if gaps.any():
        x = np.where(gaps, means(x), x)
    unit = _unit(x)
    pca = PCA(most, random_state=0).fit(x / unit)
    there = max(1, int((pca.explained_variance_ > FLAT * pca.explained_variance_[0]).sum()))
    return Components(pca.mean_ * unit, pca.components_[:there].T, pca.components_[:there])


def means(x: Floats) -> Floats:
    """[d] means of what is there of observations [n, d]; 0 of an element that none of them has, as outside a mask."""
    there = ~np.isnan(x)
    return np.where(there, x, 0).sum(0) / there.sum(0).clip(min=1)


def _unit(x: Floats) -> np.floating:
    """The power of 2 that x is of: what is divided by it keeps its digits, and has squares of single precision."""
    largest = np.abs(x).max()
    return np.exp2(np.floor(np.log2(largest))) if largest > 0 else largest + 1


def independent(x: Floats, start: Components, seed: int = 0) -> Components:
    """As many independent components as `start` has principal ones, in the space of these; by FastICA."""
    ica = FastICA(random_state=seed, whiten="unit-variance", max_iter=ROUNDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its codes are those of the last round then
        z = start.codes(x)
        unit = _unit(z)
        ica.fit(z / unit)
    return Components(
        start.mean, start.into @ (ica.components_.T / unit), (ica.mixing_.T * unit) @ start.back
    )


def flat(world: World, rows: Tensor) -> Floats:
    """These observations of a world as vectors [n, d], as the network sees them."""
    return world.data[rows.to(world.data.device)].cpu().flatten(1).numpy()


def fitted_rows(world: World, most: int = FITTED) -> Tensor:
    """Evenly spaced rows of a world, as many as components are fitted to."""
    size = int(np.prod(world.shape))
    return spaced(len(world), min(most, max(ELEMENTS // size, 2)))


def linear_codes(kind: str, world: World, m: int, seed: int = 0) -> NDArray[np.float32]:
    """Codes [n, m] of all observations by the m first principal components, or independent ones in their space.

    Raises
    ------
    Unavailable
        For texts.
    """
    if world.kind.elements == "words":
        raise Unavailable(
            "Principal and independent components are of numbers, and the observations are words."
        )
    x = flat(world, fitted_rows(world))
    found = principal(x, m)
    if kind == "ica":
        found = independent(x, found, seed)
    mean, into = torch.from_numpy(found.mean).float(), torch.from_numpy(found.into).float()
    encode: Callable[[Tensor], Tensor] = lambda part: (part.flatten(1) - mean).nan_to_num() @ into  # noqa: E731
    return world.to(torch.device("cpu")).codes_table(encode)


def baselines_of(
    subject: Subject, *, seed: int = 0, m: int | None = None, start: nn.Module | None = None
) -> dict[str, Subject]:
    """Codes of the same observations by m principal components, by independent ones, and by a network untrained.

    By name, as far as they can be had; none where a subject is of codes, or its world has no factors. By default m is
    the number of latents.
    """
    if subject.trained is None or subject.world.factors is None:
        return {}
    world = subject.trained[1]
    m = subject.codes.shape[1] if m is None else m
    found = {}
    with suppress(Unavailable):  # of texts there are no components
        found = {kind: linear_codes(kind, world, m, seed) for kind in LINEAR}
    if start is not None:
        found["untrained"] = codes_table(start, world)
    return {name: Subject(codes, world, given_stds=np.zeros_like(codes)) for name, codes in found.items()}


def beside(scores: Scores, wanted: Wanted, others: Mapping[str, Subject], options: Options) -> Scores:
    """Scores of codes beside those of baselines, by name; those of other families stay as they are."""
    if not scores or not others or wanted.family.alone:
        return scores
    bare = replace(options, bootstrap=0, baselines=False)
    for name, subject in others.items():
        try:
            other = take(subject, wanted, bare)
        except Unavailable:
            continue
        both = {
            key: replace(each, beside=each.beside | {name: other[key].score}) if key in other else each
            for key, each in scores.scores.items()
        }
        scores = replace(scores, scores=both)
    return scores


def agreement(codes: Floats, others: Floats) -> float:
    """Mean absolute correlation of the columns of `codes` [n, k] with those of `others` [n, l], matched one to one.

    As many as there are of the fewer are matched, so that the sum is greatest; a constant column has 0.
    """
    correlation = np.abs(standardised(codes).T @ standardised(others)) / len(codes)
    return float(correlation[linear_sum_assignment(correlation, maximize=True)].clip(max=1.0).mean())


def explained(x: Floats, again: Floats) -> float:
    """Share of the variance of observations [n, d] that others explain; 0 is the mean. NaN counts nothing."""
    if np.isnan(x).any():
        return 1 - float(np.nansum(np.square(x - again)) / np.nansum(np.square(x - means(x))))
    return 1 - float(np.square(x - again).sum() / np.square(x - x.mean(0)).sum())


def explained_error(x: Floats, again: Floats) -> float:
    """Standard error of `explained`, for observations drawn by chance; infinite for one observation."""
    return _error_of_share(np.nansum(np.square(x - again), 1), x)


def gain_error(x: Floats, again: Floats, other: Floats) -> float:
    """Standard error of the difference of `explained` by two reconstructions of the same observations."""
    return _error_of_share(np.nansum(np.square(x - again) - np.square(x - other), 1), x)


def _error_of_share(part: Floats, x: Floats) -> float:
    """Standard error of the sum of `part` [n] over that of squared deviations of x [n, d] from their mean: of a ratio
    of two sums over observations, to the first order (Cochran 1977, eq. 6.13)."""
    whole = np.nansum(np.square(x - means(x)), 1)
    n, total = len(x), float(whole.sum())
    if n < 2 or not total:
        return np.inf
    off = part - part.sum() / total * whole
    return float(np.sqrt(n / (n - 1) * np.square(off).sum()) / total)
