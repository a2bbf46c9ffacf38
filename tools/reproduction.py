"""REPRODUCTION.md from the plans of this folder and the rows in results/: what is reproduced, what is not, and why.

    python tools/reproduction.py

Rows come from `prismae study PLAN --profile P --rows results/<plan>.<profile>.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prismae.evaluation.baselines import BASELINES
from prismae.metrics import Better
from prismae.studies import Plan
from prismae.studies.plan import Planned
from prismae.studies.plan_file import read_source
from prismae.studies.plan_parts import Claim
from prismae.studies.rows import EXACT
from prismae.studies.summary import TEST_FROM, direction, paired, plain, published, summarise
from prismae.studies.tables import number, render

ROOT = Path(__file__).parents[1]
PLANS = ROOT / "plans"
RESULTS = ROOT / "results"
BESIDE = "methods_baselines"  # the plan whose rows stand beside those of others on the same worlds
PAGE = ROOT / "REPRODUCTION.md"
BELIEFS = ROOT / "docs" / "results" / "papers.md"  # a section for each paper, under its name
PAPERS = {
    "ed_gcae": "ED-GCAE (Zhang et al. 2025)",
    "hgmvae": "HGMVAE (Zhou et al. 2024)",
    "evae": "eVAE (Wu et al. 2025)",
    "methods": "All methods side by side",
}
HEAD = """# Reproduction

Every table and figure of the three papers as a plan (`plans/`), what has been run of it, and our numbers beside the
published ones. This page is written by `python tools/reproduction.py` from the plans and from the rows in `results/`.
"paper" is the paper's budget as far as it is known, "gpu" the same with critics in bf16, "small" a reduced one whose
numbers are not comparable with it.

## What is reached

A score is *reached* if our mean over three or more seeds is at least the published mean less its standard deviation;
*in part* if that is so with fewer seeds, or if the published mean lies within one standard deviation of ours alone;
else *not reached*. An order of two things is *reached* if it is the paper's with p < 0.05, *in part* if it is the
paper's and there are too few seeds for a test, else *not reached*. p is of the paired t test over common seeds, where
there are three or more. *Budget* is the share of the paper's training images that our runs saw, as far as the paper's
budget is known; *seeds* are ours of the plan's. Where two things are compared, the numbers are of the first, then of
the second.
"""
VERDICTS = """| what the paper says | score | published | ours | p | budget | seeds | verdict | why |
|---|---|---|---|---|---|---|---|---|"""
JOBS = """
## What has been run

| plan | profile | jobs with rows | budget of the rows |
|---|---|---|---|"""


def page(plans: Path, results: Path) -> str:
    """The page from a folder of plans and one of rows, as Markdown."""
    verdicts, contents, lines, sections = [HEAD, VERDICTS], ["\n## Contents\n"], [JOBS], []
    for prefix, name in PAPERS.items():
        sections.append(f"## {name}\n")
        sections += _believed(name)
        contents.append(f"- {_link(name)}")
        for path in sorted(plans.glob(f"{prefix}_*.yaml")):
            source = read_source(path).data
            contents.append(f"  - {_link(source['title'])}")
            profiles: dict[str, Found] = {}
            sections.append(f"### {source['title']}\n\nPlan: `plans/{path.name}`.\n")
            for profile in source["profiles"]:
                plan = Plan.load(path, profile)
                profiles[profile] = found = Found.of(plan, _rows(results, path.stem, profile))
                share = f"{len(found.there)} of {len(found.there) + len(found.lacking)}"
                lines.append(f"| {path.stem} | {profile} | {share} | {_budget(found.frame)} |")
                sections.append(_section(plan, found, share, _beside(plan, found.frame, results)))
            paper = next(iter(profiles.values()))
            for claim in paper.plan.claims:
                held = Held.of(claim, paper, profiles[claim.profile])
                verdicts.append(held.line(claim, source["title"]))
            sections += [f"{' '.join(note.split())}\n" for note in source.get("notes", [])]
    return "\n".join([*verdicts, *contents, *lines, "", *sections]).rstrip() + "\n"


def _rows(results: Path, plan: str, profile: str) -> pd.DataFrame:
    path = results / f"{plan}.{profile}.csv"
    return pd.read_csv(path, **EXACT) if path.exists() else pd.DataFrame()


def _beside(plan: Plan, frame: pd.DataFrame, results: Path) -> pd.DataFrame:
    """Rows of PCA, ICA and an untrained network on a plan's worlds, with its scores, as far as it has none itself."""
    rows = _rows(results, BESIDE, "small")
    if frame.empty or rows.empty or plan.name == BESIDE:
        return pd.DataFrame()
    free = rows["method"].isin(BASELINES) & ~rows["method"].isin(set(frame["method"]))
    there = rows["world"].isin(plan.worlds) & free
    rows = rows[there][[name for name in map(str, rows) if ":" not in name or name in frame]]
    return rows[rows.filter(like=":").notna().any(axis=1)]


def _believed(name: str) -> list[str]:
    """What docs/results/papers.md says of a paper, with its links from here; nothing of what it does not have."""
    for section in BELIEFS.read_text().split("\n## ")[1:]:
        head, _, text = section.partition("\n")
        if head == name:
            return [re.sub(r"\]\((?!https?:)([^)]+)\)", r"](docs/results/\1)", text.strip()) + "\n"]
    return []


def _link(title: str, text: str = "") -> str:
    """A link to a heading, by the anchor that GitHub gives it."""
    anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    return f"[{text or title}](#{anchor})"


@dataclass(frozen=True)
class Found:
    """A plan, the rows that belong to its jobs, the jobs with and without rows, and how many rows belong to none."""

    plan: Plan
    frame: pd.DataFrame
    there: list[Planned]
    lacking: list[Planned]
    strangers: int

    @classmethod
    def of(cls, plan: Plan, frame: pd.DataFrame) -> Found:
        """By arm, world, seed and the grids' values: a row may come from a longer run of the same job."""
        jobs = plan.jobs()
        grids = list(dict.fromkeys(name for each in jobs for name in each.swept))
        rows = [_place(row, grids) for row in frame.to_dict("records")]
        wanted = [_place(_about(each), grids) for each in jobs]
        fits = [row in wanted for row in rows]
        there = [place in rows for place in wanted]
        return cls(
            plan,
            frame[np.array(fits) | frame["method"].isin(BASELINES).to_numpy()] if len(frame) else frame,
            [each for each, known in zip(jobs, there, strict=True) if known],
            [each for each, known in zip(jobs, there, strict=True) if not known],
            fits.count(False) - int(frame["method"].isin(BASELINES).sum() if len(frame) else 0),
        )


@dataclass(frozen=True)
class Held:
    """A claim held to the rows.

    Parameters
    ----------
    published, ours
        Mean and deviation (None where there is none) of the claim's one or two things; None where there are no numbers.
    n
        Seeds of each of ours.
    p
        Of the paired test of two things, None for fewer than three common seeds.
    budget
        Share of the paper's images, None where the paper's profile has no such job.
    seeds
        How many the plan's profile "paper" has.
    better
        Which end of the score is better.
    credible
        Whether the published number can be right at all.
    """

    published: list[tuple[float, float | None] | None]
    ours: list[tuple[float, float | None] | None]
    n: list[int]
    p: float | None
    budget: float | None
    seeds: int
    better: Better
    credible: bool

    @classmethod
    def of(cls, claim: Claim, paper: Found, found: Found) -> Held:
        """A claim by the rows of its profile of the plan; `paper` is the profile of the paper's budget."""
        frame, things = found.frame, [each for each in (claim.of, claim.beside) if each]
        known = frame if claim.score in frame else frame.assign(**{claim.score: None})
        rows = [_agreeing(known, each).dropna(subset=claim.score) for each in things]
        both = rows[0].merge(rows[-1], on="seed")[[f"{claim.score}_x", f"{claim.score}_y"]].to_numpy()
        compared = paired(both[:, 0].tolist(), both[:, 1].tolist()) if len(things) > 1 else None
        return cls(
            [published(found.plan, each, claim.score) for each in things],
            [(float(r.mean()), float(r.std()) if len(r) > 1 else None) if len(r) else None
             for r in (each[claim.score] for each in rows)],
            [len(each) for each in rows],
            compared.p if compared else None,
            _share(found, paper, claim.of, rows[0]),
            len(paper.plan.seeds),
            direction(claim.score),
            claim.credible,
        )  # fmt: skip

    @property
    def verdict(self) -> str:
        """What the rows say; see the page's head."""
        if None in self.ours:
            return "not run"
        if not self.credible:
            return "not credible"
        sign = -1 if self.better is Better.LOWER else 1
        first, last = self.ours[0], self.ours[-1]
        assert first is not None  # for the type checker: looked at above
        assert last is not None
        if len(self.ours) > 1:
            if sign * (first[0] - last[0]) <= 0:
                return "not reached"
            return "in part" if self.p is None else "reached" if self.p < 0.05 else "not reached"
        wanted = self.published[0]
        assert wanted is not None, "a claim about one thing needs its published number"
        below = sign * (wanted[0] - first[0])
        if below > max(wanted[1] or 0.0, first[1] or 0.0):
            return "not reached"
        return "reached" if below <= (wanted[1] or 0.0) and self.n[0] >= TEST_FROM else "in part"

    def line(self, claim: Claim, title: str) -> str:
        """The claim's line of the first table, with a link to its plan's section."""
        return _row(
            _link(title, claim.claim),
            claim.score.replace(":", ": "),
            "; ".join(number(*each) for each in self.published if each) or "no numbers at hand",
            "–" if None in self.ours else "; ".join(number(*each) for each in self.ours if each),
            "" if self.p is None else "< 0.001" if self.p < 0.001 else f"{self.p:.3f}",
            "–" if self.budget is None or None in self.ours else f"{100 * self.budget:.3g} %",
            "; ".join(f"{n} of {self.seeds}" for n in dict.fromkeys(self.n)),
            self.verdict,
            claim.why,
        )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _agreeing(frame: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """The rows that have these values."""
    if frame.empty:
        return pd.DataFrame(columns=["seed", "steps", *frame])
    fits = [frame[key].map(plain) == plain(value) for key, value in about.items()]
    return frame[np.logical_and.reduce(fits)]


def _share(found: Found, paper: Found, about: Mapping[str, Any], rows: pd.DataFrame) -> float | None:
    """Training images of rows, as a share of the most that a job of the paper's profile has that is about the same, as
    far as that profile sweeps it."""
    left = {"steps"} | ({"arm"} if about["arm"] not in paper.plan.methods else set())
    wanted = {key: plain(value) for key, value in about.items() if key not in left}
    ours, theirs = (
        [
            each.job
            for each in p.there + p.lacking
            if all(plain(_about(each).get(k, v)) == v for k, v in wanted.items())
        ]
        for p in (found, paper)
    )
    if not ours or not theirs or rows.empty:
        return None
    return float(rows["steps"].max()) * ours[0].batch / max(job.limit * job.batch for job in theirs)


def _about(planned: Planned) -> dict[str, Any]:
    return planned.swept | {"arm": planned.arm, "world": planned.job.world, "seed": planned.job.seed}


def _place(about: Mapping[Any, Any], grids: Sequence[str]) -> tuple[str, ...]:
    """What tells the jobs of a plan apart, as texts; a grid that an arm does not have is NaN in a file of rows."""
    values = [about.get(name) for name in ("arm", "world", "seed", *grids)]
    return tuple(plain(None if value != value else value) for value in values)


def _section(plan: Plan, found: Found, number: str, beside: pd.DataFrame) -> str:
    """What is there of one profile: the table, which rows it rests on, and what is missing; or that nothing is."""
    if found.frame.empty:
        return f"**Profile {plan.profile}: not run** ({len(found.lacking)} jobs).\n"
    parts = [
        f"**Profile {plan.profile}: {number} jobs.** Rows: {_listed(plan, found.there) or 'of baselines alone'}."
    ]
    if found.lacking:
        parts.append(f"Not run: {_listed(plan, found.lacking)}.")
    if found.strangers:
        parts.append(f"Left out: {found.strangers} rows of jobs that the plan does not have.")
    if len(beside):
        parts.append(
            f"{', '.join(dict.fromkeys(beside['arm']))}: rows of `plans/{BESIDE}.yaml` on the same world in the same "
            "protocols, with ten components, or ten means of an MLP before its first step."
        )
    whole = pd.concat([found.frame, beside], ignore_index=True)
    table = render(plan, summarise(plan, whole)).replace("### ", "#### ")
    for note in plan.notes:
        table = table.replace(note.strip(), "")
    return f"{' '.join(parts)}\n\n{table.rstrip()}\n"


def _listed(plan: Plan, jobs: Sequence[Planned]) -> str:
    """Which jobs these are: arms that have the same seeds in the same setting stand together."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for each in jobs:
        setting = [each.job.world] if len(plan.worlds) > 1 else []
        setting += [f"{name} {plain(value)}" for name, value in each.swept.items()]
        seeds.setdefault((", ".join(setting), each.arm), []).append(each.job.seed)
    arms: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (where, arm), own in seeds.items():
        arms.setdefault((where, tuple(sorted(own))), []).append(arm)
    return "; ".join(
        f"{setting + ': ' if setting else ''}{'all arms' if len(names) == len(plan.methods) > 1 else ', '.join(names)} "
        f"(seed{'s' * (len(own) > 1)} {_range(own)})"
        for (setting, own), names in arms.items()
    )


def _range(seeds: tuple[int, ...]) -> str:
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _budget(frame: pd.DataFrame) -> str:
    frame = frame if frame.empty else frame[~frame["method"].isin(BASELINES)]
    if frame.empty:
        return "not run"
    machines = "; ".join(sorted(frame["machine"].dropna().unique()))
    hours = frame["seconds"].sum() / 3600
    return (
        f"{', '.join(f'{s:,}' for s in sorted(frame['steps'].unique()))} steps; {hours:.1f} h on {machines}"
    )


if __name__ == "__main__":
    PAGE.write_text(page(PLANS, RESULTS))
