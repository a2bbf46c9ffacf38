"""Unsupervised disentanglement ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.linear_model import Lasso

from prismae.errors import InputError
from prismae.fields import NonNegative, Positive
from prismae.metrics._base import AFFINE, Result, metric
from prismae.metrics._inputs import as_codes, standardised, varying

Floats = NDArray[np.float64]
Kind = Literal["spearman", "lasso"]


@dataclass(frozen=True)
class UDR(Result):
    """Scores of several runs.

    Parameters
    ----------
    score
        Score of the first run.
    runs
        [runs] each run's score: the median of the others' agreement with it.
    agreement
        [runs, runs] how well the codes of run i (row) agree with those of run j (column), NaN on the diagonal.
    """

    score: float
    runs: Floats
    agreement: Floats


@metric(needs="runs", invariant=AFFINE)
def udr_spearman(
    codes: Sequence[ArrayLike], *, kl: Sequence[ArrayLike | None] | None = None, least_kl: NonNegative = 0.01
) -> UDR:
    """UDR with rank correlation: do different seeds find the same codes, up to order and sign?

    R [a, b] = |Spearman correlation| between codes a and b of two runs, over codes that inform. Their
    agreement is (mean_b max_a R_ab^2 / sum_a R_ab + mean_a max_b R_ab^2 / sum_b R_ab) / 2, and a run's score
    the median over the others of their agreement with it. Duan et al. 2020, arXiv:1905.12614. Needs no factors.

    Parameters
    ----------
    codes
        Codes of at least two runs, each [n, m_s], on the same n points.
    kl
        Per run [m_s]: what each code tells in nats, by the authors its mean KL divergence from the prior; codes below
        `least_kl` do not inform.
        None, for a run or for all: only constant codes are left out (our reading, for models that have no such
        divergence).
    least_kl
        See `kl`.

    Returns
    -------
    UDR
        `float(...)` is the first run's score, in [0, 1], higher is better; with all runs' scores.

    Notes
    -----
    It rests on the claim that disentangled solutions are alike and entangled ones differ. A run without
    informative codes agrees with none (0).

    Examples
    --------
    >>> codes = np.random.default_rng(0).normal(size=(500, 3))
    >>> round(float(udr_spearman([codes, -codes[:, ::-1], codes])), 2)  # the same codes, ordered and signed otherwise
    0.98
    """
    return _udr(codes, kl, least_kl, _spearman)


@metric(needs="runs", invariant=AFFINE)
def udr_lasso(
    codes: Sequence[ArrayLike],
    *,
    kl: Sequence[ArrayLike | None] | None = None,
    least_kl: NonNegative = 0.01,
    alpha: Positive = 0.1,
) -> UDR:
    """UDR with lasso: as `udr_spearman`, with R [a, b] the weight of code a in predicting code b.

    R [a, b] = |coefficient of code a| in the lasso regression, with penalty `alpha`, of code b of this run on all
    codes of another one, all standardised. Duan et al. 2020, arXiv:1905.12614. Needs no factors.

    Parameters
    ----------
    codes, kl, least_kl
        As for `udr_spearman`.
    alpha
        The penalty.

    Returns
    -------
    UDR
        `float(...)` is the first run's score, in [0, 1], higher is better; with all runs' scores.

    Notes
    -----
    The agreement of two runs depends on which one predicts the other. A run's score is the median over the runs that
    predict it, as in the authors' code.

    Examples
    --------
    >>> codes = np.random.default_rng(0).normal(size=(500, 3))
    >>> round(float(udr_lasso([codes, -codes[:, ::-1], codes])), 2)  # the same codes, ordered and signed otherwise
    0.9
    """
    return _udr(codes, kl, least_kl, lambda a, b: _lasso(a, b, alpha))


def _udr(codes, kl, least_kl, relate) -> UDR:  # type: ignore[no-untyped-def]
    runs = [as_codes(each, least_points=10).astype(np.float64) for each in codes]
    if len(runs) < 2:
        raise InputError(f"The metric compares runs and needs the codes of at least 2, got {len(runs)}.")
    if len({len(each) for each in runs}) > 1:
        raise InputError(
            f"The runs have {sorted({len(each) for each in runs})} points, expected the same points."
        )
    divergences = [None if each is None else np.asarray(each) for each in kl or [None] * len(runs)]
    expected = [(each.shape[1],) for each in runs]
    if [m if d is None else d.shape for d, m in zip(divergences, expected, strict=False)] != expected:
        raise InputError(
            "The divergences must be given for every code of a run, and None for a run that has none."
        )
    for i, each in enumerate(runs):
        divergence = divergences[i]
        informs = True if divergence is None else divergence >= least_kl
        runs[i] = each[:, varying(each) & informs]
    agreement = np.full((len(runs), len(runs)), np.nan)
    for i, a in enumerate(runs):
        for j, b in enumerate(runs):
            if i != j:
                agreement[i, j] = _agreement(relate(a, b)) if a.shape[1] and b.shape[1] else 0.0
    scores = np.nanmedian(agreement, axis=0)
    return UDR(float(scores[0]), scores, agreement)


def _agreement(relation: Floats) -> float:
    """How near a matrix of relations is to a one-to-one match: in [0, 1]."""
    parts = []
    for each in (relation, relation.T):
        largest, total = each.max(axis=0), each.sum(axis=0)
        parts.append(np.mean(np.divide(largest**2, total, out=np.zeros(len(total)), where=total > 0)))
    return float(np.mean(parts))


def _spearman(a: Floats, b: Floats) -> Floats:
    ranks = [standardised(rankdata(each, axis=0)) for each in (a, b)]
    return np.abs(ranks[0].T @ ranks[1]) / len(a)


def _lasso(a: Floats, b: Floats, alpha: float) -> Floats:
    model = Lasso(alpha=alpha).fit(standardised(a), standardised(b))
    return np.abs(np.reshape(model.coef_, (b.shape[1], a.shape[1]))).T
