"""InfoMEC: modularity, explicitness and compactness in information."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KDTree

from prismae.errors import InputError
from prismae.fields import Seed
from prismae.metrics._base import Learned, metric
from prismae.metrics._inputs import as_codes, as_labels, standardised

Floats = NDArray[np.float64]
Named = Literal["definition", "qlae-training", "qlae", "tripod", "factorqvae"]
MOST_LEVELS = 1024  # of a discrete code


@dataclass(frozen=True)
class Protocol:
    """What InfoMEC is computed with where codes are numbers, and how long regressions are.

    Parameters
    ----------
    neighbours
        Neighbours of a point in the estimate of information between numbers and classes.
    least
        Codes whose spread is smaller than this share of the widest code's are left out.
    quartiles
        Whether the spread is the distance between quartiles, or the range.
    balanced
        Whether regressions, with codes and without, weigh classes equally.
    steps
        Steps that a regression takes.
    least_discrete
        Spread above which a discrete code counts; None: the protocol takes discrete codes for numbers.
    """

    neighbours: int
    least: float
    quartiles: bool = False
    balanced: bool = True
    steps: int = 100
    least_discrete: float | None = None

    def active(self, z: Floats, discrete: bool) -> NDArray[np.bool_]:
        """Which codes [n, m] count."""
        low, high = np.quantile(z, (0.25, 0.75), axis=0) if self.quartiles else (z.min(axis=0), z.max(axis=0))
        spread = high / 2 - low / 2  # half of it: the whole may be no number
        if discrete:
            assert self.least_discrete is not None
            return spread > self.least_discrete / 2
        return (spread > 0) & (spread >= self.least * spread.max())


PROTOCOLS: dict[Named, Protocol] = {
    "definition": Protocol(3, 1 / 8, balanced=False, least_discrete=0.0),
    "qlae-training": Protocol(3, 1 / 8),
    "qlae": Protocol(10, 1 / 20, least_discrete=0.0),
    "tripod": Protocol(10, 1 / 10, quartiles=True, least_discrete=0.1),
    "factorqvae": Protocol(3, 1 / 20, steps=500),
}


@dataclass(frozen=True)
class InfoMEC(Learned):
    """The three scores, and the normalised mutual information [active codes, k] behind two of them.

    `settings` says by which protocol they were computed, and how codes were taken.
    """

    modularity: float
    explicitness: float
    compactness: float
    matrix: Floats
    active: NDArray[np.bool_]
    settings: dict[str, Any]
    information: Floats = field(repr=False)  # [n, active codes, k] each point's share, NaN where unknown
    surprise: Floats = field(
        repr=False
    )  # [n, k, 3] nats to name the value: with codes, without, by frequency

    @property
    def scores(self) -> dict[str, float]:
        return {"m": self.modularity, "e": self.explicitness, "c": self.compactness}

    def resample(self, rng: Generator) -> dict[str, float]:
        rows = rng.integers(len(self.surprise), size=len(self.surprise))
        return _scores(self.information[rows], self.surprise[rows])[0]


@metric(
    known={"identity": {"m": 1.0, "e": 1.0, "c": 1.0}, "constant": {"m": 0.0, "e": 0.0, "c": 0.0}},
    invariant=("permute_codes", "shift_codes", "flip_codes", "permute_factors", "relabel_factors"),
)
def infomec(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    discrete: bool = False,
    protocol: Named = "definition",
    seed: Seed = 0,
) -> InfoMEC:
    """InfoMEC: does a code know one factor (M), can factors be read linearly (E), does one code suffice (C)?

    With N [m, k] = I(z_i; v_k) / H(v_k): InfoM = mean_i max_k N_ik / sum_k N_ik, rescaled so that 1/k is 0;
    InfoC = mean_k max_i N_ik / sum_i N_ik, rescaled so that 1/m is 0; InfoE = mean_k 1 - H(v_k | codes) /
    H(v_k), where the conditional entropy is what a multinomial logistic regression without penalty reaches
    in 100 steps. Hsu et al. 2023, arXiv:2305.18378.

    Parameters
    ----------
    codes
        [n, m] with m >= 2.
    factors
        [n, k] with k >= 2, class indices; a column of other numbers is cut into 20 bins. NaN: the row is
        left out for that factor.
    discrete
        Whether codes are levels, of which each takes few: their information is that of counts, and regressions see
        each level as a column of its own. Otherwise codes are numbers, and information is estimated by nearest
        neighbours (Ross 2014), which needs no bins.
    protocol
        Whose numbers of neighbours, pruning and regressions; all are called InfoMEC. "definition" is "qlae-training"
        with InfoE as defined above, so without weights of classes. "qlae-training" is what QLAE's training scripts
        call (mutual_information.py, explicitness.py), "qlae" its file for other projects (infomec.py); "tripod" and
        "factorqvae" are those of these papers' code.
    seed
        Seed of the tiny noise (1e-10 of a standard deviation) that separates equal values.

    Returns
    -------
    InfoMEC
        Each in [0, 1], higher is better; with the matrix N.

    Notes
    -----
    Weights of classes change nothing where classes are equally frequent. Between protocols M and C differ by up to 0.1.

    Chance is far above 0 for M and C (0.3 to 0.8 on a dSprites grid): they compare shares, and the shares
    of noise are uneven. InfoE falls below 0 only for a regression worse than none, and counts as 0 then. One
    active code gives C = 1; none gives 0 throughout.

    Examples
    --------
    >>> factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (50, 1))  # each pair of values, 50 times
    >>> {name: round(score, 2) for name, score in infomec(factors, factors).scores.items()}
    {'m': 0.98, 'e': 1.0, 'c': 0.98}
    """
    z = as_codes(codes, least_codes=2, least_points=50).astype(np.float64)
    labels = as_labels(factors, n=len(z), least_factors=2)
    for k, column in enumerate(labels.T):
        if np.bincount(column[column >= 0]).max() < 2:
            raise InputError(
                f"No two points share a value of factor {k}, so a code's neighbours say nothing about it: "
                "leave it out."
            )
    numbers = PROTOCOLS[protocol]
    if discrete and numbers.least_discrete is None:
        known_of = [name for name, each in PROTOCOLS.items() if each.least_discrete is not None]
        raise InputError(
            f"Protocol {protocol!r} takes discrete codes for numbers: expected discrete=False, or one of "
            f"{', '.join(known_of)}."
        )
    active = numbers.active(z, discrete)
    z = z[:, active]
    levels = _levels(z) if discrete else np.empty((len(z), 0), dtype=np.int64)
    seen = _one_hot(levels) if discrete else standardised(z)
    rng = np.random.default_rng(seed)
    information = np.full((*z.shape, labels.shape[1]), np.nan)
    surprise = np.full((*labels.shape, 3), np.nan)
    for k, column in enumerate(labels.T):
        known = column >= 0
        x = seen[known] if discrete or known.all() else standardised(z[known])
        surprise[known, k] = _surprise(x, column[known], numbers)
    for i, code in enumerate(z.T):
        scaled = standardised(code) + 1e-10 * rng.standard_normal(len(code))
        for k, column in enumerate(labels.T):
            known = column >= 0
            information[known, i, k] = (
                counted_information(levels[known, i], column[known])
                if discrete
                else local_information(scaled[known], column[known], numbers.neighbours)
            )
    scores, matrix = _scores(information, surprise)
    settings = {"protocol": protocol, "discrete": discrete}
    return InfoMEC(scores["m"], scores["e"], scores["c"], matrix, active, settings, information, surprise)


def _levels(z: Floats) -> NDArray[np.int64]:
    """Number of the level [n, m] of each code, in order of value."""
    levels = np.empty(z.shape, dtype=np.int64)
    for i, code in enumerate(z.T):
        values, levels[:, i] = np.unique(code, return_inverse=True)
        if len(values) > MOST_LEVELS:
            raise InputError(
                f"A discrete code takes {len(values)} values, expected at most {MOST_LEVELS}: say discrete=False."
            )
    return levels


def _one_hot(levels: NDArray[np.int64]) -> Floats:
    """A column for each level of each code: [n, levels of all]."""
    return np.hstack([np.zeros((len(levels), 0)), *(np.eye(each.max() + 1)[each] for each in levels.T)])


def _scores(information: Floats, surprise: Floats) -> tuple[dict[str, float], Floats]:
    spent, without, entropy = np.moveaxis(np.nanmean(surprise, axis=0), -1, 0)
    explicit = float(np.mean(np.maximum(0.0, 1 - spent / without)))
    if not information.shape[1]:
        return {"m": 0.0, "e": explicit, "c": 0.0}, np.zeros(information.shape[1:])
    matrix = np.clip(np.nanmean(information, axis=0) / entropy, 0.0, None)
    return {"m": _concentration(matrix), "e": explicit, "c": _concentration(matrix.T)}, matrix


def _concentration(matrix: Floats) -> float:
    """Mean over rows of the largest entry's share, rescaled so that an even row (or one of zeros) is 0."""
    size = matrix.shape[1]
    if size == 1:
        return 1.0
    total = matrix.sum(axis=1)
    share = np.divide(matrix.max(axis=1), total, out=np.full(len(total), 1 / size), where=total > 0)
    return float((share.mean() - 1 / size) / (1 - 1 / size))


def _surprise(x: Floats, labels: NDArray, numbers: Protocol) -> Floats:
    """Nats [n, 3] to name each label: by a logistic regression on columns x [n, d], by one without, by frequency."""
    target = np.unique(labels, return_inverse=True)[1]
    count = np.bincount(target)
    frequency = -np.log(count[target] / len(target))
    without = np.full(len(target), np.log(len(count))) if numbers.balanced else frequency
    if not x.shape[1]:
        return np.column_stack([without, without, frequency])
    weight = "balanced" if numbers.balanced else None
    with warnings.catch_warnings():
        # Where codes tell all classes apart, weights grow without end: the steps are the definition.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=np.inf, max_iter=numbers.steps, class_weight=weight)
        scores = model.fit(x, target).decision_function(x)
    if scores.ndim == 1:
        scores = np.column_stack([np.zeros(len(x)), scores])
    with_codes = -log_softmax(scores, axis=1)[np.arange(len(target)), target]
    return np.column_stack([with_codes, without, frequency])


def counted_information(levels: NDArray, labels: NDArray) -> Floats:
    """Each point's share [n] in the information between levels and classes as counted: log p(a, b) / p(a) p(b)."""
    joint = np.zeros((levels.max() + 1, labels.max() + 1))
    np.add.at(joint, (levels, labels), 1)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0) / len(labels)
    return np.log(joint[levels, labels] / expected[levels, labels])


def local_information(values: Floats, labels: NDArray, neighbours: int = 3) -> Floats:
    """Each point's share [n] in the information between numbers and classes, which is the mean over points.

    Ross 2014 (PLoS ONE 9(2): e87357): digamma(n) - digamma(points of the class) + digamma(neighbours) -
    digamma(points of any class nearer than the class's neighbour, itself among them). NaN for the only point
    of its class. Nearer is meant of differences: comparing values with value ± distance rounds again, and
    counts the neighbour itself at some points.
    """
    count = np.bincount(labels)
    usable = count[labels] > 1
    share = np.full(len(values), np.nan)
    everything = KDTree(values[usable, None], metric="chebyshev")
    for c in np.flatnonzero(count > 1):
        members = np.flatnonzero(labels == c)
        x = values[members]
        k = min(neighbours, len(x) - 1)
        order = np.argsort(x)
        radius = np.empty(len(x))
        radius[order] = _neighbour_distance(x[order], k)
        within = everything.query_radius(x[:, None], np.nextafter(radius, 0), count_only=True)
        share[members] = digamma(usable.sum()) - digamma(len(x)) + digamma(k) - digamma(within)
    return share


def _neighbour_distance(ordered: Floats, k: int) -> Floats:
    """Distance [n] to the k-th nearest other of sorted numbers: the k nearest lie side by side."""
    padded = np.r_[np.full(k, -np.inf), ordered, np.full(k, np.inf)]
    n = len(ordered)
    windows = [
        np.maximum(
            ordered - padded[k - left : k - left + n], padded[2 * k - left : 2 * k - left + n] - ordered
        )
        for left in range(k + 1)
    ]
    return np.min(windows, axis=0)
