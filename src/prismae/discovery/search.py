"""The search: candidates that fit the kind of data, short trainings first, the promising ones longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from prismae.data import Kind, World
from prismae.data.kinds import Images, Table
from prismae.errors import InputError, Interrupted
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict
from prismae.studies import Plan, study
from prismae.studies.estimate import estimates
from prismae.studies.plan_parts import Arm

LATENTS = 10
HELD_OUT = 0.1
SHORT, LONG = (200, 1_000), 4_000  # steps of the first round, the fewest and the most; of the second the most
FIRST = 0.3  # share of the time for the first round
FLOOR = 0.4  # share of the time that the fewest steps of the candidates may take: others are left out
FEWEST = 20  # steps of a single candidate where there is no time for more
SPARE = 0.85  # of the time that is left which is planned with
NAT, NAT_OF_IMAGES = 0.005, 0.01  # share of the variance that each nat of a code has to explain
PARSIMONY = 0.02  # share of the variance that a component has to explain; closer models are worth as much
LOST = ("diverged", "collapsed", "unlearned", "weak")  # verdicts that are never recommended


def candidates(kind: Kind) -> dict[str, Arm]:
    """What is tried on a kind of data, by name; see docs/results/known_answers.md."""
    table = isinstance(kind, Table)
    learned = {"likelihood": "auto" if table else "gaussian-learned", "lr": 3e-3 if table else 2e-3}
    first = {"likelihood": "auto", "lr": 1e-3} if isinstance(kind, Images) else learned
    return {
        "VAE": Arm("vae", settings=learned),
        "β-TCVAE, β = 3": Arm("beta-tcvae", {"beta": 3.0}, settings=first),
        "β-TCVAE, β = 6": Arm("beta-tcvae", {"beta": 6.0}, settings=learned),
    }


@dataclass(frozen=True)
class Tried:
    """The finished trainings of a candidate of one length.

    Parameters
    ----------
    name
        The candidate's.
    steps
        Updates of each.
    runs
        One for each seed, with its verdict.
    nat
        The share of the variance that each nat of its code has to explain.
    """

    name: str
    steps: int
    runs: Sequence[tuple[Run, Verdict]]
    nat: float = NAT

    @property
    def usable(self) -> list[tuple[Run, Verdict]]:
        """Those that may be recommended: with a live latent, which no verdict asks of trainings of few steps."""
        return [
            (run, verdict)
            for run, verdict in self.runs
            if verdict.live.any() and not any(found.name in LOST for found in verdict.findings)
        ]

    @property
    def live(self) -> float:
        """Live latents: the median over usable seeds."""
        return float(np.median([verdict.live.sum() for _, verdict in self.usable])) if self.usable else 0.0

    @property
    def recommendable(self) -> bool:
        """Whether half of the seeds or more are usable."""
        return bool(self.usable) and 2 * len(self.usable) >= len(self.runs)

    @property
    def nats(self) -> float:
        """What its live latents tell: the mean over usable seeds."""
        return float(np.mean([told(verdict) for _, verdict in self.usable])) if self.usable else 0.0

    def worth(self, verdict: Verdict) -> float:
        """What a seed explains of what is held out, less what its code is charged; minus infinity if nothing is."""
        return -np.inf if verdict.held_out is None else worth(verdict.held_out, told(verdict), self.nat)

    @property
    def several(self) -> bool:
        """Whether several seeds are usable, so that they can be compared."""
        return len(self.usable) > 1

    @property
    def held_out(self) -> float:
        """Explained share of the variance of what is held out: the mean over usable seeds; minus infinity where it
        cannot be recommended."""
        return float(np.mean(self._held_out)) if self.recommendable else -np.inf

    @property
    def spread(self) -> float:
        """Its standard deviation over usable seeds; NaN for fewer than two."""
        return float(np.std(self._held_out, ddof=1)) if self.several else np.nan

    @property
    def _held_out(self) -> list[float]:
        return [verdict.held_out for _, verdict in self.usable if verdict.held_out is not None]


def ranked(tried: Sequence[Tried]) -> list[Tried]:
    """Those that may be recommended, the best first: by what they explain of what is held out, where each nat of the
    code has to explain 0.5 % of the variance, or 1 % of images."""
    return sorted(
        (each for each in tried if each.recommendable),
        key=lambda each: worth(each.held_out, each.nats, each.nat),
        reverse=True,
    )


def worth(held_out: float, nats: float, nat: float = NAT) -> float:
    """What an explained share of the variance is worth with a code of so many nats, each of which has to explain `nat`.

    The last percents of the variance take many nats, and latents that tell so much of them bend and mix more.
    """
    return held_out - nat * nats


def told(verdict: Verdict) -> float:
    """Nats of the live latents together."""
    return float(np.asarray(verdict.information)[verdict.live].sum())


@dataclass
class Search:
    """A search and what it has found so far.

    Parameters
    ----------
    source, reading
        The data as a job has them: a name or path, and how they are read.
    world
        The data, without what is held out.
    out
        Where run folders are kept.
    seconds
        The time that it may take.
    seeds, jobs
        Seeds of the promising candidates; trainings at once.
    say
        Called with a line of progress.
    """

    source: str
    reading: Mapping[str, Any]
    world: World
    out: Path
    seconds: float
    seeds: int
    jobs: int
    say: Callable[[str], None]
    progress: bool = False
    tried: list[Tried] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.until - time.monotonic()

    def go(self) -> Tried | None:
        """The best candidate, of the longest trainings that were finished; None if none can be recommended.

        The first Ctrl-C ends the search with what there is.
        """
        arms = candidates(self.world.kind)
        try:
            pace = self._pace(arms)
            arms, least = self._affordable(arms, pace)
            first = self._together([pace[name] for name in arms])
            steps = _fitting((least, SHORT[1]), FIRST * self.left, first)
            slower = self._train(arms, steps, 1, pace)
            pace = {name: slower * seconds for name, seconds in pace.items()}
            last = (ranked(self.tried) or self.tried)[: 2 if self.left > 0 else 0]
            seeds = self.seeds
            while last:
                own = [pace[each.name] for each in last]
                each_step = sum(self._together(own * len(part)) for part in self._parts(seeds, len(last)))
                longer = _fitting((steps, LONG), SPARE * self.left, each_step)
                if longer >= 2 * steps or (len(last) == 1 and seeds <= 2):
                    break
                last, seeds = (last[:1], seeds) if len(last) > 1 else (last, seeds - 1)
            if last:
                self._train({each.name: arms[each.name] for each in last}, longer, seeds, pace)
        except (Interrupted, KeyboardInterrupt):
            self.interrupted = True
            if self.tried:
                self.say("Stopped: this is the best so far.")
        for several in (True, False):  # longer ones of several seeds first
            found = [each for each in ranked(self.tried) if each.several is several]
            if found:
                return found[0]
        return None

    def _plan(self, arms: Mapping[str, Arm], steps: int, seeds: list[int]) -> Plan:
        latents = min(LATENTS, int(np.prod(self.world.shape)))
        budget = {"steps": steps, "n_latents": latents, "batch": min(64, len(self.world)), **self.reading}
        return Plan("discover", {self.source: {}}, dict(arms), seeds, budget, name="discover")

    def _pace(self, arms: Mapping[str, Arm]) -> dict[str, float]:
        """Seconds of a step of each candidate."""
        planned = self._plan(arms, SHORT[1], [0]).jobs()
        known = estimates([each.job for each in planned], self.out, threads=1)
        pace = dict[str, float]()
        for each in planned:
            seconds, origin = known[each.job.id]
            if seconds is None:
                raise InputError(origin)
            pace[each.arm] = seconds / SHORT[1]
        return pace

    def _affordable(self, arms: Mapping[str, Arm], pace: Mapping[str, float]) -> tuple[dict[str, Arm], int]:
        """The candidates, in order, for the fewest steps of which there is time, and how many steps these are: fewer
        of one candidate where there is no time for more, which is said."""
        kept = dict(list(arms.items())[:1])
        for name, arm in arms.items():
            if SHORT[0] * self._together([pace[each] for each in {**kept, name: arm}]) <= FLOOR * self.left:
                kept[name] = arm
        (first, *_), least = kept, SHORT[0]
        if len(kept) == 1:
            least = _fitting((min(FEWEST, least), least), SPARE * self.left, pace[first])
        if least < SHORT[0]:
            needed = SHORT[0] * self._together(list(pace.values())) / FLOOR / 60
            self.say(
                f"A step takes {pace[first]:.2g} s here, so there is time for {least} steps of one candidate, which "
                f"are too few to learn much: {len(arms)} candidates need about {needed:.0f} minutes."
            )
        elif len(kept) < len(arms):
            self.say(f"There is no time for {', '.join(name for name in arms if name not in kept)}.")
        return kept, least

    def _together(self, each: Sequence[float]) -> float:
        """Seconds that trainings of so many seconds take, begun in order in `jobs` processes."""
        busy = [0.0] * self.jobs
        for seconds in each:
            busy[busy.index(min(busy))] += seconds
        return max(busy)

    def _parts(self, seeds: int, arms: int) -> list[list[int]]:
        """Seeds that are trained at once: as many as processes have room for."""
        size = max(1, self.jobs // arms)
        return [list(range(start, min(start + size, seeds))) for start in range(0, seeds, size)]

    def _train(self, arms: Mapping[str, Arm], steps: int, seeds: int, pace: Mapping[str, float]) -> float:
        """Train candidates, some seeds after others, as far as the time allows, and keep what is finished.

        Returns by how much it took longer than `pace` says, as on a machine that is busy; at least 1.
        """
        plan = self._plan(arms, steps, list(range(seeds)))
        slower = 1.0
        try:
            for part in self._parts(seeds, len(arms)):
                expected = steps * self._together([pace[name] for name in arms] * len(part))
                if self.tried and self.left < slower * expected:
                    break
                started = time.monotonic()
                self.say(
                    f"{len(arms)} candidate{'s' * (len(arms) > 1)}, {steps:,} steps, "
                    f"seed{'s' * (len(part) > 1)} {', '.join(map(str, part))}: "
                    f"{max(self.left, 0) / 60:.1f} minutes left"
                )
                only = [f"seed={','.join(map(str, part))}"]
                study(plan, self.out, only=only, jobs=self.jobs, threads=1, progress=self.progress)
                slower = max(slower, (time.monotonic() - started) / expected)
        finally:
            self._collect(plan, steps)
        return slower

    def _collect(self, plan: Plan, steps: int) -> None:
        found: dict[str, list[tuple[Run, Verdict]]] = {}
        for each in plan.jobs():
            run = Run(self.out / each.job.id)
            if run.finished and (verdict := Run.open(run.path).verdict) is not None:
                found.setdefault(each.arm, []).append((Run.open(run.path), verdict))
        self.tried = [each for each in self.tried if each.steps != steps or each.name not in found]
        nat = NAT_OF_IMAGES if isinstance(self.world.kind, Images) else NAT
        self.tried += [Tried(name, steps, runs, nat) for name, runs in found.items()]


def _fitting(bounds: tuple[int, int], seconds: float, a_step: float) -> int:
    """How many steps fit into the time, within bounds."""
    return int(np.clip(seconds / a_step, *bounds) // 10 * 10)
