"""Columns of a table that go with no other one: noise, or factors of which nothing else tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesRegressor

from prismae.data import Kind
from prismae.data.kinds import Table
from prismae.evaluation.baselines import means

TOLD = 0.05  # share of a column's variance that others tell, from which it goes with them
WELL, TELLS = 0.3, 0.2  # a column that is told so well; what trees for it owe to a column that goes with it
LOOKED_AT, COLUMNS = (
    2_000,
    64,
)  # rows that trees are grown on, and the most elements of a table that is looked through
TREES, LEAF = 50, 5


def alone(x: NDArray, kind: Kind) -> list[tuple[int, ...]]:
    """The columns of which the others tell less than 5 % of the variance, and which tell nothing of the others: x tells
    all of its square, which tells nothing of x. Each is given as its elements, those of a category together.

    By extremely randomised trees (Geurts et al. 2006) of the values' ranks, since a few rows that stand far out have
    most of a column's variance, on the rows that a tree has not seen. All columns where no two go together. None for
    tables of counts, of which others tell little because most of each is noise; for tables of more than 64 elements;
    for other kinds.

    Parameters
    ----------
    x
        [n, d] rows as the network sees them: the numeric columns first, then those of categories.
    """
    if not isinstance(kind, Table) or kind.of_counts or not 2 <= x.shape[1] <= COLUMNS:
        return []
    rows = spread(x, LOOKED_AT)
    rows = rankdata(np.where(np.isnan(rows), means(rows), rows), axis=0)
    several = varying(rows, kind)
    told, owed = np.zeros(len(several)), np.zeros((len(several), len(several)))
    for j, own in enumerate(several):
        others = np.setdiff1d(np.arange(x.shape[1]), own)
        if not len(others):
            return several
        trees, y = grown(rows[:, others], rows[:, own]), rows[:, own]
        told[j] = (
            1 - np.square(y - trees.oob_prediction_.reshape(y.shape)).sum() / np.square(y - y.mean(0)).sum()
        )
        share = np.zeros(x.shape[1])
        share[others] = trees.feature_importances_
        owed[:, j] = [share[list(each)].sum() for each in several]
    tells = (owed * (told > WELL)).max(1, initial=0.0) > TELLS
    found = [each for j, each in enumerate(several) if told[j] < TOLD and not tells[j]]
    return several if len(several) - len(found) == 1 else found  # a column goes with another, or with none


def columns(kind: Kind, d: int) -> dict[str, tuple[int, ...]]:
    """Column → its places among the d elements of an observation: one, or of a category one for each value."""
    if isinstance(kind, Table) and kind.scheme is not None:
        return kind.scheme.places
    return {f"x{i}": (i,) for i in range(d)}


def varying(x: NDArray, kind: Kind) -> list[tuple[int, ...]]:
    """Places of the columns of x [n, d] that are not constant."""
    vary = {*varied(x).tolist()}
    return [places for places in columns(kind, x.shape[1]).values() if not vary.isdisjoint(places)]


def varied(x: NDArray) -> NDArray[np.intp]:
    """Indices of the columns of x [n, d] that are not constant, where the mean stands for what is missing."""
    return np.flatnonzero(np.ptp(np.where(np.isnan(x), means(x), x), axis=0) > 0)


def spread(x: NDArray, n: int) -> NDArray:
    """At most n rows of x, evenly spaced."""
    return x[:: -(-len(x) // n)]


def grown(x: NDArray, y: NDArray) -> ExtraTreesRegressor:
    """Trees of y, [n] or [n, c], by x [n, d]; of a single one `oob_score_` is the share of the variance that they tell
    of rows left out."""
    trees = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, bootstrap=True, oob_score=True, random_state=0)
    return trees.fit(x, y.squeeze(1) if y.ndim == 2 and y.shape[1] == 1 else y)
