"""Run folders of autoencoders with random weights: everything that a run leaves behind, without a training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from prismae.data import World, world
from prismae.methods import method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.runs.files import JOB
from prismae.runs.loading import describe
from prismae.runs.run import Run
from prismae.train.build import build
from prismae.train.trained import Trained
from prismae.views import compute, keep


def untrained_run(
    path: Path, data: World, net: str, *, likelihood: str = "gaussian", n_latents: int = 4, name: str = "vae"
) -> tuple[Run, AutoencoderNet]:
    """Write the folder of a run whose network has random weights, large enough for codes that differ."""
    chosen = method(name)
    settings = {
        "world": data.name, "n_latents": n_latents, "net": net, "likelihood": likelihood, "steps": 3, "batch": 4,
        "lr": None, "seed": 0, "precision": "32", "snapshots": [], "controls": [], "seconds": 1.0, "id": path.name,
        "machine": "a CPU",
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ae = build(
            chosen, data.kind, data.shape, data.summary, n_latents=n_latents, net=net, likelihood=likelihood
        ).eval()
        with torch.no_grad():
            for weight in ae.decoder.parameters():
                weight.add_(0.03 * torch.randn_like(weight))
    folder = Run(path)
    folder.write_json(JOB, describe(chosen, data, **settings) | {"summary": asdict(data.summary)})
    keep(folder, ae, compute(chosen, ae, data))
    history = pd.DataFrame({"step": [1, 2, 3], "recon": [3.0, 2.0, 1.0]})
    folder.write_trained(Trained(ae, None, history, 1.0))
    return folder, ae


def images(n: int = 40, shape: tuple[int, ...] = (3, 9, 13)) -> World:
    """Images of noise, of two factors that nothing depends on."""
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(n) % 3, np.arange(n) % 25], axis=1)
    return world(rng.random((n, *shape), dtype=np.float32), factors=factors, factor_names=("label", "size"))


def series(n: int = 40, length: int = 37) -> World:
    """Series of noise."""
    x = np.random.default_rng(0).normal(size=(n, length)).astype(np.float32)
    return world(x, series="channels-first")


def channels(n: int = 40, length: int = 37) -> World:
    """Series of noise in three channels, of units of their own."""
    noise = np.random.default_rng(0).normal(size=(n, 3, length))
    return world(noise * [[1], [500], [1e-3]] + [[0], [1e4], [0]], series="channels-first")


def vectors(n: int = 40, d: int = 6, **reading: Any) -> World:
    """Rows of a table of noise."""
    return world(np.random.default_rng(0).normal(3, 2, size=(n, d)).astype(np.float32), **reading)


def columns(n: int = 80) -> World:
    """Rows of a table of noise: numbers, counts, truth values and categories."""
    rng = np.random.default_rng(0)
    table = {
        "size": rng.normal(30, 4, n),
        "calls": rng.poisson(2, n),
        "visits": rng.negative_binomial(1, 0.05, n),
    }
    more = {"paid": rng.random(n) < 0.4, "city": rng.choice(["Bonn", "Cologne", "Trier"], n)}
    return world(pd.DataFrame(table | more))
