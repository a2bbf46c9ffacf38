"""A study: two methods, three seeds each, on data whose factors are known, and what the difference is worth.

The plan is written here into a file; `prismae study`, `prismae table` and `prismae plot` take the same file.
"""

from pathlib import Path

import pandas as pd

import prismae as pr
from prismae.studies.summary import summarise
from prismae.studies.tables import render

PLAN = """\
title: Is a heavier term of dependence worth it?
worlds: known:blocks         # a table; each of three hidden factors bends columns of its own
methods:
  VAE: {method: vae}
  β-TCVAE: {method: beta-tcvae, fields: {beta: 6.0}}
seeds: [0, 1, 2]
budget: {steps: 1000, n_latents: 6, lr: 0.003, likelihood: gaussian-learned}
metrics:
  locatello2019: [mig]
baselines: [pca, ica]
"""


def main(steps: int = 1000, folder: Path = Path("runs/examples")) -> pd.DataFrame:
    """Compute what is not done yet, print the tables, and return the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dependence.yaml"
    path.write_text(PLAN.replace("steps: 1000", f"steps: {steps}"), encoding="utf-8")
    plan = pr.studies.Plan.load(path)
    rows = pr.studies.study(plan, folder)
    print(render(plan, summarise(plan, rows)))
    return rows


if __name__ == "__main__":
    main()
