"""FactorVAE score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo, Count, NonNegative, Seed
from prismae.metrics._base import metric
from prismae.metrics._inputs import as_codes, as_labels
from prismae.metrics._votes import VoteScore, groups_by_factor, least_varying, sampled_variance, vote_score


@metric(
    needs="table",
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def factor_vae_score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    votes: Count = 10_000,
    test_votes: Count = 5_000,
    points: AtLeastTwo = 64,
    variance_points: AtLeastTwo = 10_000,
    least_std: NonNegative = 0.05,
    seed: Seed = 0,
) -> VoteScore:
    """FactorVAE score: can a held-fixed factor be told from the code that varies least?

    A vote holds a random factor at the value of a random point, draws `points` rows that share it, and names
    the code with the least variance relative to its variance over all rows. `votes` votes fix for each code
    the factor that it stands for (most votes); the score is the share of `test_votes` fresh votes that this
    gets right. Kim & Mnih 2018, arXiv:1802.05983; numbers and pruning as in Locatello et al. 2019,
    arXiv:1811.12359.

    Parameters
    ----------
    codes
        [n, m] the whole table: votes are looked up in it, with no assumption that it is a full grid.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. Rows are drawn for a
        factor only where it is known and shared with another row.
    votes, test_votes, points
        How many votes build the majority, how many are scored, and how many rows a vote draws (with
        replacement).
    variance_points
        Rows (without replacement) that the global variance is taken from.
    least_std
        Codes with a smaller standard deviation are left out; if none remains the score is 0.
    seed
        Seed of all draws.

    Returns
    -------
    VoteScore
        `float(...)` is the score, in [0, 1], higher is better; with the votes [k, m] of both rounds.

    Notes
    -----
    Chance is about 1/k or more; with one factor every vote would be right. It hardly punishes rotation and noise,
    and not duplication.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> float(factor_vae_score(factors, factors, votes=500, test_votes=500))
    1.0
    """
    z = as_codes(codes)
    labels = as_labels(factors, n=len(z), least_factors=2)
    rng = np.random.default_rng(seed)
    spread = sampled_variance(z, variance_points, rng)
    active = np.sqrt(spread) >= least_std
    return vote_score(
        z,
        groups_by_factor(labels),
        least_varying(spread, active),
        active,
        votes=(votes, test_votes),
        points=points,
        rng=rng,
    )
