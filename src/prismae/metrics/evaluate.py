"""Scoring codes: which points each metric sees, intervals, ceiling and chance level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prismae.errors import InputError, unknown_name
from prismae.metrics._base import Learned, Metric, Result, all_metrics
from prismae.metrics._information import mutual_information_matrix
from prismae.metrics._inputs import as_codes, as_factors, as_kinds
from prismae.metrics._protocols import Protocol, find_protocol
from prismae.metrics._scores import Score, Scores

__all__ = ["Score", "Scores", "evaluate_codes"]

DEAD_STD = 0.01


def evaluate_codes(
    codes: ArrayLike,
    factors: ArrayLike | None = None,
    *,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[str] | None = None,
    metrics: str | Sequence[str] = "default",
    protocol: str = "locatello2019",
    bootstrap: int = 0,
    baselines: bool = True,
    seed: int = 0,
    other_runs: Sequence[ArrayLike] = (),
) -> Scores:
    """Score codes by several metrics, each beside its ceiling, its chance level and a bootstrap interval.

    Parameters
    ----------
    codes
        [n, m] codes of all points of a world: its codes table.
    factors
        [n, k] class indices or values, NaN where unknown; None: only metrics that need no factors are taken.
    factor_names, factor_kinds
        k names (for messages) and k kinds, "categorical" or "continuous".
    metrics
        "default", "all" (of the protocol), or names. What a world does not allow is left out of "default"
        and "all", with the reason; a metric that was named raises instead.
    protocol
        "locatello2019" or "yeats2023"; the latter's numbers follow from n (at most 1,000 points:
        "beamsynthesis") unless named: "yeats2023/dsprites", "yeats2023/beamsynthesis".
    bootstrap
        How many replicates the 95 % intervals rest on; 0: no intervals. The spread of the replicates is put
        around the score, because drawing points again shifts information measures. A metric that learns
        keeps what it learned.
    baselines
        Whether ceiling and chance level are computed (three times the work).
    seed
        Of all draws: same seed, same scores.
    other_runs
        Codes tables of other seeds of the same model, on the same points, for metrics that compare runs.

    Returns
    -------
    Scores
        A mapping of name → Score.

    Notes
    -----
    Points are drawn without replacement: 10,000, and 5,000 more for scoring where something is learned. A
    world with fewer points gives all of them, or two thirds for learning and one third for scoring.
    """
    z = as_codes(codes)
    kinds = None
    if factors is not None:
        factors = as_factors(factors, n=len(z))
        kinds = as_kinds(factor_kinds, factors)
        _check_factors(factors, factor_names)
    if bootstrap < 0:
        raise InputError(f"There can be no {bootstrap} bootstrap replicates, expected 0 or more.")
    plan = find_protocol(protocol, len(z))
    given = _Given(z, factors, kinds, tuple(as_codes(run) for run in other_runs), plan, seed)
    ideal = shuffled = None
    if baselines and factors is not None:
        ideal = replace(given, codes=ideal_codes(factors, z.shape[1], seed))
        shuffled = replace(given, codes=z[np.random.default_rng(seed).permutation(len(z))])

    chosen, named = _choose(metrics, plan)
    scores: dict[str, Score] = {}
    skipped: dict[str, str] = {}
    matrices: dict[str, list[list[float]]] = {}
    if factors is not None:
        rows = given.rows(plan.n_points)
        matrices["mutual-information"] = mutual_information_matrix(z[rows], factors[rows]).tolist()
    for each in chosen:
        try:
            args, kwargs, used = given.arguments(each)
            result = each(*args, **kwargs)
        except InputError as error:
            if named:
                raise InputError(f"{each.name}: {error}") from None
            skipped[each.key] = str(error)
            continue
        ceiling = _baseline(each, ideal)
        chance = _baseline(each, shuffled) if each.needs in ("points", "split", "table") else {}
        replicates = _replicates(each, result, args, kwargs, bootstrap, seed)
        for short, value in _scores_of(result).items():
            lower, upper = _interval(value, replicates.get(short, []), each.bounds)
            scores[f"{each.key}-{short}" if short else each.key] = Score(
                value,
                lower,
                upper,
                ceiling.get(short),
                chance.get(short),
                each.higher_is_better,
                used,
                plan.label,
            )
        matrix = getattr(result, "importance", getattr(result, "matrix", None))
        if matrix is not None:
            matrices[each.key] = np.asarray(matrix).tolist()
    return Scores(scores, skipped, matrices)


def ideal_codes(factors: NDArray, n_codes: int, seed: int = 0) -> NDArray[np.float32]:
    """Codes [n, max(n_codes, k)] that know everything: standardised factors, then dead codes N(0, 0.01^2)."""
    n, k = factors.shape
    dead = max(n_codes - k, 0)
    z = np.empty((n, k + dead), dtype=np.float32)
    for i, column in enumerate(factors.T):
        spread = float(np.nanstd(column))
        z[:, i] = np.nan_to_num((column - np.nanmean(column)) / (spread if spread > 0 else 1.0))
    z[:, k:] = DEAD_STD * np.random.default_rng(seed).standard_normal((n, dead), dtype=np.float32)
    return z


@dataclass(frozen=True)
class _Given:
    """The table, and what of it a metric sees: the same rows for the same number of points."""

    codes: NDArray
    factors: NDArray | None
    kinds: tuple[str, ...] | None
    other_runs: tuple[NDArray, ...]
    plan: Protocol
    seed: int

    def rows(self, n: int) -> NDArray[np.int64]:
        """Up to n rows without replacement."""
        return np.random.default_rng(self.seed).permutation(len(self.codes))[:n]

    def arguments(self, metric: Metric) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
        """Positional and keyword arguments of a metric, and its parameters as results should say them."""
        valid = metric.parameters
        options = dict(self.plan.parameters.get(metric.name, {}))
        if "seed" in valid:
            options["seed"] = self.seed
        if "factor_kinds" in valid:
            options["factor_kinds"] = self.kinds
        said = {name: value for name, value in {**valid, **options}.items() if name != "test"}
        n_points = self.plan.points.get(metric.name, self.plan.n_points)
        if metric.needs not in ("codes", "runs") and self.factors is None:
            raise InputError("The metric needs the factors of the points, and none are known.")
        if metric.needs == "table":
            return (self.codes, self.factors), options, said | {"n_table": len(self.codes)}
        if metric.needs == "split":
            assert self.factors is not None
            rows = self.rows(n_points + self.plan.n_test)
            n_test = len(rows) // 3
            train, test = rows[: len(rows) - n_test], rows[len(rows) - n_test :]
            options["test"] = (self.codes[test], self.factors[test])
            said |= {"n_train": len(train), "n_test": len(test)}
            return (self.codes[train], self.factors[train]), options, said
        rows = self.rows(n_points)
        said |= {"n_points": len(rows)}
        if metric.needs == "runs":
            if not self.other_runs:
                raise InputError("The metric compares runs, and the codes of one run alone are given.")
            return ([run[rows] for run in (self.codes, *self.other_runs)],), options, said
        if metric.needs == "codes":
            return (self.codes[rows],), options, said
        assert self.factors is not None
        return (self.codes[rows], self.factors[rows]), options, said


def _choose(metrics: str | Sequence[str], plan: Protocol) -> tuple[list[Metric], bool]:
    """The metrics to take, and whether they were named."""
    valid = {each.key: each for each in all_metrics().values() if each.protocol == plan.name}
    if metrics == "all":
        return list(valid.values()), False
    if metrics == "default":
        return [valid[name] for name in plan.default], False
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in names:
        if name not in valid:
            raise unknown_name(f"metric of {plan.name}", name, valid)
    return [valid[name] for name in names], True


def _check_factors(factors: NDArray, names: Sequence[str] | None) -> None:
    if names is not None and len(names) != factors.shape[1]:
        raise InputError(f"There are {factors.shape[1]} factors but {len(names)} factor names.")
    for k, column in enumerate(factors.T):
        known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
        if not len(known) or known.min() == known.max():
            name = repr(names[k]) if names is not None else str(k)
            raise InputError(
                f"Factor {name} has only one value, so nothing can be said about it: leave it out."
            )


def _scores_of(result: Any) -> dict[str, float]:
    return result.scores if isinstance(result, Result) else {"": float(result)}


def _baseline(metric: Metric, given: _Given | None) -> dict[str, float]:
    if given is None or metric.needs == "runs":
        return {}
    args, kwargs, _ = given.arguments(metric)
    return _scores_of(metric(*args, **kwargs))


def _replicates(
    metric: Metric, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any], bootstrap: int, seed: int
) -> dict[str, list[float]]:
    """Scores on points or votes drawn again, by short name."""
    replicates: dict[str, list[float]] = {}
    rng = np.random.default_rng(seed)
    for _ in range(bootstrap):
        if isinstance(result, Learned):
            drawn = result.resample(rng)
        else:
            drawn = _scores_of(metric(*_drawn_again(args, rng), **kwargs))
        for short, value in drawn.items():
            replicates.setdefault(short, []).append(value)
    return replicates


def _drawn_again(args: tuple[Any, ...], rng: np.random.Generator) -> tuple[Any, ...]:
    """Arrays with their rows drawn again, the same rows in each; the runs of a list share their rows too."""
    runs = args[0] if isinstance(args[0], list) else None
    n = len(runs[0] if runs else args[0])
    rows = rng.integers(n, size=n)
    return ([run[rows] for run in runs],) if runs else tuple(each[rows] for each in args)


def _interval(
    score: float, replicates: Sequence[float], bounds: tuple[float, float]
) -> tuple[float | None, ...]:
    """95 % interval around the score with the replicates' spread, within the metric's bounds."""
    if not replicates or not np.isfinite([score, *replicates]).all():
        return None, None
    low, high = np.quantile(np.asarray(replicates) - np.mean(replicates), (0.025, 0.975))
    return float(np.clip(score + low, *bounds)), float(np.clip(score + high, *bounds))
