"""First comparison on real Beamsynthesis: GCAE, ED-GCAE, its shared critic alone, and beta-VAE.

    PRISMAE_DATA=... python plans/first_beamsynthesis.py train [--worker 0/2] [--out runs]
    PRISMAE_DATA=... python plans/first_beamsynthesis.py rows [--out runs]

`train` runs every job that is not done (a worker takes each second one, say); an interrupted one goes on. `rows`
scores them in both protocols and writes results/first_beamsynthesis.csv.
"""

from __future__ import annotations

from prismae.studies import Job

SEEDS = (0, 1, 2)
QUICK = {"nodes": "stratified", "n_nodes": 16}
FIXED = {"sigma_max": 0.2, "sigma_min": 0.2, "alpha": 1.0, "gamma": 1.0}
SNAPSHOTS = (2000, 4000, 8000)

ARMS: dict[str, Job] = {
    "ed-gcae, dynamic noise": Job(
        "ed-gcae", "beamsynthesis", QUICK, steps=8000, precision="bf16", snapshots=SNAPSHOTS
    ),
    "ed-gcae, sigma 0.2": Job(
        "ed-gcae", "beamsynthesis", QUICK | FIXED, steps=8000, precision="bf16", snapshots=SNAPSHOTS
    ),
    "gcae, k = 5": Job("gcae", "beamsynthesis", steps=2000, snapshots=(2000,)),
    "beta-vae, beta 4": Job("beta-vae", "beamsynthesis", steps=8000, snapshots=SNAPSHOTS),
}
