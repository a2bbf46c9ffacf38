"""What HGMVAE's weights and priors know, from the run folders of its plans' small profiles.

    python tools/hgmvae_terms.py RUNS

Writes results/hgmvae_terms.small.csv: the mean of every term over the last tenth of each training, and
- code_from_weights: R² of the codes from the logarithms of the weights, by five nearest neighbours, 3,000 observations
  to learn on and 1,000 to test;
- prior_to_code: spread of codes drawn from the prior, over that of the data's codes; the root of the variances' sum.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch
from sklearn.neighbors import KNeighborsRegressor

from prismae.data import World, world
from prismae.methods import Clustering
from prismae.runs.run import Run
from prismae.studies import Plan

ROOT = Path(__file__).parents[1]
PLANS = ("hgmvae_table1", "hgmvae_table4", "hgmvae_readings")
LEARNED, TESTED = 3000, 1000


def main(runs: Path) -> None:
    """Write the rows of the runs in a folder."""
    data = world("mnist")
    planned = [
        (name, each) for name in PLANS for each in Plan.load(ROOT / "plans" / f"{name}.yaml", "small").jobs()
    ]
    rows = [
        {
            "plan": name,
            "arm": each.arm,
            "n_latents": each.job.n_latents,
            **_measured(runs / each.job.id, data),
        }
        for name, each in planned
    ]
    pd.DataFrame(rows).round(4).to_csv(ROOT / "results" / "hgmvae_terms.small.csv", index=False)


def _measured(run: Path, data: World) -> dict[str, object]:
    method, trained = Run.open(run).load()
    late = trained.history.query("step >= 0.9 * step.max()")
    terms = [name for name in late if name != "step" and ":" not in str(name)]
    torch.manual_seed(0)
    x = data.data[torch.linspace(0, len(data) - 1, LEARNED + TESTED).long()[torch.randperm(LEARNED + TESTED)]]
    with torch.no_grad():
        log_w = cast(Clustering, method).responsibilities(trained.ae, x).clamp_min(1e-12).log().numpy()
        codes = trained.ae.encode(x).mean.numpy()
        drawn = method.prior_sample(trained.ae, codes.shape[1], len(x)).numpy()
    neighbours = KNeighborsRegressor().fit(log_w[:LEARNED], codes[:LEARNED])
    return {
        **late[terms].mean(),
        "code_from_weights": neighbours.score(log_w[LEARNED:], codes[LEARNED:]),
        "prior_to_code": float(np.sqrt(drawn.var(0).sum() / codes.var(0).sum())),
        "run": run.name,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
