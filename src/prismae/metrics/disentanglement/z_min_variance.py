"""Z-min variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prismae.fields import AtLeastTwo, Count, NonNegative, Seed
from prismae.metrics._base import metric
from prismae.metrics._inputs import as_codes, as_labels
from prismae.metrics._votes import (
    Held,
    VoteScore,
    groups_by_factor,
    least_varying,
    sampled_variance,
    vote_score,
)


@metric(
    needs="table",
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def z_min_variance(
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
    """Z-min variance: the FactorVAE vote, with chance as 0.

    A vote holds a random factor, draws `points` rows, and names the code with the least variance relative to
    its variance over all rows. Score = (a - 1/k) / (1 - 1/k), a the accuracy of the majority vote on fresh
    votes; not below 0. Kim & Mnih 2018, in the form of the review by Carbonneau et al. 2022,
    arXiv:2012.09276.

    Parameters
    ----------
    codes
        [n, m] the whole table.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. Rows are drawn for
        a factor only where it is known and shared with another row.
    votes, test_votes, points
        How many votes build the majority, how many are scored, and how many rows a vote draws (with
        replacement).
    variance_points
        Rows (without replacement) that the global variance is taken from.
    least_std
        Codes with a smaller standard deviation are left out, as in `factor_vae_score` and the review's code;
        if none remains the score is 0.
    held
        How the held value is drawn: "values", every value alike, as the review's code does; "rows", as often as
        it occurs. It matters for factors whose values are not equally frequent.
    seed
        Seed of all draws.

    Returns
    -------
    VoteScore
        `float(...)` is the score, in [0, 1], higher is better; with the votes [k, m] of both rounds.

    Notes
    -----
    The majority's choice makes shuffled codes score somewhat above 0. It hardly punishes rotation and noise,
    and not duplication.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> float(z_min_variance(factors, factors, points=20))
    1.0
    """
    z = as_codes(codes)
    labels = as_labels(factors, n=len(z), least_factors=2)
    rng = np.random.default_rng(seed)
    spread = sampled_variance(z, variance_points, rng)
    active = np.sqrt(spread) >= least_std
    return vote_score(
        z,
        groups_by_factor(labels, held),
        least_varying(spread, active),
        active,
        votes=(votes, test_votes),
        points=points,
        rng=rng,
        chance=1 / labels.shape[1],
    )
