"""Rows: one for each finished run of a plan and each of its snapshots, with settings, scores, machine and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from prismae._files import written_whole
from prismae._text import inert, spoken
from prismae.errors import InputError
from prismae.evaluation import scores_of
from prismae.runs.job import Job
from prismae.runs.run import Run
from prismae.runs.scoring import fits
from prismae.settings import Reading, as_plain
from prismae.studies.baselines import row
from prismae.studies.plan import Plan, Planned

FIRST = ("arm", "method", "world", "seed")
SETTINGS = "settings"
LAST = (
    "warnings", "seconds", "machine", "precision", "likelihood", "prismae", "scored", "samples", SETTINGS, "run",
)  # fmt: skip
EXACT: dict[str, Any] = (  # before pandas 3.1 a number's last digit may change unless one asks
    {"float_precision": "round_trip"} if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1) else {}
)
TEXTS = (*(name for name in (*FIRST, *LAST) if name not in ("seed", "seconds", "samples")),)
MACHINES = ("seconds", "machine", "prismae", "scored")  # what two rows of one run may differ in


def rows(plan: Plan, out: Path | str = "runs", jobs: Sequence[Planned] | None = None) -> pd.DataFrame:
    """What the run folders in `out` hold of a plan; `jobs` are its jobs if they are already listed.

    Returns
    -------
    pandas.DataFrame
        Columns ``arm``, ``method`` (its name), ``world``, ``seed``, one for each grid, ``steps`` (of the snapshot, or
        all); ``mse`` (of the data's variance per element), ``nats`` (per observation); for each metric
        ``protocol:metric`` and ``protocol:metric:chance``, the score of shuffled codes; ``warnings``, how the training
        went wrong, empty where it did not; ``seconds`` of training,
        ``machine`` (with threads and torch), ``precision``, ``likelihood`` (whose nats they are), ``prismae``
        (version that trained it), ``scored`` (versions that its scores are of, where they say so), ``samples`` (of
        each posterior, where the plan asks for likelihoods), ``settings`` (all of the job's but method, world and seed,
        as JSON), ``run`` (the job's id). Baselines have rows of 0 steps, and a training in which something became
        infinite or NaN has one without scores.
    """
    found = [
        row for planned in (plan.jobs() if jobs is None else jobs) for row in _rows(plan, planned, Path(out))
    ]
    for planned_one in plan.baseline_jobs():
        about = row(planned_one, Path(out))
        if about is not None:
            scored = about.pop("scores")
            found.append(about | {"scored": _versions(plan, scored)} | _flat(plan, scored))
    frame = pd.DataFrame(found)
    if frame.empty:
        return pd.DataFrame(columns=[*FIRST, "steps", *LAST])
    scores = [c for c in frame if ":" in str(c) or c in ("mse", "nats")]
    last = [c for c in LAST if c in frame]
    others = [c for c in frame if c not in (*FIRST, *scores, *last)]
    return frame[[*FIRST, *others, *scores, *last]]


def write_rows(frame: pd.DataFrame, path: Path) -> None:
    """Write rows as a CSV file, numbers with all their digits: rounded settings would become one.

    Texts that a spreadsheet would take for a formula stand behind an apostrophe, which `read_rows` takes away.

    Raises
    ------
    InputError
        As `check_place`.
    """
    check_place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        frame.map(inert).rename(columns=inert).to_csv(part, index=False)


def check_place(path: Path) -> None:
    """Raise InputError where a file that holds no rows, a plan or data, would be lost to rows."""
    if path.is_file() and path.stat().st_size:
        try:
            _read(path)
        except InputError as error:
            raise InputError(f"Rows are not written over other files: {error}") from None


def check_kept(path: Path, out: Path | None, frame: pd.DataFrame | None = None) -> None:
    """Raise InputError where rows would be lost: of runs that are not in `out`, and so cannot be written again, nor in
    the rows that are to be written."""
    if path.is_file() and path.stat().st_size:
        others = {*_read(path)["run"]} - (set() if frame is None else {*frame["run"]})
        lost = sorted(str(run) for run in others if out is None or not (out / str(run)).is_dir())
        if lost:
            runs = f"{len(lost)} run{'s' * (len(lost) > 1)}"
            names = f"{', '.join(lost[:3])}{', …' * (len(lost) > 3)}"
            where = "among these" if out is None else f"in {out}"
            raise InputError(
                f"{path} holds rows of {runs} not {where} ({names}), which would be lost: expected another file, "
                "and `prismae rows merge` brings them together."
            )


def read_rows(paths: Sequence[Path]) -> pd.DataFrame:
    """The rows of several files, of several machines say; a run that is in more than one of them counts once.

    Raises
    ------
    InputError
        For a file that is missing, and where files give one run different settings or scores.
    """
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"There is no file of rows {', '.join(map(repr, missing))}.")
    return _once(pd.concat([_read(path) for path in paths], ignore_index=True))


def _read(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, encoding="utf-8", **EXACT)
    except ValueError as error:  # as pandas calls whatever it cannot read
        said = str(error).strip().split("\n")[0].rstrip(".")
        raise InputError(f"{path} is no file of rows ({said}).") from None
    missing = [name for name in (*FIRST, "steps", "mse", "run") if name not in frame]
    if missing:
        raise InputError(f"{path} is no file of rows: it has no column {', '.join(missing)}.")
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path} is damaged: its lines have more values than columns have names.")
    known = [name for name in frame if ":" in name or name in ("seed", "steps", "mse", "nats", "seconds")]
    if texts := [name for name in known if frame[name].notna().any() and frame[name].dtype.kind not in "iuf"]:
        raise InputError(f"{path} is damaged: column {', '.join(texts)} has values that are no numbers.")
    return _as_written(frame, path).map(spoken).rename(columns=spoken)


def _as_written(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The rows with their texts as they stand in the file: an arm may be called 010, or NA."""
    texts = pd.read_csv(path, encoding="utf-8", dtype=str, keep_default_na=False, na_values=[""])
    for name in frame:
        if name in TEXTS:
            frame[name] = texts[name]
        elif frame[name].dtype.kind not in "iufb":  # of a grid; numbers among texts are texts already
            frame[name] = frame[name].where(frame[name].notna(), texts[name])
    return frame


def _once(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows without those that are there twice; the time, the machine and the version may differ, the rest may not."""
    keys = [key for key in ("arm", "run", "steps") if key in frame]
    compared = [column for column in frame if column not in MACHINES]
    first = frame.groupby(keys, sort=False, dropna=False)[compared].transform("first")
    same = (frame[compared] == first) | frame[compared].isna()
    if not same.all(axis=None):
        columns = [str(column) for column in compared if not same[column].all()]
        runs = sorted({str(run) for run in frame.loc[~same.all(axis=1), "run"]})
        raise InputError(
            f"Rows of one run differ in {', '.join(columns)}: {', '.join(runs)}. Expected the same numbers, or one of "
            "the files."
        )
    kept = frame.groupby(keys, sort=False, dropna=False, as_index=False).first()
    return kept[list(frame.columns)]


def _rows(plan: Plan, planned: Planned, out: Path) -> Iterator[dict[str, Any]]:
    job, run = planned.job, Run(out / planned.job.id)
    row = {"arm": planned.arm, "method": job.method, "world": job.world, "seed": job.seed} | planned.swept
    if not run.finished and run.failure is not None:
        yield row | {
            "steps": job.limit,
            "mse": nan,
            "nats": nan,
            "warnings": f"The training failed: {run.failure}",
            "precision": job.precision,
            "prismae": run.job["version"],
            SETTINGS: _settings(job),
            "run": job.id,
        }
    if not run.finished or run.scores is None:
        return
    about, scores = run.job, run.scores
    tail = {
        "warnings": " ".join(about.get("warnings", ())),
        "machine": about["machine"],
        "precision": job.precision,
        "likelihood": about["likelihood"],
        "prismae": about["version"],
        "scored": _versions(plan, scores.get("protocols", {})),
        **({"samples": plan.samples} if "likelihood" in plan.metrics else {}),
        SETTINGS: _settings(job),
        "run": job.id,
    }
    history = run.history.set_index("step") if job.snapshots else None
    for step in job.snapshots:
        if history is not None and step < about["steps"]:
            errors = history.loc[: step - 1, ["monitor:mse", "monitor:nats"]].dropna().iloc[-1]
            table = scores.get("snapshots", {}).get(str(step), {})
            yield (
                {**row, "steps": step, "mse": errors.iloc[0], "nats": errors.iloc[1]}
                | _flat(plan, table)
                | {"seconds": round(about["seconds"] * step / about["steps"], 1)}
                | tail
            )
    yield (
        {**row, "steps": about["steps"], **scores["reconstruction"]}
        | _flat(plan, scores.get("protocols", {}))
        | {"seconds": about["seconds"]}
        | tail
    )


def _settings(job: Job) -> str:
    """All that a job is told but method, world and seed, as JSON; without settings of reading that are not used."""
    about = as_plain(job)
    unused = {each.name for each in fields(Reading) if not about[each.name]}
    own = {key: value for key, value in about.items() if key not in {"method", "world", "seed", *unused}}
    return json.dumps(own, sort_keys=True, ensure_ascii=False)


def _versions(plan: Plan, protocols: dict[str, dict[str, Any]]) -> str:
    """The versions of prismae that took the scores that the plan asks for: "0.1.0, 0.2.0"."""
    taken = [
        protocols.get(protocol, {})[key].get("taken", {})
        for protocol, names in plan.metrics.items()
        for name in names
        for key in scores_of(name, protocols.get(protocol, {}))
    ]
    return ", ".join(sorted({each["prismae"] for each in taken if "prismae" in each}))


def _flat(plan: Plan, protocols: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The scores that the plan asks for, by "protocol:metric"; with "…:chance" where a chance level is known."""
    flat: dict[str, float] = {}
    for protocol, names in plan.metrics.items():
        table = protocols.get(protocol, {})
        for key in (key for name in names for key in scores_of(name, table)):
            if not fits(table[key], protocol, samples=plan.samples):  # `prismae study` takes it anew
                continue
            flat[f"{protocol}:{key}"] = float(table[key]["score"])
            if table[key]["chance"] is not None:
                flat[f"{protocol}:{key}:chance"] = float(table[key]["chance"])
    return flat
