"""Search: values drawn at random, or by Optuna from what came of those before, beside the grids of a plan.

What is drawn is kept in the folder of the runs, so that a search that is stopped goes on with the same values, and
tables know of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import exp, isfinite, log
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from prismae._better import Better
from prismae._files import lock_at, write_file
from prismae.errors import InputError, unknown_name
from prismae.studies.plan import Plan
from prismae.studies.plan_parts import Range, Space, in_rows
from prismae.studies.selection import UDR, agreement, column
from prismae.studies.study import study
from prismae.studies.summary import direction, of_a_likelihood

HOW = ("random", "optuna")
Values = dict[str, Any]
TRIALS = 20
DIGITS = 4  # of the numbers that are drawn
DRAWS = 1_000  # without a new value, after which there is none


def search(
    plan: Plan,
    out: Path | str = "runs",
    *,
    how: str = "random",
    trials: int = TRIALS,
    by: str | None = None,
    jobs: int | None = None,
    **given: Any,
) -> pd.DataFrame:
    """Try values for all that a plan searches, and return the rows of everything that is done.

    Parameters
    ----------
    how
        "random": all values are drawn at once, the i-th always the same; "optuna": the next are those that
        Optuna's TPE expects most of, as many together as jobs run at once.
    trials
        How many values of each arm there are in the end, with those of former calls.
    by
        The score that Optuna improves, as rows call it, or "udr", which needs no labels: its mean over the seeds,
        worlds and grids of a trial.
    jobs, given
        As for `prismae.studies.study`.

    Raises
    ------
    InputError
        If the plan has no search, or Optuna is not installed or lacks a score.
    """
    if how not in HOW:
        raise unknown_name("search", how, HOW)
    if not any(plan.space(arm) for arm in plan.methods):
        raise InputError(
            f"Plan {plan.name} has no search: expected `search: {{lr: {{low: …, high: …}}}}` in it."
        )
    out = Path(out)
    if how == "random":
        return study(keep(drawn(with_trials(plan, out), trials), out), out, jobs=jobs, **given)
    if by is None:
        raise InputError("Optuna needs to know what to improve: expected --by SCORE.")
    _optuna()
    plan = with_trials(plan, out)
    while True:
        frame = (
            study(plan, out, jobs=jobs, **given) if any(arm.trials for arm in plan.methods.values()) else None
        )
        more = _suggested(plan, frame, by, out, trials, jobs or 1)
        if not any(more.values()):
            assert frame is not None
            return frame
        plan = keep(_added(plan, more), out)


def with_trials(plan: Plan, out: Path | str) -> Plan:
    """The plan with the values that were drawn for it before; those of another search are left alone."""
    kept = _kept(plan, Path(out))
    fitting = {
        arm: [values for values in kept.get(arm, []) if values.keys() == plan.space(arm).keys()]
        for arm in plan.methods
        if plan.space(arm)
    }
    return _added(plan, fitting)


def drawn(plan: Plan, trials: int) -> Plan:
    """The plan with values drawn at random, until each arm that is searched has so many."""
    more = {}
    for arm in plan.methods:
        space, seen = plan.space(arm), [*plan.methods[arm].trials]
        for i in range(trials + DRAWS if space else 0):
            if len(seen) >= trials:
                break
            rng = np.random.default_rng([crc32(arm.encode()), i])
            values = {key: _drawn(rng, choices) for key, choices in space.items()}
            if values not in seen:
                seen.append(values)
        more[arm] = seen[len(plan.methods[arm].trials) :]
    return _added(plan, more)


def _drawn(rng: np.random.Generator, choices: Sequence[Any] | Range) -> Any:
    if not isinstance(choices, Range):
        return choices[int(rng.integers(len(choices)))]
    low, high = choices.low, choices.high
    if isinstance(low, int) and isinstance(high, int) and not choices.log:
        return int(rng.integers(low, high + 1))
    value = exp(rng.uniform(log(low), log(high))) if choices.log else rng.uniform(low, high)
    return _rounded(value, choices)


def _rounded(value: float, within: Range) -> float | int:
    """A number of four digits that still lies within."""
    if isinstance(within.low, int) and isinstance(within.high, int):
        return round(value)
    return min(max(float(f"{value:.{DIGITS}g}"), within.low), within.high)


def keep(plan: Plan, out: Path) -> Plan:
    """Write the values of a plan's searches beside its runs, with those that another process wrote meanwhile."""
    out.mkdir(parents=True, exist_ok=True)
    with lock_at(out / ".search.lock"):
        kept = _kept(plan, out)
        for name, arm in plan.methods.items():
            known = kept.setdefault(name, [])
            known += [values for values in arm.trials if values not in known]
        write_file(_path(plan, out), (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode())
    return plan


def _path(plan: Plan, out: Path) -> Path:
    return out / f"{plan.name}.{plan.profile}.trials.json"


def _kept(plan: Plan, out: Path) -> dict[str, list[Values]]:
    path = _path(plan, out)
    if not path.is_file():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({error}): remove it, and the search begins anew.") from None
    lists = kept.values() if isinstance(kept, dict) else [None]
    if not all(isinstance(each, list) and all(isinstance(v, dict) for v in each) for each in lists):
        raise InputError(f"{path} is damaged: remove it, and the search begins anew.")
    return kept


def _added(plan: Plan, more: Mapping[str, Sequence[Values]]) -> Plan:
    arms = {
        name: replace(arm, trials=[*arm.trials, *(v for v in more.get(name, ()) if v not in arm.trials)])
        for name, arm in plan.methods.items()
    }
    return replace(plan, methods=arms)


# by Optuna


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise InputError("--search optuna needs Optuna: pip install 'prismae[search]'.") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _suggested(
    plan: Plan, frame: pd.DataFrame | None, by: str, out: Path, trials: int, together: int
) -> dict[str, list[Values]]:
    """For each arm that is searched the next values, at most so many together."""
    found = {}
    for arm in plan.methods:
        space, known = plan.space(arm), plan.methods[arm].trials
        n = min(trials - len(known), together) if space else 0
        scores = dict(enumerate(_scores(plan, frame, arm, by, out))) if n > 0 and frame is not None else {}
        better = Better.HIGHER if by in UDR else None if frame is None else direction(column(frame, by))
        if better is Better.NEITHER:
            raise InputError(f"Neither end of {by!r} is better, so nothing can be searched by it.")
        found[arm] = _asked(space, known, scores, better, n) if n > 0 else []
    return found


def _scores(plan: Plan, frame: pd.DataFrame, arm: str, by: str, out: Path) -> Iterator[float | None]:
    """The mean score of each trial of an arm; None where there is none, or one of its trainings failed."""
    planned = [each for each in plan.jobs() if each.arm == arm]
    told = "likelihood" in frame and by not in UDR and of_a_likelihood(column(frame, by))
    likelihoods = frame.loc[frame["arm"] == arm, "likelihood"].dropna().unique() if told else ()
    if len(likelihoods) > 1:
        raise InputError(
            f"{by!r} is in the unit of a likelihood, and {arm} has {', '.join(likelihoods)}: expected --by mse, or one "
            "likelihood."
        )
    last = frame.groupby("run").last()
    for values in plan.methods[arm].trials:
        wanted = {key.partition("=")[0].strip(): in_rows(value) for key, value in values.items()}
        runs = [each.job.id for each in planned if wanted.items() <= each.swept.items()]
        there = [run for run in dict.fromkeys(runs) if run in last.index]
        if by in UDR:
            scores = agreement(there, out, by)[0] if there else np.empty(0)
        elif last.loc[there, "mse"].isna().any():  # one of its trainings failed: the rest would stand alone
            scores = np.empty(0)
        else:
            scores = last.loc[there, column(frame, by)].dropna().to_numpy()
        mean = float(np.mean(scores)) if len(scores) else float("nan")
        yield mean if isfinite(mean) else None


def _asked(
    space: Space, known: Sequence[Values], scores: Mapping[int, float | None], better: Better | None, n: int
) -> list[Values]:
    """Values that Optuna suggests, after those that are known."""
    optuna = _optuna()
    kinds = {key: _distribution(optuna, choices) for key, choices in space.items()}
    sampler = optuna.samplers.TPESampler(seed=len(known), constant_liar=True)
    asked = optuna.create_study(
        direction="minimize" if better is Better.LOWER else "maximize", sampler=sampler
    )
    for i, values in enumerate(known):
        score = scores.get(i)
        params = {
            key: value if isinstance(choices, Range) else choices.index(value)
            for key, choices in space.items()
            for value in [values[key]]
            if _holds(choices, value)
        }
        if params.keys() == space.keys():  # else it was drawn when the ranges were others
            state = optuna.trial.TrialState.FAIL if score is None else optuna.trial.TrialState.COMPLETE
            asked.add_trial(
                optuna.trial.create_trial(params=params, distributions=kinds, value=score, state=state)
            )
    found: list[Values] = []
    for _ in range(DRAWS):
        if len(found) == n:
            break
        params = asked.ask(kinds).params
        values = {
            key: _rounded(params[key], choices) if isinstance(choices, Range) else choices[params[key]]
            for key, choices in space.items()
        }
        if values not in found and values not in known:
            found.append(values)
    return found


def _holds(choices: Sequence[Any] | Range, value: Any) -> bool:
    return choices.low <= value <= choices.high if isinstance(choices, Range) else value in choices


def _distribution(optuna: Any, choices: Sequence[Any] | Range) -> Any:
    if not isinstance(choices, Range):
        return optuna.distributions.CategoricalDistribution(tuple(range(len(choices))))
    whole = isinstance(choices.low, int) and isinstance(choices.high, int)
    kind = optuna.distributions.IntDistribution if whole else optuna.distributions.FloatDistribution
    return kind(choices.low, choices.high, log=choices.log)
