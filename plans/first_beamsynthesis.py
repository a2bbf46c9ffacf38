"""First comparison on real Beamsynthesis: GCAE, ED-GCAE, its shared critic alone, readings of its noise, beta-VAE.

    PRISMAE_DATA=... python plans/first_beamsynthesis.py train [--worker 0/2] [--out runs/first]
    PRISMAE_DATA=... python plans/first_beamsynthesis.py rows [--out runs/first]
    python plans/first_beamsynthesis.py page

`train` runs every job that is not done (worker 0 of 2 takes each second one); an interrupted one goes on. `rows`
scores what is done in both protocols into results/first_beamsynthesis.csv. `page` writes the tables of
docs/results/first_beamsynthesis.md from those rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from prismae import world
from prismae.evaluation import evaluate
from prismae.metrics import mig
from prismae.studies import Job, run
from prismae.train import RunFolder
from prismae.train.run_folder import HISTORY, JOB, SNAPSHOT

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "results" / "first_beamsynthesis.csv"
PAGE = ROOT / "docs" / "results" / "first_beamsynthesis.md"
WORLD = "beamsynthesis"
STEPS = (2000, 4000, 8000)
SEEDS = (0, 1, 2)
NOISE = 0.2  # of the channel, when MIG is asked of what passes it

QUICK = {"nodes": "stratified", "n_nodes": 16}
FIXED = {"sigma_max": 0.2, "sigma_min": 0.2, "alpha": 1.0, "gamma": 1.0}


def ed_gcae(*, steps: int = 8000, **fields: object) -> Job:
    """An ED-GCAE job in bf16 with 16 stratified nodes."""
    snapshots = tuple(step for step in STEPS if step <= steps)
    return Job("ed-gcae", WORLD, QUICK | fields, steps=steps, precision="bf16", snapshots=snapshots)


ARMS: dict[str, Job] = {
    "ED-GCAE": ed_gcae(),
    "shared critic, σ = 0.2": ed_gcae(**FIXED),
    "GCAE, k = 5, σ = 0.2": Job("gcae", WORLD, steps=2000, snapshots=(2000,)),
    "beta-VAE, β = 4": Job("beta-vae", WORLD, steps=8000, snapshots=STEPS),
}
READINGS: dict[str, Job] = {
    "Eq. 4 as printed": ed_gcae(steps=4000, noise_rule="literal"),
    "entropy of the noisy codes' histogram": ed_gcae(steps=4000, entropy="noisy-histogram"),
    "g counts single steps": ed_gcae(steps=4000, group=1),
    "σ within [0.1, 0.3]": ed_gcae(steps=4000, sigma_min=0.1, sigma_max=0.3),
}
METRICS = {
    "yeats2023": ["mig", "fac", "dci", "sap"],
    "locatello2019": ["mig", "factor-vae-score", "dci", "sap-mixed"],
}
PUBLISHED = {  # ED-GCAE, Table 2
    "ED-GCAE": ("0.369 ± 0.040", "0.989 ± 0.008", "0.549 ± 0.015", "0.395 ± 0.094"),
    "GCAE": ("0.291 ± 0.052", "0.932 ± 0.062", "0.312 ± 0.026", "0.332 ± 0.082"),
    "beta-VAE": ("0.142 ± 0.044", "0.981 ± 0.011", "0.512 ± 0.057", "0.152 ± 0.034"),
}


def jobs() -> Iterator[tuple[str, Job]]:
    """Every arm with every seed, then the readings with the first two seeds."""
    for seed in SEEDS:
        yield from ((arm, replace(job, seed=seed)) for arm, job in ARMS.items())
    for seed in SEEDS[:2]:
        yield from ((arm, replace(job, seed=seed)) for arm, job in READINGS.items())


def rows(out: Path) -> pd.DataFrame:
    """One row per finished run and snapshot."""
    data = world(WORLD)
    found = []
    for arm, job in jobs():
        folder = RunFolder(out / job.id)
        if not folder.finished:
            continue
        about = folder.read_json(JOB)
        history = pd.read_parquet(folder.path / HISTORY).set_index("step")
        for step in job.snapshots:
            with np.load(folder.path / SNAPSHOT.format(step=step)) as arrays:
                codes = arrays["codes"]
            spread = np.sort(codes.std(0))[::-1]
            row = {
                "arm": arm,
                "seed": job.seed,
                "steps": step,
                "mse": history.loc[:step, "monitor:mse"].dropna().iloc[-1],
                "nats": history.loc[:step, "monitor:nats"].dropna().iloc[-1],
                "live": int((spread > 0.25).sum()),
                "mig of noisy codes": float(mig(codes, data.factors, channel=NOISE)),
                "spread": " ".join(f"{value:.2f}" for value in spread),
                "seconds": about["seconds"] * step / job.steps,
                "machine": about["machine"],
                "precision": job.precision,
                "run": job.id,
            }
            for protocol, names in METRICS.items():
                for name, score in evaluate(codes, data, metrics=names, protocol=protocol).items():
                    row |= {f"{protocol}:{name}": score.score, f"{protocol}:{name}:chance": score.chance}
            found.append(row)
    return pd.DataFrame(found)


def main() -> None:
    """Train, score, or write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["train", "rows", "page"])
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "first")
    parser.add_argument("--worker", default="0/1", help="i/n: take jobs i, i + n, …; one thread each")
    given = parser.parse_args()
    if given.what == "train":
        place, workers = map(int, given.worker.split("/"))
        torch.set_num_threads(1)
        for arm, job in list(jobs())[place::workers]:
            print(arm, job.seed, run(job, given.out).path, flush=True)
    elif given.what == "rows":
        ROWS.parent.mkdir(exist_ok=True)
        rows(given.out).round(5).to_csv(ROWS, index=False)
    else:
        head, _, tail = PAGE.read_text().partition("<!-- tables -->")
        rest = tail.partition("<!-- end of tables -->")[2]
        tables = page(pd.read_csv(ROWS))
        PAGE.write_text(f"{head}<!-- tables -->\n\n{tables}\n<!-- end of tables -->{rest}")


def page(frame: pd.DataFrame) -> str:
    """The tables in Markdown: mean ± standard deviation over seeds."""
    parts = []
    for title, arms in (("The four methods", ARMS), ("Readings of the noise rule", READINGS)):
        chosen = frame[frame["arm"].isin(list(arms) + (["ED-GCAE"] if arms is READINGS else []))]
        if arms is READINGS:
            seeds = sorted(chosen.loc[chosen["arm"] != "ED-GCAE", "seed"].unique())
            chosen = chosen[(chosen["steps"] <= 4000) & chosen["seed"].isin(seeds)]
        if chosen.empty:
            continue
        for protocol in METRICS:
            parts += [f"### {title}, protocol {protocol}", "", *_table(chosen, protocol), ""]
        parts += [f"### {title}: errors, codes and time", "", *_about(chosen), ""]
    return "\n".join(parts)


def _groups(frame: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    for arm in frame["arm"].drop_duplicates():
        for steps, group in frame[frame["arm"] == arm].groupby("steps"):
            yield arm, int(steps), group


def _table(frame: pd.DataFrame, protocol: str) -> list[str]:
    columns = [c for c in frame if c.startswith(f"{protocol}:") and not c.endswith(":chance")]
    if protocol == "locatello2019":
        columns = [c for c in columns if not c.endswith(("completeness", "informativeness"))]
    names = [column.partition(":")[2] for column in columns]
    lines = [f"| method | steps | seeds | {' | '.join(names)} |", "|---|---|---|" + "---|" * len(names)]
    for arm, steps, group in _groups(frame):
        cells = [_mean(group[column]) for column in columns]
        lines.append(f"| {arm} | {steps} | {len(group)} | {' | '.join(cells)} |")
    chance = [_mean(frame[f"{column}:chance"]) for column in columns]
    lines.append(f"| *shuffled codes (chance), all rows* | | | {' | '.join(chance)} |")
    if protocol == "yeats2023":
        for method, values in PUBLISHED.items():
            lines.append(f"| *published: {method} (Table 2)* | | | {' | '.join(values)} |")
    return lines


def _about(frame: pd.DataFrame) -> list[str]:
    lines = [
        "| method | steps | mse | nats | MIG of noisy codes | live codes | spread of the codes, by seed | minutes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for arm, steps, group in _groups(frame):
        spread = "; ".join(" ".join(text.split()[:4]) for text in group["spread"])
        live = ", ".join(str(n) for n in group["live"])
        lines.append(
            f"| {arm} | {steps} | {_mean(group['mse'])} | {group['nats'].mean():.0f} "
            f"| {_mean(group['mig of noisy codes'])} | {live} | {spread} "
            f"| {group['seconds'].mean() / 60:.0f} |"
        )
    return lines


def _mean(values: pd.Series) -> str:
    return f"{values.mean():.3f} ± {values.std():.3f}" if len(values) > 1 else f"{values.mean():.3f}"


if __name__ == "__main__":
    main()
