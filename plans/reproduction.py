"""REPRODUCTION.md from the plans of this folder and the rows in results/: what is reproduced, what is not, and why.

    python plans/reproduction.py

Rows come from `prismae study PLAN --profile P --rows results/<plan>.<profile>.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from prismae.studies import Plan
from prismae.studies.plan import Planned
from prismae.studies.plan_file import read_source
from prismae.studies.summary import summarise
from prismae.studies.tables import plain, render

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
PAGE = HERE.parent / "REPRODUCTION.md"
PAPERS = {
    "ed_gcae": "ED-GCAE (Zhang et al. 2025)",
    "hgmvae": "HGMVAE (Zhou et al. 2024)",
    "evae": "eVAE (Wu et al. 2025)",
    "methods": "All methods side by side",
}
HEAD = """# Reproduction

Every table and figure of the three papers as a plan (`plans/`), what has been run of it, and our numbers beside the
published ones. This page is written by `python plans/reproduction.py` from the plans and from the rows in `results/`.
"paper" is the paper's budget as far as it is known, "small" a reduced one whose numbers are not comparable with it.
"""


def page(plans: Path, results: Path) -> str:
    """The page from a folder of plans and one of rows, as Markdown."""
    lines = [HEAD, "| plan | profile | jobs with rows | budget of the rows |", "|---|---|---|---|"]
    sections = []
    for prefix, paper in PAPERS.items():
        sections.append(f"## {paper}\n")
        for path in sorted(plans.glob(f"{prefix}_*.yaml")):
            source = read_source(path).data
            sections.append(f"### {source['title']}\n\nPlan: `plans/{path.name}`.\n")
            for profile in source["profiles"]:
                plan = Plan.load(path, profile)
                rows = results / f"{path.stem}.{profile}.csv"
                found = Found.of(plan, pd.read_csv(rows) if rows.exists() else pd.DataFrame())
                number = f"{len(found.there)} of {len(found.there) + len(found.lacking)}"
                lines.append(f"| {path.stem} | {profile} | {number} | {_budget(found.frame)} |")
                sections.append(_section(plan, found, number))
            sections += [f"{' '.join(note.split())}\n" for note in source.get("notes", [])]
    return "\n".join([*lines, "", *sections]).rstrip() + "\n"


@dataclass(frozen=True)
class Found:
    """The rows that belong to a plan's jobs, the jobs with and without rows, and how many rows belong to none."""

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
            frame[fits] if len(frame) else frame,
            [each for each, known in zip(jobs, there, strict=True) if known],
            [each for each, known in zip(jobs, there, strict=True) if not known],
            fits.count(False),
        )


def _about(planned: Planned) -> dict[str, Any]:
    return planned.swept | {"arm": planned.arm, "world": planned.job.world, "seed": planned.job.seed}


def _place(about: Mapping[Any, Any], grids: Sequence[str]) -> tuple[str, ...]:
    """What tells the jobs of a plan apart, as texts; a grid that an arm does not have is NaN in a file of rows."""
    values = [about.get(name) for name in ("arm", "world", "seed", *grids)]
    return tuple(plain(None if value != value else value) for value in values)


def _section(plan: Plan, found: Found, number: str) -> str:
    """What is there of one profile: the table, which rows it rests on, and what is missing; or that nothing is."""
    if not found.there:
        return f"**Profile {plan.profile}: not run** ({len(found.lacking)} jobs).\n"
    parts = [f"**Profile {plan.profile}: {number} jobs.** Rows: {_listed(plan, found.there)}."]
    if found.lacking:
        parts.append(f"Not run: {_listed(plan, found.lacking)}.")
    if found.strangers:
        parts.append(f"Left out: {found.strangers} rows of jobs that the plan does not have.")
    table = render(plan, summarise(plan, found.frame)).replace("### ", "#### ")
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
    for (setting, arm), own in seeds.items():
        arms.setdefault((setting, tuple(sorted(own))), []).append(arm)
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
    if frame.empty:
        return "not run"
    machines = "; ".join(sorted(frame["machine"].unique()))
    hours = frame["seconds"].sum() / 3600
    return (
        f"{', '.join(f'{s:,}' for s in sorted(frame['steps'].unique()))} steps; {hours:.1f} h on {machines}"
    )


if __name__ == "__main__":
    PAGE.write_text(page(HERE, RESULTS))
