"""Choosing settings: by a score of the rows, or without labels by how alike the codes of several seeds are (UDR)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._better import Better
from prismae.data.storage import spaced
from prismae.errors import InputError, unknown_name
from prismae.evaluation.baselines import BASELINES
from prismae.metrics import udr_lasso, udr_spearman
from prismae.runs.codes import encoded
from prismae.runs.judge import judged
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.runs.stability import live_udr
from prismae.studies.plan import Plan
from prismae.studies.summary import direction, divided, grouped, is_score, of_a_likelihood, setting_columns

UDR = {"udr": udr_spearman, "udr-spearman": udr_spearman, "udr-lasso": udr_lasso}
POINTS = 2_000  # observations that runs are compared on


def select(plan: Plan, frame: pd.DataFrame, by: str, out: Path | str = "runs") -> pd.DataFrame:
    """The settings of a plan, the best first: those of each world apart, and by nats of each likelihood.

    Parameters
    ----------
    frame
        The plan's rows.
    by
        A score of the rows ("yeats2023:mig"; without its protocol where only one has it), or "udr" ("udr-lasso"),
        which looks at no labels: it needs the run folders of at least two seeds.
    out
        Where the run folders are.

    Returns
    -------
    pandas.DataFrame
        The columns that tell settings apart, with ``likelihood`` where nats are of several, the score's mean and
        deviation over seeds, and ``seeds``; for "udr" also ``live`` and ``explained``, the mean number of live latents
        and the mean share of the variance that they explain. A setting of which a run has collapsed has no "udr" and
        stands last: its codes hold nothing, however alike they are.
    """
    score = by if by in UDR else column(frame, by)
    better = Better.HIGHER if by in UDR else direction(score)
    if better is Better.NEITHER:
        raise InputError(f"Neither end of {score!r} is better, so nothing can be chosen by it.")
    keys = ["arm", *setting_columns(frame)]
    apart = ["likelihood"] if of_a_likelihood(score) and frame["likelihood"].nunique() > 1 else []
    apart = [*(["world"] if "world" in keys else []), *apart]
    keys += [key for key in apart if key not in keys]
    found = []
    chosen_from = _having(frame, score)
    if chosen_from.empty:
        raise InputError(
            f"No rows of trainings have {score!r}: expected a plan of which some are done and scored."
        )
    for values, group in grouped(chosen_from, keys):
        about = dict(zip(keys, values, strict=True))
        if by in UDR:
            scores, beside = agreement(group["run"].tolist(), out, by)
        elif group.loc[~group["method"].isin(BASELINES), "mse"].isna().any():
            scores, beside = np.empty(0), {}  # a training failed: the rest would stand alone
        else:
            scores, beside = group[score].dropna().to_numpy(), {}
        n = len(group) if by in UDR else len(scores)
        spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
        mean = float(np.mean(scores)) if len(scores) else float("nan")
        found.append({**about, score: mean, "deviation": spread, "seeds": n, **beside})
    ranked = pd.DataFrame(found).sort_values(score, ascending=better is Better.LOWER, ignore_index=True)
    if not apart:
        return ranked
    order = ranked[apart].apply(lambda column: pd.factorize(frame[column.name])[1].get_indexer(column))
    return ranked.loc[order.sort_values(apart, kind="stable").index].reset_index(drop=True)


def _having(frame: pd.DataFrame, score: str) -> pd.DataFrame:
    """Rows without those of baselines that have no such score: they are encodings, and no runs to choose from."""
    baselines = frame["method"].isin(BASELINES)
    return frame[~baselines] if score in UDR else frame[~baselines | frame[score].notna()]


def agreement(
    runs: Sequence[str], out: Path | str, by: str = "udr"
) -> tuple[NDArray[np.float64], dict[str, float]]:
    """UDR of each of several runs that differ in their seed, over their live latents, and what stands beside it.

    Codes are compared on up to 2,000 observations. There is none for fewer than two runs, and where one failed or has
    collapsed.
    """
    there = [run for run in (Run(Path(out) / name) for name in runs) if run.finished]
    if not there:
        return np.empty(0), {}
    opened = [Run.open(run.path) for run in there]
    data = observations(opened[0].job)
    verdicts = [judged(run, data) for run in opened]
    known = [each.explained for each in verdicts if each.explained is not None]
    beside = {
        "live": float(np.mean([each.live.sum() for each in verdicts])),
        "explained": float(np.mean(known)) if known else float("nan"),
    }
    if len(runs) < 2 or len(opened) < len(runs) or any(each.collapsed for each in verdicts):
        return np.empty(0), beside
    rows = spaced(len(data), POINTS)
    codes = [encoded(run.load()[1].ae, data, rows).numpy() for run in opened]
    return live_udr(codes, verdicts, UDR[by]).runs, beside


def column(frame: pd.DataFrame, by: str) -> str:
    """The column of rows that a score is called by, with its protocol or, where only one has it, without."""
    scores = [str(c) for c in frame if is_score(str(c))]
    fitting = [c for c in scores if by in (c, divided(c)[1])]
    if not fitting:
        raise unknown_name("score", by, [*scores, *UDR])
    if len(fitting) > 1:
        raise InputError(f"{by!r} is a score of several protocols: expected one of {', '.join(fitting)}.")
    return fitting[0]
