"""Taking scores: each metric with what it is given, its ceiling, its chance level and a bootstrap interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from prismae.errors import InputError, Unavailable
from prismae.metrics._base import Learned, Metric, Result
from prismae.metrics._progress import Progress
from prismae.metrics._scores import Score, Scores


@dataclass(frozen=True)
class Inputs:
    """Arguments of a metric."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A metric's inputs, and those of its baselines.

    Parameters
    ----------
    key
        Name in the table: the metric's key, with what it was taken of in brackets where there is a choice.
    inputs
        What the score is taken of.
    said
        The metric's parameters and the numbers of points, as results should say them.
    ceiling, chance
        What the baselines are taken of; None: there is no such baseline.
    suffix
        Appended to the names of the scores: "-samples".
    """

    key: str
    inputs: Inputs
    said: dict[str, Any]
    ceiling: Inputs | None = None
    chance: Inputs | None = None
    suffix: str = ""


class Given(Protocol):
    """The data of an evaluation, and what of it a metric sees."""

    def calls(self, metric: Metric) -> Iterator[Call]:
        """What the metric is given, once for each score that it has here; InputError if it cannot be taken."""
        ...


def take_scores(
    given: Given,
    chosen: Sequence[Metric],
    *,
    label: str,
    named: bool,
    bootstrap: int,
    seed: int,
    progress: bool,
) -> Scores:
    """Scores of the chosen metrics; those that cannot be taken are left out, or raise if they were `named`.

    A metric whose network is not at hand is left out in either case: the others are no worse for it.
    """
    scores: dict[str, Score] = {}
    skipped: dict[str, str] = {}
    matrices: dict[str, list[list[float]]] = {}
    with Progress(label, len(chosen), enabled=progress) as bar:
        for metric in chosen:
            bar.show(metric.key)
            try:
                for call in given.calls(metric):
                    bar.show(f"{call.key}{call.suffix}")
                    result = metric(*call.inputs.args, **call.inputs.kwargs)
                    bar.show(f"{call.key}{call.suffix}: baselines")
                    ceiling, chance = (_baseline(metric, each) for each in (call.ceiling, call.chance))
                    replicates = _replicates(metric, result, call, bootstrap, seed, bar)
                    said = call.said | getattr(result, "settings", {})
                    for short, value in _scores_of(result).items():
                        lower, upper = _interval(value, replicates.get(short, []), metric.bounds)
                        name = f"{call.key}-{short}" if short else call.key
                        scores[name + call.suffix] = Score(
                            value,
                            lower,
                            upper,
                            ceiling.get(short),
                            chance.get(short),
                            metric.better,
                            said,
                            label,
                        )
                    matrix = getattr(result, "importance", getattr(result, "matrix", None))
                    if matrix is not None:
                        matrices[call.key] = np.asarray(matrix).tolist()
            except InputError as error:
                if named and not isinstance(error, Unavailable):
                    raise InputError(f"{metric.name}: {error}") from None
                skipped[metric.key] = str(error)
            bar.advance()
    return Scores(scores, skipped, matrices)


def _scores_of(result: Any) -> dict[str, float]:
    found = result.scores if isinstance(result, Result) else {"": result}
    return {short: float(value) for short, value in found.items()}


def _baseline(metric: Metric, inputs: Inputs | None) -> dict[str, float]:
    return {} if inputs is None else _scores_of(metric(*inputs.args, **inputs.kwargs))


def _replicates(
    metric: Metric, result: Any, call: Call, bootstrap: int, seed: int, bar: Progress
) -> dict[str, list[float]]:
    """Scores on points, votes or images drawn again, by short name; none where official networks would run again."""
    replicates: dict[str, list[float]] = {}
    if metric.needs in ("images", "pairs") and not isinstance(result, Learned):
        return replicates
    rng = np.random.default_rng(seed)
    for i in range(bootstrap):
        bar.show(f"{call.key}{call.suffix}: replicate {i + 1} of {bootstrap}")
        if isinstance(result, Learned):
            drawn = result.resample(rng)
        else:
            drawn = _scores_of(metric(*_drawn_again(call.inputs.args, rng), **call.inputs.kwargs))
        for short, value in drawn.items():
            replicates.setdefault(short, []).append(value)
    return replicates


def _drawn_again(args: tuple[Any, ...], rng: Generator) -> tuple[Any, ...]:
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
