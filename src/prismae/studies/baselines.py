"""What the trainings of a plan are to be better than: PCA, ICA and the networks untrained, one encoding each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from prismae._version import __version__
from prismae.data.paths import contents
from prismae.evaluation import Options, Subject, by_protocol, codes_table, walk
from prismae.evaluation.baselines import LINEAR, linear_codes
from prismae.methods import method
from prismae.runs.files import SCORES
from prismae.runs.job import Job
from prismae.runs.loading import machine
from prismae.runs.measured import untrained
from prismae.runs.observations import observations
from prismae.runs.run import Run
from prismae.runs.verdict import BASELINE_NAMES
from prismae.settings import Reading, as_plain
from prismae.studies.plan_parts import in_rows

GRIDS = (
    "n_latents",
    *(each.name for each in fields(Reading)),
)  # settings that codes depend on without any training


@dataclass(frozen=True)
class BaselineJob:
    """One encoding of the world of a job, by as many components as it has latents, or by its network untrained."""

    method: str
    job: Job

    @property
    def world(self) -> str:
        """That of the job."""
        return self.job.world

    @property
    def seed(self) -> int:
        """That of the job."""
        return self.job.seed

    @cached_property
    def id(self) -> str:
        """Name of the folder: baseline, world, and a hash of all that its codes depend on."""
        names = ("world", *GRIDS) + (() if self.method == "pca" else ("seed",))
        if self.method == "untrained":
            names += ("method", "fields", "net", "likelihood")
        own = {name: value for name, value in as_plain(self.job).items() if name in names}
        digest = hashlib.sha256(json.dumps([self.method, own], sort_keys=True).encode())
        digest.update(contents(self.world))
        world = self.job.id.removeprefix(f"{self.job.method}-").rpartition("-")[0]
        return f"{self.method}-{world}-{digest.hexdigest()[:8]}"


@dataclass(frozen=True)
class PlannedBaseline:
    """A baseline of a plan, as `prismae.studies.plan.Planned` is a training of it."""

    arm: str
    job: BaselineJob
    swept: dict[str, Any]

    def __str__(self) -> str:
        values = "".join(f", {name} {value}" for name, value in self.swept.items())
        return f"{self.arm} on {self.job.world}{values}, seed {self.job.seed}"


def baselines_of(kinds: Sequence[str], planned: Sequence[Any]) -> Iterator[PlannedBaseline]:
    """For each world and size of code of a plan's trainings its baselines, each of them once.

    PCA is the same for every seed. The untrained network is that of the first arm, with the first values of what else
    it is tried with. What tells baselines of one kind apart beside the grids, as an arm's own size of code, stands in
    `swept` by the setting's name.
    """
    for kind in kinds:
        first: dict[str, str] = {}
        found: dict[tuple[Any, ...], PlannedBaseline] = {}
        for each in planned:
            if kind == "untrained" and first.setdefault(each.job.world, each.arm) != each.arm:
                continue
            swept = {name: value for name, value in each.swept.items() if {*each.targets[name]} & {*GRIDS}}
            key = (each.job.world, *_told(each.job).values(), None if kind == "pca" else each.job.seed)
            made = PlannedBaseline(BASELINE_NAMES[kind], BaselineJob(kind, each.job), swept)
            found.setdefault(key, made)
        yield from _apart([*found.values()])


def _told(job: Job) -> dict[str, Any]:
    """The settings that codes depend on without any training."""
    about = as_plain(job)
    return {name: in_rows(about[name]) for name in GRIDS}


def _apart(several: Sequence[PlannedBaseline]) -> Iterator[PlannedBaseline]:
    """Baselines of one kind, of which no two on one world and of one seed have the same values."""
    alike: dict[tuple[Any, ...], list[PlannedBaseline]] = {}
    for each in several:
        alike.setdefault((each.job.world, each.job.seed, *each.swept.items()), []).append(each)
    differing = {
        name
        for group in alike.values()
        for name in GRIDS
        if len({_told(each.job.job)[name] for each in group}) > 1
    }
    for each in several:
        more = {name: value for name, value in _told(each.job.job).items() if name in differing}
        yield replace(each, swept=each.swept | more)


def encode(job: BaselineJob, out: Path, metrics: dict[str, list[str]]) -> None:
    """Score a baseline into ``out/<id>/scores.json``, if that is not done.

    A metric that cannot be had is left out, with the reason.
    """
    folder = Run(out / job.id)
    found = folder.scores or {"protocols": {}, "skipped": {}}
    if not (lacking := unscored(job, out, metrics)):
        return
    data = observations(as_plain(job.job))
    if job.method in LINEAR:
        codes = linear_codes(job.method, data, job.job.n_latents, job.seed)
    else:
        chosen = method(job.job.method, **(job.job.fields or {}))
        net, likelihood = job.job.choices(data)
        codes = codes_table(untrained(chosen, data, as_plain(job.job), net, likelihood), data)
    subject = Subject(codes, data, given_stds=np.zeros_like(codes))
    for protocol, names in lacking.items():
        options = Options(baselines=False, tolerant=True)
        for name, scores, refused in walk(subject, by_protocol(names, (protocol,)), options):
            taken = {"taken": {"seed": 0, "prismae": __version__}}
            table = {key: each | taken for key, each in scores.to_dict()["scores"].items()}
            found["protocols"].setdefault(name, {}).update(table)
            found["skipped"].setdefault(name, {}).update(
                scores.skipped if refused is None else refused.reasons
            )
    folder.write_json(SCORES, found | {"machine": machine("cpu"), "version": __version__})


def unscored(job: BaselineJob, out: Path, metrics: dict[str, list[str]]) -> dict[str, list[str]]:
    """For each protocol the metrics that a baseline has no scores of yet; empty where it has all."""
    found = Run(out / job.id).scores or {"protocols": {}, "skipped": {}}
    lacking = {
        protocol: [name for name in names if not _has(found, protocol, name)]
        for protocol, names in metrics.items()
    }
    return {protocol: names for protocol, names in lacking.items() if names}


def _has(found: dict[str, Any], protocol: str, name: str) -> bool:
    table = found["protocols"].get(protocol, {})
    return any(each.get("metric") == name for each in table.values()) or name in found["skipped"].get(
        protocol, {}
    )


def row(planned: PlannedBaseline, out: Path) -> dict[str, Any] | None:
    """What a row says of a baseline beside its scores; None where it is not scored yet."""
    scores = Run(out / planned.job.id).scores
    if scores is None:
        return None
    return {
        "arm": planned.arm, "method": planned.job.method, "world": planned.job.world, "seed": planned.job.seed,
        **planned.swept, "steps": 0, "mse": float("nan"), "nats": float("nan"),
        "scores": scores["protocols"], "warnings": "", "seconds": 0.0, "machine": scores["machine"],
        "precision": "32", "likelihood": None, "prismae": scores["version"], "run": planned.job.id,
    }  # fmt: skip
