"""Z-max variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo, Count, NonNegative, Seed
from prismae.metrics._base import metric
from prismae.metrics._inputs import MISSING, Labels, as_codes, as_labels
from prismae.metrics._votes import (
    Groups,
    Held,
    VoteScore,
    group_rows,
    most_varying,
    sampled_variance,
    vote_score,
)


@metric(
    needs="table",
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def z_max_variance(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    votes: Count = 800,
    test_votes: Count = 800,
    points: AtLeastTwo = 200,
    variance_points: AtLeastTwo = 10_000,
    least_std: NonNegative = 0.05,
    held: Held = "values",
    seed: Seed = 0,
) -> VoteScore:
    """Z-max variance: can the only factor that varies be told from the code that varies most?

    A vote draws `points` rows that share every factor but one, and names the code with the greatest variance
    relative to its variance over all rows. Score = (a - 1/k) / (1 - 1/k), a the accuracy of the majority
    vote on fresh votes; not below 0. Kim et al. 2019 (relevance factor VAE), arXiv:1902.01568, in the form
    of the review by Carbonneau et al. 2022, arXiv:2012.09276.

    Parameters
    ----------
    codes
        [n, m] the whole table.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. It must hold rows
        that differ in one factor only, as a grid does; rows with an unknown factor are not drawn.
    votes, test_votes, points
        How many votes build the majority, how many are scored, and how many rows a vote draws (with
        replacement).
    variance_points
        Rows (without replacement) that the global variance is taken from.
    least_std
        Codes with a smaller standard deviation are left out, as in `factor_vae_score` and the review's code;
        if none remains the score is 0.
    held
        How the held values are drawn: "values", every combination that two rows share alike, as the review's
        code does; "rows", as often as it occurs. It matters for tables that are no full grid.
    seed
        Seed of all draws.

    Returns
    -------
    VoteScore
        `float(...)` is the score, in [0, 1], higher is better; with the votes [k, m] of both rounds.

    Notes
    -----
    It punishes a code that reacts to several factors, which `z_min_variance` does not; duplication is not
    punished.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> float(z_max_variance(factors, factors, points=20))
    1.0
    """
    z = as_codes(codes)
    labels = as_labels(factors, n=len(z), least_factors=2)
    rng = np.random.default_rng(seed)
    spread = sampled_variance(z, variance_points, rng)
    active = np.sqrt(spread) >= least_std
    return vote_score(
        z,
        [_all_but(labels, k, held) for k in range(labels.shape[1])],
        most_varying(spread, active),
        active,
        votes=(votes, test_votes),
        points=points,
        rng=rng,
        chance=1 / labels.shape[1],
    )


def _all_but(labels: Labels, k: int, held: Held) -> Groups:
    """Groups of rows that share every factor but factor k."""
    others = np.delete(labels, k, axis=1).astype(np.int64)
    key = others[:, 0]
    for column in others.T[1:]:
        key = np.unique(key * (int(column.max()) + 1) + np.maximum(column, 0), return_inverse=True)[1]
    known = (labels != MISSING).all(axis=1)
    return group_rows(np.where(known, key, MISSING), f"every factor but factor {k}", held)
