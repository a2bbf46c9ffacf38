"""What can choose between trainings without labels: criteria beside what the factors say. Rows, and a table of them.

    python tools/criteria.py RUNS... --rows results/criteria.csv > table.md

RUNS are folders of runs on `known:…`, of `plans/known.yaml` or of `prismae discover`. Runs of the same world, method,
weight and steps are one candidate. Rows that are in the file are kept.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import prismae as pr
from known_answers import correlations
from prismae.data.kinds import Images
from prismae.discovery.axes import agreements, independent_of
from prismae.discovery.result import mean_codes
from prismae.discovery.search import NAT, NAT_OF_IMAGES, told, worth
from prismae.evaluation.baselines import principal
from prismae.runs.observations import parted
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict

LOOKED_AT, SAMPLES = 2_000, 64  # observations that are encoded; of each posterior, behind a likelihood
CANDIDATE = ("world", "arm", "steps")
LEARNED = "gaussian-learned"


def measured(runs: Sequence[tuple[Run, Verdict]]) -> dict[str, Any]:
    """The criteria of a candidate, and what its latents, turned to independent components, say of the factors."""
    found: dict[str, list[float]] = defaultdict(list)
    codes = []
    for run, verdict in runs:
        model = pr.load(run.path)
        data, held = parted(run.job)
        assert data.factors is not None
        own = mean_codes(model, data, len(data))[:, verdict.live]
        codes.append(own)
        turned = independent_of(own, principal(own, own.shape[1])).codes(own)
        rows = (held or data).factors
        assert rows is not None
        some = (held or data).split(LOOKED_AT / len(rows))[1] if len(rows) > LOOKED_AT else (held or data)
        learned = run.job["likelihood"] == LEARNED
        nll = (
            pr.evaluate(model, some, metrics=["nll"], samples=SAMPLES, baselines=False)["nll"].score
            if learned
            else np.nan  # of another likelihood, and not to be compared with these
        )
        share = verdict.explained if verdict.held_out is None else verdict.held_out
        found["r"].append(float(correlations(turned, data.factors).mean()))
        found["likelihood"].append(-float(nll))
        found["explained"].append(float(share or 0.0))
        found["live"].append(float(verdict.live.sum()))
        found["independence"].append(float(agreements(turned, own).mean()))
        found["nats"].append(told(verdict))
        nat = NAT_OF_IMAGES if isinstance(data.kind, Images) else NAT
        found["worth"].append(worth(found["explained"][-1], found["nats"][-1], nat))
        found["fewer"].append(found["explained"][-1] - 0.02 * found["live"][-1])
    pairs = [(a, b) for a in codes for b in codes if a is not b]
    agreed = [
        agreements(a, b).mean() * min(1, b.shape[1] / a.shape[1])
        if a.shape[1] > 1 and b.shape[1] > 1
        else np.nan
        for a, b in pairs
    ]
    means = {name: float(np.mean(values)) for name, values in found.items()}
    held_out = runs[0][1].held_out is not None
    return means | {
        "agreement": float(np.mean(agreed)) if agreed else np.nan,
        "seeds": len(runs),
        "held out": held_out,
    }


def candidates(paths: Sequence[Path]) -> dict[tuple[Any, ...], list[tuple[Run, Verdict]]]:
    """Finished runs with live latents, by world, method with its weight, and steps."""
    groups: dict[tuple[Any, ...], list[tuple[Run, Verdict]]] = defaultdict(list)
    for path in paths:
        run = Run(path)
        if not run.finished or (verdict := run.verdict) is None or verdict.live.sum() < 2:
            continue
        job = run.job
        beta = job["fields"].get("beta")
        arm = job["method"] + ("" if beta is None else f", β = {beta:g}")
        arm += "" if job["likelihood"] == LEARNED else f", {job['likelihood']}"
        groups[(job["world"], arm, job["steps"], bool(job.get("holdout")))].append((run, verdict))
    return groups


RULES: Mapping[str, str] = {
    "agreement": "agreement of the live latents over seeds (as UDR)",
    "independence": "independence: agreement of the latents with their own independent components",
    "likelihood": "likelihood (importance-weighted bound)",
    "explained": "explained share of the variance",
    "fewer": "explained share, less 2 % of the variance for each live latent",
    "worth": "explained share, less 0.5 % for each nat of the live latents, of images 1 % (what `discover` does)",
}


def table(rows: pd.DataFrame) -> str:
    """For each rule the mean |r| of what it chooses of each world, and the most that a world loses by it."""
    lines = ["| chosen by | mean \\|r\\| | greatest loss | worlds |", "|---|---|---|---|"]
    worlds = [part for _, part in rows.groupby(["world", "steps"]) if len(part) > 1]
    for name, said in RULES.items():
        fit = [part for part in worlds if part[name].notna().all()]
        if not fit:
            continue
        chosen: NDArray = np.array([part["r"].to_numpy()[part[name].to_numpy().argmax()] for part in fit])
        loss = max(float(part["r"].max()) - r for part, r in zip(fit, chosen, strict=True))
        lines.append(f"| {said} | {chosen.mean():.3f} | {loss:.3f} | {len(fit)} |")
    both = [float(part["r"].mean()) for part in worlds]
    lines.append(f"| no choice: the mean of all | {np.mean(both):.3f} | | {len(worlds)} |")
    return "\n".join(lines)


def main() -> None:
    """Read what is new, write the rows, print a table of runs with and one of runs without anything held out."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("runs", nargs="*", type=Path)
    reader.add_argument("--rows", type=Path, required=True)
    asked = reader.parse_args()
    rows = pd.read_csv(asked.rows) if asked.rows.exists() else pd.DataFrame()
    known = set() if rows.empty else {tuple(each) for each in rows[[*CANDIDATE, "held out"]].to_numpy()}
    for (world, arm, steps, held), runs in candidates(asked.runs).items():
        if (world, arm, steps, held) in known:
            continue
        new = {"world": world, "arm": arm, "steps": steps} | measured(runs)
        rows = pd.concat([rows, pd.DataFrame([new])], ignore_index=True)
        rows.round(4).to_csv(asked.rows, index=False)
    for held, part in rows.groupby("held out"):
        print(f"### {'held out' if held else 'of what was trained on'}\n\n{table(part)}\n")


if __name__ == "__main__":
    main()
