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
from prismae.metrics import udr_lasso, udr_spearman
from prismae.runs.codes import encoded
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.studies.plan import Plan
from prismae.studies.summary import NATS, direction, divided, grouped, is_score, setting_columns

UDR = {"udr": udr_spearman, "udr-spearman": udr_spearman, "udr-lasso": udr_lasso}
POINTS = 2_000  # observations that runs are compared on


def select(plan: Plan, frame: pd.DataFrame, by: str, out: Path | str = "runs") -> pd.DataFrame:
    """The settings of a plan, the best first; those of each world, and for nats of each likelihood, by themselves.

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
        deviation over seeds, and ``seeds``.
    """
    score = by if by in UDR else _column(frame, by)
    better = Better.HIGHER if by in UDR else direction(score)
    if better is Better.NEITHER:
        raise InputError(f"Neither end of {score!r} is better, so nothing can be chosen by it.")
    keys = ["arm", *setting_columns(frame)]
    apart = ["likelihood"] if score == NATS and frame["likelihood"].nunique() > 1 else []
    apart = [*(["world"] if "world" in keys else []), *apart]
    keys += [key for key in apart if key not in keys]
    found = []
    for values, group in grouped(frame, keys):
        scores = udr(group["run"].tolist(), out, by) if by in UDR else group[score].dropna().to_numpy()
        about = dict(zip(keys, values, strict=True))
        spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
        mean = float(np.mean(scores)) if len(scores) else float("nan")
        found.append({**about, score: mean, "deviation": spread, "seeds": len(scores)})
    ranked = pd.DataFrame(found).sort_values(score, ascending=better is Better.LOWER, ignore_index=True)
    if not apart:
        return ranked
    order = ranked[apart].apply(lambda column: pd.factorize(frame[column.name])[1].get_indexer(column))
    return ranked.loc[order.sort_values(apart, kind="stable").index].reset_index(drop=True)


def udr(runs: Sequence[str], out: Path | str, by: str = "udr") -> NDArray[np.float64]:
    """UDR of each of several runs that differ in their seed; empty for fewer than two.

    Codes are compared on up to 2,000 observations. Which of them inform: see `prismae.metrics.udr_spearman`.
    """
    if len(runs) < 2:
        return np.empty(0)
    opened = [Run.open(Path(out) / run) for run in runs]
    data = observations(opened[0].job)
    rows = spaced(len(data), POINTS)
    seen = [encoded(run.load()[1].ae, data, rows) for run in opened]
    return UDR[by]([codes for codes, _ in seen], kl=[kl for _, kl in seen]).runs


def _column(frame: pd.DataFrame, by: str) -> str:
    scores = [str(c) for c in frame if is_score(str(c))]
    fitting = [c for c in scores if by in (c, divided(c)[1])]
    if not fitting:
        raise unknown_name("score", by, [*scores, *UDR])
    if len(fitting) > 1:
        raise InputError(f"{by!r} is a score of several protocols: expected one of {', '.join(fitting)}.")
    return fitting[0]
