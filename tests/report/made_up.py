"""Made-up run folders: what a fit and an evaluation would have left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.evaluation import Score, Scores
from prismae.metrics import metric_of

SPREAD = np.array([0.02, 1.31, 0.012, 0.95, 0.41, 0.03, 0.62, 0.018, 0.027, 1.08])


def made_up_run(
    folder: Path,
    kind: str = "series",
    *,
    scores: bool = True,
    factors: bool = True,
    sigma: bool = True,
    logged: int = 200,
    length: int = 1000,
) -> Path:
    """Write a run folder of pulse trains (kind "series") or of squares on a black ground ("images")."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    world = {"series": "pulses", "images": "squares"}[kind]
    shape = [length] if kind == "series" else [1, 64, 64]
    job = {
        "id": f"ed-gcae-{world}-1a2b3c4d",
        "version": "0.1.0",
        "world": world,
        "method": "ed-gcae",
        "fields": {"sigma_max": 0.4, "sigma_min": 0.2, "alpha": 0.1, "gamma": 0.999, "nodes": "independent"},
        "net": "mlp",
        "likelihood": "mse",
        "n_latents": 10,
        "steps": 20000,
        "batch": 64,
        "lr": 5e-05,
        "seed": 0,
        "precision": "32",
        "source": "simulated pulse trains" if kind == "series" else "drawn squares",
        "n": 360,
        "shape": shape,
        "seconds": 1234.5,
        "machine": "Linux, 8 cores",
        "a_new_key": [1, None, True],
    }
    (folder / "job.json").write_text(json.dumps(job))
    history(rng, logged, sigma=sigma).to_parquet(folder / "history.parquet")
    if scores:
        (folder / "scores.json").write_text(json.dumps(made_up_scores(factors=factors)))
    arrays = _pulses(length) if kind == "series" else _squares()
    arrays["spread"] = SPREAD
    if factors:
        names = (
            ["duty", "frequency"] if kind == "series" else ["shape", "scale", "orientation", "pos x", "pos y"]
        )
        k = len(names)
        entropies = np.linspace(1.1, 3.4, k)
        share = rng.uniform(0.01, 0.06, size=(10, k))
        for j, i in enumerate([1, 9, 3, 6, 4][:k]):
            share[i, j] = 0.9 - 0.09 * j
        share[4, 1] = 0.34
        arrays |= {
            "mutual_information": share * entropies,
            "factor_entropies": entropies,
            "factor_names": np.array(names),
        }
    np.savez_compressed(folder / "pictures.npz", **arrays)
    return folder


def history(rng: np.random.Generator, n: int, *, sigma: bool) -> pd.DataFrame:
    """n logged steps of terms that fall, of latents that part, and of monitors at each fortieth row."""
    steps = np.linspace(100, 20000, n).astype(int)
    t = steps / steps[-1]
    noise = lambda size: 1 + size * rng.standard_normal(n)  # noqa: E731
    columns: dict[str, NDArray] = {
        "step": steps,
        "recon": (0.9 * np.exp(-9 * t) + 0.021) * noise(0.08),
        "dependence": (2.5 * t * np.exp(-4 * t) + 0.09) * noise(0.15),
        "bce": (0.1 * np.exp(-5 * t) + 0.31) * noise(0.02),
        "weight:recon": np.ones(n),
        "weight:dependence": np.full(n, 0.4),
    }
    every = np.arange(n) % 20 == 19
    columns["monitor:mse"] = np.where(every, columns["recon"] * 0.95, np.nan)
    columns["monitor:nats"] = np.where(every, 640 * columns["recon"] - 120, np.nan)
    for i, spread in enumerate(SPREAD):
        course = 0.3 + (spread - 0.3) * (1 - np.exp(-6 * t))
        if sigma:
            hidden = 0.2 + 0.2 * np.exp(-t) * (1 - 0.8 * spread / SPREAD.max() * (1 - np.exp(-6 * t)))
            columns[f"sigma[{i}]"] = hidden + 0.002 * rng.standard_normal(n)
            columns[f"entropy[{i}]"] = np.log(course * 4.13) + 0.03 * rng.standard_normal(n)
        columns[f"monitor:spread[{i}]"] = np.where(every, course, np.nan)
    return pd.DataFrame(columns)


def made_up_scores(*, factors: bool) -> dict[str, Any]:
    """The content of `scores.json`, as `Scores` writes it: two protocols where there are factors, some values None."""
    content: dict[str, Any] = {"reconstruction": {"mse": 0.0213, "nats": 412.7}, "spread": SPREAD.tolist()}
    if not factors:
        return content
    made_up: dict[str, dict[str, tuple[float, float | None, float | None]]] = {
        "locatello2019": {
            "mig": (0.412, 0.97, 0.03),
            "factor-vae-score": (0.958, 1.0, 0.41),
            "dci-d": (0.63, 1.0, 0.09),
            "sap": (0.089, 0.55, 0.01),
            "modularity": (0.87, None, None),
        },
        "yeats2023": {
            "mig": (0.291, 0.92, 0.02),
            "fac": (0.932, 1.0, 0.5),
            "dci": (0.312, None, 0.11),
            "sap": (0.61, None, 0.99),
        },
    }
    content["protocols"] = {
        protocol: Scores(
            {key: made_up_score(protocol, key, *three) for key, three in each.items()}
        ).to_dict()["scores"]
        for protocol, each in made_up.items()
    }
    content["skipped"] = {protocol: {} for protocol in made_up}
    return content


def made_up_score(
    protocol: str, key: str, value: float, ceiling: float | None, chance: float | None
) -> Score:
    """A score under a name that a metric really has, with that metric's direction."""
    metric = metric_of(protocol, key)
    assert metric is not None, f"no metric writes {key!r} in {protocol}"
    ends = (value - 0.04, min(value + 0.035, 1)) if chance is not None else (None, None)
    said = {"bins": 20, "points": 10000}
    return Score(
        value, *ends, ceiling, chance, metric.better, said, protocol, metric=key, summary=metric.summary
    )


def _pulses(length: int) -> dict[str, NDArray]:
    x = np.arange(length) / length

    def soft(duty: float, periods: float, shift: float = 0.0) -> NDArray:
        phase = (x * periods + shift) % 1
        return 1 / (1 + np.exp(np.clip((phase - duty) * 90, -50, 50)))

    def hard(duty: float, periods: float) -> NDArray:
        return ((x * periods) % 1 < duty).astype(float)

    rng = np.random.default_rng(1)
    settings = [(rng.uniform(0.15, 0.85), rng.choice([4.0, 8.0, 12.0])) for _ in range(8)]
    values = np.linspace(-2, 2, 11) * np.maximum(SPREAD, 0.25)[:, None]
    frames = np.empty((10, 11, length))
    for i in range(10):
        for j, u in enumerate(np.linspace(-1, 1, 11)):
            duty = 0.5 + (0.38 * u if i == 1 else 0.12 * u if i == 4 else 0)
            periods = 8 + (3.5 * u if i == 9 else 0)
            frames[i, j] = soft(duty, periods) * (1 + (0.35 * u if i == 3 else 0)) + (
                0.15 * u if i == 6 else 0
            )
    return {
        "originals": np.array([hard(*s) for s in settings]),
        "reconstructions": np.array([soft(*s) for s in settings]) + 0.02 * rng.standard_normal((8, length)),
        "traversals": frames,
        "traversal_values": values,
    }


def _squares() -> dict[str, NDArray]:
    grid = np.linspace(-1, 1, 64)
    y, x = np.meshgrid(grid, grid, indexing="ij")

    def square(cx: float, cy: float, size: float, angle: float, round_: float, blur: float) -> NDArray:
        u = np.cos(angle) * (x - cx) + np.sin(angle) * (y - cy)
        v = -np.sin(angle) * (x - cx) + np.cos(angle) * (y - cy)

        def inside(distance: NDArray) -> NDArray:
            return 1 / (1 + np.exp(np.clip(distance * blur, -50, 50)))

        box = inside(np.abs(u) - size) * inside(np.abs(v) - size)
        return (round_ * inside(np.hypot(u, v) - size) + (1 - round_) * box)[None]

    rng = np.random.default_rng(2)
    settings = [
        (*rng.uniform(-0.55, 0.55, 2), rng.uniform(0.15, 0.35), rng.uniform(0, 1.5), float(rng.integers(2)))
        for _ in range(10)
    ]
    frames = np.empty((10, 11, 1, 64, 64))
    for i in range(10):
        for j, u in enumerate(np.linspace(-1, 1, 11)):
            frames[i, j] = square(
                0.55 * u if i == 6 else 0, 0.55 * u if i == 4 else 0, 0.28 + (0.16 * u if i == 9 else 0),
                0.35 + (0.8 * u if i == 3 else 0), 0.5 + 0.5 * u if i == 1 else 0.2, 22,
            )  # fmt: skip
    return {
        "originals": np.array([square(*s, 300) for s in settings]),  # type: ignore[call-arg]
        "reconstructions": np.array([square(*s, 20) for s in settings]),  # type: ignore[call-arg]
        "traversals": frames,
        "traversal_values": np.linspace(-2, 2, 11) * np.maximum(SPREAD, 0.25)[:, None],
    }
