"""Four scores as the public evaluation code of GCAE (Yeats et al. 2023) computes them.

They bear the names of well-known metrics but are other quantities: use them to compare with tables that were
published by that protocol, and for nothing else. The usual definitions stand in the modules of their names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.errors import Unavailable
from prismae.fields import AtLeastTwo, Count, NonNegative, Seed
from prismae.metrics._base import AFFINE, metric
from prismae.metrics._boosting import fit_boosted
from prismae.metrics._information import factor_entropy, gap, joint_counts, mutual_information
from prismae.metrics._inputs import Test, as_codes, as_factors, as_kinds, as_labels, held_out
from prismae.metrics._votes import VoteScore, groups_by_factor, least_varying, sampled_variance, vote_score
from prismae.metrics.disentanglement.dci import disentanglement
from prismae.metrics.disentanglement.sap import squared_correlation

PROTOCOL = "yeats2023"


def _varying(factors: ArrayLike, n: int) -> NDArray:
    """The factors that take more than one value: this protocol leaves the others out."""
    v = as_factors(factors, n=n)
    kept = v[:, [np.nanmin(column) < np.nanmax(column) for column in v.T]]
    if not kept.shape[1]:
        raise Unavailable("Every factor has only one value, so nothing can be said about any.")
    return kept


@metric(
    known={"constant": 0.0, "duplicated": 0.0},
    invariant=("permute_codes", "permute_factors", "relabel_factors"),
    protocol=PROTOCOL,
    key="mig",
)
def mig_yeats2023(
    codes: ArrayLike, factors: ArrayLike, *, bins: AtLeastTwo = 20, margin: NonNegative = 0.05
) -> float:
    """MIG of the yeats2023 protocol: bins shared by all codes. WARNING: depends on the codes' scales.

    As `mig`, but every code is cut into the same `bins` equal-width bins, from the least value of all codes
    - `margin` to the greatest + `margin`; factors of one value are left out. So a code much narrower than
    the widest is one bin, and knows nothing.

    Parameters
    ----------
    codes, factors
        [n, m] with m >= 2, and [n, k]; the protocol takes 10,000 points (dSprites) or all 360
        (Beamsynthesis).
    bins
        20 (dSprites) or 50 (Beamsynthesis).
    margin
        Widening of the range on either side.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(mig_yeats2023(factors, factors), 3)
    1.0
    """
    z = as_codes(codes, least_codes=2, least_points=bins)
    labels = as_labels(_varying(factors, len(z)), n=len(z))
    inner = np.linspace(float(z.min()) - margin, float(z.max()) + margin, bins + 1)[1:-1]
    information = mutual_information(
        joint_counts(np.searchsorted(inner, z, side="right").astype(np.int32), labels)
    )
    return float(np.mean(gap(information, axis=0) / factor_entropy(labels)))


@metric(
    needs="table",
    known={"identity": 1.0, "constant": 0.0, "duplicated": 1.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
    protocol=PROTOCOL,
    key="fac",
)
def fac_yeats2023(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    votes: Count = 5_000,
    test_votes: Count = 1_000,
    points: AtLeastTwo = 64,
    variance_points: AtLeastTwo = 10_000,
    least_variance: NonNegative = 0.05,
    seed: Seed = 0,
) -> VoteScore:
    """FAC of the yeats2023 protocol. WARNING: drops codes by variance 0.05, which is standard deviation 0.22.

    As `factor_vae_score` with other numbers; a factor of one value is never drawn, and two others are needed.

    Parameters
    ----------
    codes, factors
        [n, m] and [n, k], the whole table. Each row is taken with the factors that it really has; the
        published code looks Beamsynthesis up in another order than its files have, so that published values
        may rest on the wrong factor held fixed (measured effect 0.00 to 0.13).
    votes, test_votes, points
        5,000, 1,000 and 64 (Beamsynthesis: 1,000, 200 and 64).
    variance_points
        10,000 (Beamsynthesis: all 360).
    least_variance
        Codes with less variance are left out; if none remains the score is 0.
    seed
        Seed of all draws.

    Returns
    -------
    VoteScore
        `float(...)` is the score, in [0, 1], higher is better.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> float(fac_yeats2023(factors, factors, votes=500, test_votes=500))
    1.0
    """
    z = as_codes(codes)
    labels = as_labels(_varying(factors, len(z)), n=len(z), least_factors=2)
    rng = np.random.default_rng(seed)
    spread = sampled_variance(z, variance_points, rng)
    active = spread >= least_variance
    return vote_score(
        z,
        groups_by_factor(labels),
        least_varying(spread, active),
        active,
        votes=(votes, test_votes),
        points=points,
        rng=rng,
    )


@metric(
    known={"constant": 1.0},
    invariant=(*AFFINE, "permute_factors", "relabel_factors"),
    protocol=PROTOCOL,
    key="dci",
)
def dci_yeats2023(
    codes: ArrayLike, factors: ArrayLike, *, constant_factor: bool = True, seed: Seed = 0
) -> float:
    """DCI disentanglement of the yeats2023 protocol. WARNING: counts a factor that never varies, by default.

    As D of `dci` (gradient boosting, no test points), with one more factor, dSprites' constant colour, whose
    importance is 1/m for every code; so entropies have base k + 1, perfect codes score below 1, and constant
    codes 1.

    Parameters
    ----------
    codes, factors
        [n, m] with m >= 2, and [n, k]; the protocol takes 1,000 points (Beamsynthesis: all 360).
    constant_factor
        Whether there is that factor: True for dSprites, False for Beamsynthesis.
    seed
        Seed of ties between splits.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> round(dci_yeats2023(factors, factors, constant_factor=False), 2)
    1.0
    """
    z = as_codes(codes, least_codes=2, least_points=30).astype(np.float64)
    labels = as_labels(_varying(factors, len(z)), n=len(z))
    columns = [fit_boosted(z[v >= 0], v[v >= 0], seed=seed).importance for v in labels.T]
    if constant_factor:
        columns.append(np.full(z.shape[1], 1 / z.shape[1]))
    return disentanglement(np.column_stack(columns))


@metric(
    needs="split",
    better="neither",
    invariant=(*AFFINE, "permute_factors"),
    protocol=PROTOCOL,
    key="sap",
)
def sap_yeats2023(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    factor_kinds: Sequence[str] | None = None,
    constant_factor: bool = True,
    test: Test | None = None,
    seed: Seed = 0,
) -> float:
    """SAP of the yeats2023 protocol. WARNING: not the usual SAP; with a constant factor *larger is worse*.

    S[i, k] = squared correlation of code i with a continuous factor k, 0 for every categorical factor (the
    published code compares predictions with an encoder object instead of labels) and 1 for the constant
    colour, on the test points: a classifier would learn on the others, but what it learns is never used. The
    score is mean_i (largest - second largest of S[i, :]): per code over factors, where SAP takes
    the gap per factor over codes. With the constant factor that is mean_i (1 - max_k r^2_ik): .998 for
    random codes, .60 for well separated ones.

    Parameters
    ----------
    codes, factors
        [n, m] and [n, k]; the protocol takes 5,000 points to learn on and 1,000 to score on (Beamsynthesis: 240
        and 120).
    factor_kinds
        "categorical" or "continuous" per factor, at least one of them continuous; not given, whole numbers are
        categorical.
    constant_factor
        Whether there is that factor: True for dSprites, False for Beamsynthesis.
    test
        (codes, factors) to score on; without it, a third of the points is kept apart, and the score is theirs.
    seed
        Seed of the split without `test`.

    Returns
    -------
    float
        In [0, 1]; no direction is better in general.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> kinds = ["continuous", "continuous"]
    >>> round(sap_yeats2023(factors, factors, factor_kinds=kinds, constant_factor=False), 2)
    0.99
    """
    kinds = as_kinds(factor_kinds, as_factors(factors, n=len(as_codes(codes))))
    z, v = held_out(codes, factors, test, seed)
    if "continuous" not in kinds:
        raise Unavailable(
            "No factor is continuous, so the score would be the same for any codes: see factor_kinds."
        )
    columns = []
    for k, kind in enumerate(kinds):
        known = ~np.isnan(v[:, k])
        columns.append(
            squared_correlation(z[known], v[known, k]) if kind == "continuous" else np.zeros(z.shape[1])
        )
    if constant_factor:
        columns.append(np.ones(z.shape[1]))
    if len(columns) < 2:
        raise Unavailable("The gap is taken over factors and needs at least 2, got 1.")
    return float(np.mean(gap(np.column_stack(columns), axis=1)))
