"""Columns of a table that go with no other one: noise, or factors of which nothing else tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
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


def alone(x: NDArray, kind: Kind) -> list[int]:
    """Indices of the columns of numbers of which the others tell less than 5 % of the variance, and which tell nothing
    of the others: x tells all of its square, which tells nothing of x.

    By extremely randomised trees (Geurts et al. 2006) on the rows that a tree has not seen. All columns where no two go
    together. None for tables of counts, of which others tell little because most of each is noise; for tables of more
    than 64 elements; for other kinds.

    Parameters
    ----------
    x
        [n, d] rows as the network sees them: the numeric columns first, then those of categories.
    """
    if not isinstance(kind, Table) or kind.of_counts or not 2 <= x.shape[1] <= COLUMNS:
        return []
    rows = spread(x, LOOKED_AT)
    rows = np.where(np.isnan(rows), means(rows), rows)
    numbers = x.shape[1] if kind.scheme is None else len(kind.scheme.scaling)
    told, owed = np.zeros(x.shape[1]), np.zeros((x.shape[1], x.shape[1]))
    several = varied(rows)
    for i in several:
        others = np.arange(x.shape[1]) != i
        trees = ExtraTreesRegressor(
            TREES, min_samples_leaf=LEAF, bootstrap=True, oob_score=True, random_state=0
        )
        told[i] = trees.fit(rows[:, others], rows[:, i]).oob_score_
        owed[others, i] = trees.feature_importances_
    tells = (owed * (told > WELL)).max(1) > TELLS
    found = [int(i) for i in several if told[i] < TOLD and not tells[i] and i < numbers]
    if len(several) - len(found) == 1 and several[-1] < numbers:  # a column goes with another, or with none
        return several.tolist()
    return found


def varied(x: NDArray) -> NDArray[np.intp]:
    """Indices of the columns of x [n, d] that are not constant, where the mean stands for what is missing."""
    return np.flatnonzero(np.ptp(np.where(np.isnan(x), means(x), x), axis=0) > 0)


def spread(x: NDArray, n: int) -> NDArray:
    """At most n rows of x, evenly spaced."""
    return x[:: -(-len(x) // n)]


def grown(x: NDArray, y: NDArray) -> ExtraTreesRegressor:
    """Trees of y [n] by x [n, d]; `oob_score_` is the share of the variance that they tell of rows left out."""
    trees = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, bootstrap=True, oob_score=True, random_state=0)
    return trees.fit(x, y)
