"""REPRODUCTION.md from the plans of this folder and the rows in results/: what is reproduced, what is not, and why.

    python plans/reproduction.py

Rows come from `prismae study PLAN --profile P --rows results/<plan>.<profile>.csv`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from prismae.studies import Plan
from prismae.studies.plan_file import read_source
from prismae.studies.summary import summarise
from prismae.studies.tables import render

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


def main() -> None:
    """Write the page."""
    lines = [HEAD, "| plan | profile | jobs with rows | budget of the rows |", "|---|---|---|---|"]
    sections = []
    for prefix, paper in PAPERS.items():
        sections.append(f"## {paper}\n")
        for path in sorted(HERE.glob(f"{prefix}_*.yaml")):
            source = read_source(path).data
            sections.append(f"### {source['title']}\n\nPlan: `plans/{path.name}`.\n")
            for profile in source["profiles"]:
                plan = Plan.load(path, profile)
                rows = RESULTS / f"{path.stem}.{profile}.csv"
                frame = pd.read_csv(rows) if rows.exists() else pd.DataFrame({"run": []})
                jobs = len(plan.jobs())
                done = frame["run"].nunique()
                lines.append(f"| {path.stem} | {profile} | {done} of {jobs} | {_budget(frame)} |")
                sections.append(_section(plan, frame, jobs))
            sections += [f"{' '.join(note.split())}\n" for note in source.get("notes", [])]
    PAGE.write_text("\n".join([*lines, "", *sections]).rstrip() + "\n")


def _section(plan: Plan, frame: pd.DataFrame, jobs: int) -> str:
    """What is there of one profile: the table, or that nothing is."""
    if frame.empty:
        return f"**Profile {plan.profile}: not run** ({jobs} jobs).\n"
    seeds = ", ".join(str(seed) for seed in sorted(frame["seed"].unique()))
    missing = [arm for arm in plan.methods if arm not in set(frame["arm"])]
    lacking = f" Not run yet: {', '.join(missing)}." if missing else ""
    head = f"**Profile {plan.profile}: {frame['run'].nunique()} of {jobs} jobs**, seeds {seeds}.{lacking}\n"
    table = render(plan, summarise(plan, frame)).replace("### ", "#### ")
    for note in plan.notes:
        table = table.replace(note.strip(), "")
    return f"{head}\n{table.rstrip()}\n"


def _budget(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "not run"
    machines = "; ".join(sorted(frame["machine"].unique()))
    hours = frame["seconds"].sum() / 3600
    return (
        f"{', '.join(f'{s:,}' for s in sorted(frame['steps'].unique()))} steps; {hours:.1f} h on {machines}"
    )


if __name__ == "__main__":
    main()
