"""Plan: worlds × methods × settings × seeds in one file of plain data, and the jobs that follow from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import product
from math import ceil, inf, prod
from pathlib import Path
from typing import Any, Literal

from prismae.errors import InputError, unknown_name
from prismae.evaluation import SAMPLES, find_protocol, metrics_of
from prismae.fields import Count, Seed
from prismae.runs.job import Job
from prismae.runs.observations import observations
from prismae.settings import Reading
from prismae.studies.baselines import PlannedBaseline, baselines_of
from prismae.studies.plan_file import Faults, Place, Source, checked, merged, read_source
from prismae.studies.plan_parts import Arm, Claim, Published, Range, Space, in_rows

SETTINGS = tuple(f.name for f in fields(Job) if f.name not in ("method", "world", "fields", "seed"))
"""A job's settings that a plan may give for all jobs, for a world, for a method, or as a grid; beside `epochs`."""

MOST_JOBS = 100_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

READING = tuple(f.name for f in fields(Reading))


@dataclass(frozen=True)
class Planned:
    """A job of a plan: the arm that it belongs to, the values of the grids, and what each of these is given to."""

    arm: str
    job: Job
    swept: dict[str, Any]
    targets: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        values = "".join(f", {name} {value}" for name, value in self.swept.items())
        return f"{self.arm} on {self.job.world}{values}, seed {self.job.seed}"


@dataclass(frozen=True)
class Plan:
    """A study as plain data; `Plan.load` reads it from a file, `jobs` lists what is to be computed.

    Parameters
    ----------
    title
        One line.
    worlds, methods
        By name: settings that a world needs, arms of the table.
    seeds
        Seeds of every arm.
    budget
        Settings of all jobs: `steps` or `epochs`, `batch`, `lr`, `precision`, `n_latents`, `net` …
    grid
        Values to try with every method, each with each.
    search
        What is searched of every method; see `Arm`.
    metrics
        For each protocol the metrics to score with.
    samples
        Samples of each posterior, behind a likelihood.
    published
        Numbers to stand beside.
    claims
        What the paper says, to be held to the rows.
    baselines
        What the trainings are to be better than: "pca", "ica", "untrained"; see `prismae.studies.baselines`.
    notes
        What a reader of the numbers should know: what is reproduced, what is not and why.
    name, profile
        Names of the file, and of the profile that was applied.
    """

    title: str
    worlds: dict[str, dict[str, Any]]
    methods: dict[str, Arm]
    seeds: list[Seed]
    budget: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, list[str]] = field(default_factory=dict)
    samples: Count = SAMPLES
    published: list[Published] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    baselines: list[Literal["pca", "ica", "untrained"]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    name: str = "plan"
    profile: str = "default"

    @classmethod
    def load(cls, path: Path | str, profile: str | None = None) -> Plan:
        """Read a plan from a .yaml file, or from a .py file that defines `plan`, a dictionary of the same keys.

        Parameters
        ----------
        profile
            Which of the file's `profiles` to apply; None: the first. A profile's mappings are merged into the plan's,
            everything else replaces what is there, and null takes it away.

        Raises
        ------
        InputError
            Naming the file, the line, the key, what was wrong and what was expected.
        """
        source = read_source(Path(path))
        data = dict(source.data)
        profiles = source.mapping(data.pop("profiles", None) or {"default": None}, ("profiles",))
        chosen = next(iter(profiles)) if profile is None else profile
        if chosen not in profiles:
            raise source.error(unknown_name("profile", str(chosen), map(str, profiles)), ("profiles",))
        whole = cls._read(source, data)
        changes = source.mapping(profiles[chosen] or {}, ("profiles", chosen))
        profiled = source.under(("profiles", chosen))
        plan = cls._read(profiled, merged(data, changes), name=Path(path).stem, profile=chosen)
        faults = Faults()
        for i, each in enumerate(whole.published):
            for arm in each.rows:
                if arm not in whole.methods:
                    error = unknown_name("arm of this plan", arm, whole.methods)
                    faults.note(source.error(error, ("published", i, "rows", arm)))
        faults.tell()
        return plan

    @classmethod
    def _read(cls, source: Source, data: Mapping[str, Any], **about: str) -> Plan:
        valid = [f.name for f in fields(cls) if f.name not in ("name", "profile")]
        settings = [*SETTINGS, "epochs"]
        faults = Faults()
        with faults.noted():
            source.check_keys(data, (), [*valid, "profiles"])
        data = {key: value for key, value in data.items() if key in valid}
        found: dict[str, dict[str, Any]] = {"worlds": {}, "methods": {}, "search": {}}
        for key in ("worlds", "methods"):
            with faults.noted():
                for name, value in _named(source, key, data.get(key) or {}).items():
                    with faults.noted():
                        given = source.mapping(value or {}, (key, name))
                        if key == "methods":
                            given = _arm(source, str(name), given)
                        else:
                            source.check_keys(given, (key, name), settings)
                        found[key][str(name)] = given
        with faults.noted():
            found["search"] = _space(source, ("search",), data.get("search") or {})
        data |= found
        if isinstance(data.get("budget"), Mapping):
            with faults.noted():
                source.check_keys(data["budget"], ("budget",), settings)
        for key in ("published", "notes"):
            if isinstance(data.get(key), str | dict):
                data[key] = [data[key]]
        with faults.noted():
            plan = checked(cls, data | about, source)
            for place, values in plan._values():
                if fault := _repeated(values):
                    faults.note(source.error(InputError(fault), place))
            for protocol, names in plan.metrics.items():
                with faults.noted():
                    _check_metrics(source, protocol, names)
        faults.tell()
        return plan

    def jobs(self) -> list[Planned]:
        """Every job, seed by seed, so that a study that is stopped half way has all arms with some seeds.

        Raises
        ------
        InputError
            For a job that cannot be: an unknown method or field, a value out of range.
        """
        faults = Faults()
        for place, values in self._values():
            if fault := _repeated(values):
                faults.note(InputError(f"Plan {self.name}, {'.'.join(place)}: {fault}"))
        faults.tell()
        found = list(self._jobs(faults))
        faults.tell()
        return found

    def check_drawn(self) -> None:
        """Raise InputError if there is an arm that is searched and has no values yet."""
        waiting = [name for name, arm in self.methods.items() if self.space(name) and not arm.trials]
        if waiting:
            raise InputError(
                f"Plan {self.name} searches {', '.join(waiting)} and no values are drawn yet: expected --search random "
                "or --search optuna."
            )

    def baseline_jobs(self) -> list[PlannedBaseline]:
        """What the trainings are to be better than."""
        return list(baselines_of(self.baselines, self.jobs()))

    def _values(self) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
        """What is tried each with each, and where in the file it stands."""
        yield ("seeds",), self.seeds
        for key, values in self.grid.items():
            yield ("grid", key), values
        for name, arm in self.methods.items():
            for key, values in arm.grid.items():
                yield ("methods", name, "grid", key), values
            if arm.trials:
                yield ("methods", name, "trials"), arm.trials

    def space(self, arm: str) -> Space:
        """What is searched of an arm, by the keys of a grid; nothing where nothing is."""
        return self.search | self.methods[arm].search

    def _jobs(self, faults: Faults) -> Iterator[Planned]:
        """Those that can be; what is wrong with the others is noted."""
        lengths: dict[str, int] = {}
        each = [
            prod(map(len, (self.grid | arm.grid).values())) * max(1, len(arm.trials))
            for arm in self.methods.values()
        ]
        if (n := sum(each) * len(self.seeds) * len(self.worlds)) > MOST_JOBS:
            raise InputError(f"Plan {self.name} has {n:,} jobs: expected at most {MOST_JOBS:,}.")
        for seed, (world_name, special), (name, arm) in product(
            self.seeds, self.worlds.items(), self.methods.items()
        ):
            grid = self.grid | arm.grid
            trials = arm.trials or ([] if self.space(name) else [{}])
            for trial, values in product(trials, product(*grid.values())):
                pairs = [
                    ([part.strip() for part in key.split("=")], value)
                    for key, value in [*zip(grid, values, strict=True), *trial.items()]
                ]
                swept = {names[0]: in_rows(value) for names, value in pairs}
                targets = {names[0]: names[1:] or names for names, _ in pairs}
                given = {target: value for names, value in pairs for target in names[1:] or names}
                chosen = {key: value for key, value in given.items() if key in (*SETTINGS, "epochs")}
                settings = self.budget | special | arm.settings | chosen
                own = arm.fields | {key: value for key, value in given.items() if key not in chosen}
                try:
                    job = Job(arm.method, world_name, own, seed=seed, **_steps(settings, world_name, lengths))
                except InputError as error:
                    faults.note(InputError(f"Plan {self.name}, {name}: {error}"))
                    continue
                yield Planned(name, job, swept, targets)


def _arm(source: Source, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """An arm as the file has it, with its settings beside its fields, in the form of `Arm`."""
    own = ("method", "fields", "grid", "search", "trials")
    source.check_keys(given, ("methods", name), [*own, *SETTINGS, "epochs"])
    arm = {key: given[key] for key in own if key in given}
    arm["search"] = _space(source, ("methods", name, "search"), arm.get("search") or {})
    return {
        "method": name,
        **arm,
        "settings": {key: value for key, value in given.items() if key not in own},
    }


def _space(source: Source, place: Place, given: Any) -> Space:
    """A search as the file has it: lists, and ranges as mappings of `low`, `high` and `log`."""
    space: Space = {}
    faults = Faults()
    for key, values in source.mapping(given, place).items():
        with faults.noted():
            if isinstance(values, Mapping):
                source.check_keys(values, (*place, key), ["low", "high", "log"])
                try:
                    space[key] = Range(values.get("low"), values.get("high"), bool(values.get("log")))
                except InputError as error:
                    raise source.error(error, (*place, key)) from None
            elif isinstance(values, list) and values:
                space[key] = values
            else:
                said = f"Expected a list of values, or a mapping of low, high and log, got {values!r}."
                raise source.error(InputError(said), (*place, key))
    faults.tell()
    return space


def _named(source: Source, key: str, named: Any) -> dict[Any, Any]:
    """Worlds or methods by name, however they are given; their names are such as lines of tables show."""
    if isinstance(named, str | list):
        listed = [named] if isinstance(named, str) else named
        if not all(isinstance(each, str) for each in listed):
            raise source.error(InputError("A list holds names only: write settings as NAME: {…}."), (key,))
        named = {each: {} for each in listed}
    if not named:
        raise source.error(InputError(f"{key} are missing: expected at least one."), (key,))
    named = source.mapping(named, (key,))
    faults = Faults()
    for name in named:
        if not (text := str(name)).strip() or _CONTROL.search(text):
            said = f"Expected a name in one line of text, got {text!r:.200}."
            faults.note(source.error(InputError(said), (key, name)))
    texts = [str(name) for name in named]
    if twice := [text for i, text in enumerate(texts) if text in texts[:i]]:
        said = f"Expected each name once, got {', '.join(twice)} again."
        faults.note(source.error(InputError(said), (key,)))
    faults.tell()
    return named


def _repeated(values: Sequence[Any]) -> str:
    """What is wrong with values of which no jobs follow, or one of which, computed once, would count twice."""
    if not len(values):
        return "Expected at least one value."
    twice = [value for i, value in enumerate(values) if any(_equal(value, each) for each in values[:i])]
    return f"Expected each value once, got {', '.join(map(repr, twice))} again." if twice else ""


def _equal(one: Any, other: Any) -> bool:
    """As settings: 2 and 2.0 are one value, 1 and true are two."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _steps(settings: Mapping[str, Any], world_name: str, lengths: dict[str, int]) -> dict[str, Any]:
    """Settings of a job, with epochs as steps (the world must be at hand then) and lists as tuples.

    `lengths` are those of the worlds that were read before: each is read once.
    """
    settings = {key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()}
    if "epochs" not in settings:
        return settings
    if "steps" in settings:
        raise InputError("steps and epochs are both given: expected one of them.")
    epochs, batch = settings.pop("epochs"), settings.get("batch", Job.batch)
    for name, value in (("epochs", epochs), ("batch", batch)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
            raise InputError(f"{name} should be a number above 0, got {value!r}.")
    read = {"world": world_name} | {key: settings[key] for key in READING if key in settings}
    if repr(read) not in lengths:
        lengths[repr(read)] = len(observations(read))
    return settings | {"steps": ceil(epochs * lengths[repr(read)] / batch)}


def _check_metrics(source: Source, protocol: str, names: list[str]) -> None:
    try:
        find_protocol(protocol)
    except InputError as error:
        raise source.error(error, ("metrics", protocol)) from None
    valid, faults = metrics_of(protocol), Faults()
    for i, name in enumerate(names):
        if name not in valid:
            unknown = unknown_name(f"metric of {protocol}", name, valid)
            faults.note(source.error(unknown, ("metrics", protocol, i)))
    faults.tell()
