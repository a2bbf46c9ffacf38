"""Taking scores: each metric with what it is given, its ceiling, its chance level and a bootstrap interval."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.random import Generator

from prismae._progress import Bar
from prismae.errors import DataWarning, InputError, Unavailable, of_machine
from prismae.evaluation.families import Call, Inputs
from prismae.evaluation.options import Options
from prismae.evaluation.protocols import Wanted
from prismae.evaluation.scores import Score, Scores
from prismae.metrics import Learned, Metric, Result
from prismae.metrics._information import sharing

ROUNDING = 1e-3  # how far a score may lie outside its bounds
Walked = Iterator[tuple[str, Scores, Unavailable | None]]
Heard = Callable[[str, Scores], None]


def walk(subject: Any, wanted: Mapping[str, Wanted], options: Options, heard: Heard | None = None) -> Walked:
    """The scores of each protocol; where none can be had, the reasons, and the error that says it.

    Parameters
    ----------
    subject
        A `prismae.evaluation.subjects.Subject`, or arrays of one family.
    wanted
        As `prismae.evaluation.protocols.by_protocol` gives it.
    heard
        Called with a protocol's name and the scores of one metric, as they come.
    """
    for name, each in wanted.items():
        refused = None
        try:
            scores = take(subject, each, options, heard)
        except Unavailable as error:
            refused = error
            scores = Scores({}, {key: error.reasons.get(key, str(error)) for key in each.metrics})
        yield name, scores, refused


def joined(walked: Walked) -> Scores:
    """The scores of several protocols, without those of one that has none here.

    Raises
    ------
    InputError
        If two protocols have scores of one name.
    Unavailable
        If nothing can be had.
    """
    found, refusals = Scores({}), []
    for protocol, scores, refused in walked:
        twice = found.scores.keys() & scores.scores.keys()
        if twice:
            raise InputError(
                f"Protocol {protocol!r} has a score {min(twice)!r} and so has another: expected one of them at a time."
            )
        found = found | scores
        refusals += [] if refused is None else [refused]
    if refusals and not found:
        raise refusals[0]
    return found


def take(subject: Any, wanted: Wanted, options: Options, heard: Heard | None = None) -> Scores:
    """Scores by one protocol; metrics that cannot be taken are left out, with the reason. `heard` as for `walk`.

    Raises
    ------
    InputError
        If one that was named is given wrong input, unless `options` are tolerant.
    Unavailable
        If none of those that were named can be taken, or none of a family.
    """
    try:
        plan, family = wanted.plan(subject.size), wanted.family
        given = family.given(subject, plan, list(wanted.metrics.values()), options)
    except Exception as error:
        if not options.tolerant or of_machine(error):
            raise
        return _one_by_one(subject, wanted, options, heard, error)
    found, skipped = Scores({}), {}
    with Bar(plan.label, len(wanted.metrics), enabled=options.progress) as bar, sharing():
        for key, metric in wanted.metrics.items():
            bar.show(key)
            try:
                for call in given.calls(metric):
                    scores = _taken(call, key, metric, plan.label, options, bar)
                    found = found | scores
                    if heard is not None:
                        heard(wanted.name, scores)
            except InputError as error:
                if key in wanted.named and not isinstance(error, Unavailable) and not options.tolerant:
                    raise InputError(f"{metric.name}: {error}") from None
                skipped[key] = str(error)
            except Exception as error:
                if not options.tolerant or of_machine(error):
                    raise
                skipped[key] = _said(error)
            bar.advance()
        beside = {name: matrix.tolist() for name, matrix in family.matrices(given).items()}
    if skipped and not found and (wanted.named or family.alone):
        name, reason = next(iter(skipped.items()))
        said = "" if wanted.named else f"Nothing of {plan.name} can be scored; "
        raise Unavailable(f"{said}{name}: {reason}", skipped)
    return Scores({}, skipped, beside) | found


def _one_by_one(
    subject: Any, wanted: Wanted, options: Options, heard: Heard | None, error: Exception
) -> Scores:
    """The scores that can be taken where all at once cannot, for that `error`."""
    found = Scores({})
    for key, metric in wanted.metrics.items() if len(wanted.metrics) > 1 else ():
        alone = {wanted.name: replace(wanted, metrics={key: metric})}
        for _, scores, _ in walk(subject, alone, options, heard):
            found = found | scores
    if not found.scores:
        raise Unavailable(
            _said(error), dict.fromkeys(wanted.metrics, _said(error)) | found.skipped
        ) from error
    return found


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"


def _taken(call: Call, key: str, metric: Metric, protocol: str, options: Options, bar: Bar) -> Scores:
    """The scores of one call, each with interval, ceiling and chance level; and the matrix behind them."""
    title = f"{key}[{call.of}]" if call.of else key
    bar.show(f"{title}{call.suffix}")
    result = metric(*call.inputs.args, **call.inputs.kwargs)
    bar.show(f"{title}{call.suffix}: baselines")
    ceiling, chance = (_baseline(metric, each) for each in (call.ceiling, call.chance))
    replicates: dict[str, list[float]] = {}
    for i, drawn in enumerate(_replicates(metric, result, call, options)):
        bar.show(f"{title}{call.suffix}: replicate {i + 1} of {options.bootstrap}")
        for short, value in drawn.items():
            replicates.setdefault(short, []).append(value)
    said = call.said | getattr(result, "settings", {})
    scores = {}
    for short, value in _within(metric, _scores_of(result)).items():
        lower, upper = _interval(value, replicates.get(short, []), metric.bounds)
        name = f"{title}-{short}" if short else title
        scores[name + call.suffix] = Score(
            value,
            lower,
            upper,
            ceiling.get(short),
            chance.get(short),
            metric.better,
            said,
            protocol,
            metric=key,
            short=short,
            summary=metric.summary,
        )
    matrix = getattr(result, "importance", getattr(result, "matrix", None))
    return Scores(scores, {}, {} if matrix is None else {title: np.asarray(matrix).tolist()})


def _scores_of(result: Any) -> dict[str, float]:
    found = result.scores if isinstance(result, Result) else {"": result}
    for value in found.values():
        if not isinstance(value, Real | np.bool_) and np.shape(value) != ():
            raise InputError(
                f"It gives {type(value).__name__}, expected a number or a prismae.metrics.Result."
            )
    try:
        return {short: float(value) for short, value in found.items()}
    except (TypeError, ValueError):
        given = ", ".join(type(value).__name__ for value in found.values())
        raise InputError(f"It gives {given}, expected a number or a prismae.metrics.Result.") from None


def _within(metric: Metric, scores: dict[str, float]) -> dict[str, float]:
    """Scores that are numbers, with a warning where they lie outside the bounds that the metric declares."""
    low, high = metric.bounds
    for short, value in scores.items():
        called = f"Its score {short!r}" if short else "Its score"
        if np.isnan(value):
            raise InputError(f"{called} is NaN, so it says nothing of these codes.")
        if not low - ROUNDING <= value <= high + ROUNDING:
            warnings.warn(
                f"{metric.name}: {called.lower()} is {value:.6g}, outside the bounds {low:g} to {high:g} that it "
                "declares: @metric(bounds=...) says which they are.",
                DataWarning,
                stacklevel=2,
            )
    return scores


def _baseline(metric: Metric, inputs: Inputs | None) -> dict[str, float]:
    return {} if inputs is None else _scores_of(metric(*inputs.args, **inputs.kwargs))


def _replicates(metric: Metric, result: Any, call: Call, options: Options) -> Iterator[dict[str, float]]:
    """Scores on points, votes or images drawn again, by short name; none where official networks would run again."""
    if metric.needs in ("images", "pairs") and not isinstance(result, Learned):
        return
    rng = np.random.default_rng(options.seed)
    for _ in range(options.bootstrap):
        if isinstance(result, Learned):
            yield result.resample(rng)
        else:
            yield _scores_of(metric(*_drawn_again(call.inputs.args, rng), **call.inputs.kwargs))


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
