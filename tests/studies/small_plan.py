"""A plan of two arms, with rows of what they might have scored."""

from __future__ import annotations

import pandas as pd

from prismae.studies.plan import Plan
from prismae.studies.plan_parts import Arm, Published

MIG = "yeats2023:mig"


SCORES = {"good": [0.5, 0.6, 0.7], "bad": [0.1, 0.3, 0.2]}


PLAN = Plan(
    title="t",
    worlds={"digits": {}},
    methods={"good": Arm("vae"), "bad": Arm("ae")},
    seeds=[0, 1, 2],
    published=[Published("a paper", [MIG, "mse"], {"good": [(0.55, 0.02), None]}, {"world": "digits"})],
    notes=["Mind the step."],
)


def frame(scores=SCORES) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": arm, "method": "vae", "world": "digits", "seed": seed, "β": {"good": 2.0}.get(arm),
            "steps": 10, "mse": 1 - value, "nats": 3.0, MIG: value, f"{MIG}:chance": 0.05, "seconds": 1.0,
            "machine": "m", "precision": "32", "prismae": "0", "run": f"{arm}{seed}",
        }
        for arm, values in scores.items()
        for seed, value in enumerate(values)
    )  # fmt: skip
