"""Worlds of two factors on a plane that are correlated in training and not where codes are looked at.

A VAE puts its codes along the correlation and across it, each at 45 degrees to the factors.
"""

from itertools import product

import numpy as np
import torch
from flat import train

from prismae.data import World
from prismae.data.storage import Dense
from prismae.evaluation import codes_table


def plane(sigma, n=6, d=60, total=400):
    """Two factors of 6 values on a plane; the more alike they are, the more observations have them."""
    factors = np.array(list(product(range(n), repeat=2)))
    weights = np.exp(-(((factors[:, 0] - factors[:, 1]) / (n - 1)) ** 2) / 2 / sigma**2)
    counts = np.maximum(1, np.round(weights / weights.sum() * total)).astype(int)
    factors = np.repeat(factors, counts, axis=0)
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0][:2]
    x = torch.from_numpy((((factors / (n - 1)) * 2 - 1) @ axes * 3).astype(np.float32))
    return World(
        "plane", Dense(x), factors=factors, factor_names=("a", "b"), factor_kinds=("categorical",) * 2
    )


def correlations(method, seed, **given):
    """Of each factor with the code that is nearest to it, where factors are not correlated."""
    settings = {"net": "mlp:width=32", "likelihood": "gaussian", "batch": 64, "device": "cpu", "lr": 3e-3}
    trained = train(method, plane(0.35), n_latents=2, steps=900, seed=seed, **settings, **given)
    even = plane(100.0)
    found = np.abs(np.corrcoef(np.c_[codes_table(trained.ae, even), even.factors].T)[:2, 2:])
    return max(np.diag(found).mean(), np.diag(found[::-1]).mean())
