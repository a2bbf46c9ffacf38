"""What trainings, PCA and FastICA find of the factors of the world `known`: rows, and the tables of their page.

    python tools/known_answers.py RUNS... --rows results/known_answers.codes.csv

RUNS are folders of runs on `known:…`, of `plans/known*.yaml`; without them the page is written of the rows that there
are. PCA and FastICA have as many components as there are factors, which trainings are not told. Rows that are in the
file are kept, and runs that it has are not read again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
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

PAGE = Path(__file__).parents[1] / "docs" / "results" / "known_answers.md"
SHORT, IMAGES = "1000 steps at 0.003", "500 steps at 0.002"
MAIN = {  # columns of the page's first tables, by the arms that they are of
    "PCA": ["PCA"],
    "FastICA": ["FastICA"],
    "β-TCVAE, β = 3, learned variance": [
        f"beta-tcvae, β = 3, gaussian-learned, {each}" for each in (SHORT, IMAGES)
    ],
    "quick start as it was": [
        "beta-tcvae, β = 6, gaussian, 3000 steps at 0.001",
        "beta-vae, β = 4, bernoulli, 500 steps at 0.001",
    ],
    "VAE, learned variance": [f"vae, β = 1, gaussian-learned, {each}" for each in (SHORT, IMAGES)],
}
CHANGED = {  # and of those of one setting changed
    "β-TCVAE, β = 3, learned variance": [f"beta-tcvae, β = 3, gaussian-learned, {SHORT}"],
    "variance of 1": [f"beta-tcvae, β = 3, gaussian, {SHORT}"],
    "rate of 0.001": ["beta-tcvae, β = 3, gaussian-learned, 1000 steps at 0.001"],
    "3,000 steps": ["beta-tcvae, β = 3, gaussian-learned, 3000 steps at 0.003"],
    "β = 6": [f"beta-tcvae, β = 6, gaussian-learned, {SHORT}"],
    "β-VAE, β = 4": [f"beta-vae, β = 4, gaussian-learned, {SHORT}"],
}
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


def table(rows: pd.DataFrame, columns: Mapping[str, Sequence[str]], score: str, digits: int) -> str:
    """One score, mean ± deviation over seeds, worlds down and arms across."""
    named = {arm: column for column, arms in columns.items() for arm in arms}
    rows = rows.assign(column=rows["arm"].map(named)).dropna(subset="column")
    lines = [f"| data | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for world, part in rows.groupby("world", sort=False):
        cells = []
        for column in columns:
            values = part.loc[part["column"] == column, score].dropna()
            spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.{digits}f}{spread}" if len(values) else "–")
        lines.append(f"| {str(world).removeprefix('known:')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def written(page: str, rows: pd.DataFrame) -> str:
    """The page with its tables anew, each below its mark."""
    for which, columns in (("main", MAIN), ("changed", CHANGED)):
        for score, digits in (("mean_r", 2), ("mig", 2), ("live", 1)):
            head, mark, rest = page.partition(f"<!-- rows: known {which} {score} -->\n")
            if mark:
                _, end, rest = rest.partition("<!-- end of rows -->")
                page = head + mark + "\n" + table(rows, columns, score, digits) + "\n" + end + rest
    return page


def main() -> None:
    """Read what is new, write the rows, and the tables of the page."""
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
    PAGE.write_text(written(PAGE.read_text(), rows))


if __name__ == "__main__":
    main()
