"""Rows: one for each finished run of a plan and each of its snapshots, with settings, scores, machine and versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from prismae.studies.plan import Plan, Planned
from prismae.studies.scoring import scores_of
from prismae.train import RunFolder
from prismae.train.run_folder import HISTORY, JOB, SCORES

FIRST = ("arm", "method", "world", "seed")
LAST = ("warnings", "seconds", "machine", "precision", "likelihood", "prismae", "run")


def rows(plan: Plan, out: Path | str = "runs") -> pd.DataFrame:
    """What the run folders in `out` hold of a plan.

    Returns
    -------
    pandas.DataFrame
        Columns ``arm``, ``method`` (its name), ``world``, ``seed``, one for each grid, ``steps`` (of the snapshot, or
        all); ``mse`` (of the data's variance per element), ``nats`` (per observation); for each metric
        ``protocol:metric`` and ``protocol:metric:chance``, the score of shuffled codes; ``warnings``, how the training
        went wrong, empty where it did not; ``seconds`` of training,
        ``machine`` (with threads and torch), ``precision``, ``likelihood`` (whose nats they are), ``prismae``
        (version), ``run`` (the job's id).
    """
    found = [row for planned in plan.jobs() for row in _rows(plan, planned, Path(out))]
    frame = pd.DataFrame(found)
    if frame.empty:
        return pd.DataFrame(columns=[*FIRST, "steps", *LAST])
    scores = [c for c in frame if ":" in str(c) or c in ("mse", "nats")]
    others = [c for c in frame if c not in (*FIRST, *scores, *LAST)]
    return frame[[*FIRST, *others, *scores, *LAST]]


def write_rows(frame: pd.DataFrame, path: Path) -> None:
    """Write rows as a small CSV file, numbers with five digits after the point."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.round(5).to_csv(path, index=False)


def _rows(plan: Plan, planned: Planned, out: Path) -> Iterator[dict[str, Any]]:
    job, folder = planned.job, RunFolder(out / planned.job.id)
    if not folder.finished or not (folder.path / SCORES).exists():
        return
    about, scores = folder.read_json(JOB), folder.read_json(SCORES)
    row = {"arm": planned.arm, "method": job.method, "world": job.world, "seed": job.seed} | planned.swept
    tail = {
        "warnings": " ".join(about.get("warnings", ())),
        "machine": about["machine"],
        "precision": job.precision,
        "likelihood": about["likelihood"],
        "prismae": about["version"],
        "run": job.id,
    }
    history = pd.read_parquet(folder.path / HISTORY).set_index("step") if job.snapshots else None
    for step in job.snapshots:
        if history is not None and step < job.steps:
            errors = history.loc[: step - 1, ["monitor:mse", "monitor:nats"]].dropna().iloc[-1]
            table = scores.get("snapshots", {}).get(str(step), {})
            yield (
                {**row, "steps": step, "mse": errors.iloc[0], "nats": errors.iloc[1]}
                | _flat(plan, table)
                | {"seconds": round(about["seconds"] * step / job.steps, 1)}
                | tail
            )
    yield (
        {**row, "steps": job.steps, **scores["reconstruction"]}
        | _flat(plan, scores.get("protocols", {}))
        | {"seconds": about["seconds"]}
        | tail
    )


def _flat(plan: Plan, protocols: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The scores that the plan asks for, by "protocol:metric"; with "…:chance" where a chance level is known."""
    flat: dict[str, float] = {}
    for protocol, names in plan.metrics.items():
        table = protocols.get(protocol, {})
        for key in (key for name in names for key in scores_of(name, table)):
            flat[f"{protocol}:{key}"] = float(table[key]["score"])
            if table[key]["chance"] is not None:
                flat[f"{protocol}:{key}:chance"] = float(table[key]["chance"])
    return flat
