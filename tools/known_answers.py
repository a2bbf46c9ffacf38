"""What trainings, PCA and FastICA find of the factors of the world `known`: rows, and the tables of their page.

    python tools/known_answers.py RUNS... --rows results/known_answers.codes.csv > tables.md

RUNS are folders of runs on `known:…`. PCA and FastICA have as many components as there are factors, which trainings are
not told. Rows that are in the file are kept, and runs that it has are not read again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA, FastICA

import prismae as pr
from prismae.data.worlds.known import Split
from prismae.latent.gaussian import Gaussian
from prismae.runs.run import Run

LIVE = 0.1  # nats
LOOKED_AT = 2_000  # observations, for the KL


def correlations(codes: NDArray, factors: NDArray) -> NDArray:
    """[k] the largest absolute Pearson correlation of each factor with a code."""
    varying = codes[:, codes.std(0) > 0]
    return np.abs(np.corrcoef(varying.T, factors.T)[: varying.shape[1], varying.shape[1] :]).max(0)


def row(world: pr.World, codes: NDArray, **about: Any) -> dict[str, Any]:
    """What codes say of the factors, with `about` them."""
    assert world.factors is not None
    r = correlations(codes, world.factors)
    found = {
        "r": " ".join(f"{each:.3f}" for each in r),
        "mean_r": r.mean(),
        "mig": float(pr.metrics.mig(codes, world.factors)),
    }
    return {"world": world.name, **about, **found}


def baselines(world: pr.World) -> list[dict[str, Any]]:
    """Rows of PCA and FastICA."""
    assert world.factors is not None
    x, k = world.data[torch.arange(len(world))].flatten(1).numpy(), world.factors.shape[1]
    both = {"PCA": PCA(k, random_state=0), "FastICA": FastICA(k, random_state=0, max_iter=2000)}
    return [
        row(world, each.fit_transform(x), arm=name, run=f"{name} {world.name}") for name, each in both.items()
    ]


def trained(path: Path) -> dict[str, Any]:
    """The row of a run."""
    job = Run.open(path).job
    world, model = pr.world(job["world"]), pr.load(path)
    with torch.no_grad():
        q = model.net_.encode(model.read(world, LOOKED_AT))
    live = int((q.kl_to_standard().mean(0) > LIVE).sum()) if isinstance(q, Gaussian) else None
    about = {key: job[key] for key in ("method", "likelihood", "lr", "steps", "seed")}
    weight = job["fields"].get("beta", 1.0)
    arm = f"{job['method']}, β = {weight:g}, {job['likelihood']}, {job['steps']} steps at {job['lr']:g}"
    return row(
        world,
        model.transform(world),
        arm=arm,
        **about,
        beta=weight,
        live=live,
        explained=model.score(world),
        run=job["id"],
    )


def table(rows: pd.DataFrame, score: str, digits: int) -> str:
    """One score, mean ± deviation over seeds, worlds down and arms across."""
    arms = list(dict.fromkeys(rows["arm"]))
    lines = [f"| data | {' | '.join(arms)} |", "|---" * (len(arms) + 1) + "|"]
    for world, part in rows.groupby("world", sort=False):
        cells = []
        for arm in arms:
            values = part.loc[part["arm"] == arm, score].dropna()
            spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.{digits}f}{spread}" if len(values) else "–")
        lines.append(f"| {str(world).removeprefix('known:')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Read what is new, write the rows, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--rows", type=Path, required=True)
    given = parser.parse_args()
    before = pd.read_csv(given.rows) if given.rows.exists() else pd.DataFrame({"run": []})
    known = set(before["run"])
    found = (
        [] if known else [each for split in get_args(Split) for each in baselines(pr.world(f"known:{split}"))]
    )
    found += [trained(path) for path in given.runs if path.name not in known and Run(path).finished]
    rows = pd.concat([before, pd.DataFrame(found)], ignore_index=True)
    rows.round(4).to_csv(given.rows, index=False)
    for score, digits in (("mean_r", 2), ("mig", 2), ("live", 1)):
        print(f"### {score}\n\n{table(rows, score, digits)}\n")


if __name__ == "__main__":
    main()
