"""What `discover`, PCA and FastICA find on data whose factors are known: rows.

    python tools/discover_answers.py MINUTES NAMES... --rows results/discover_answers.csv

NAMES are worlds (``known:linear``) and the data sets of this file, which are of another hand than the world `known`.
PCA and FastICA have as many components as there are factors, which `discover` is not told.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.decomposition import PCA, FastICA

import prismae as pr
from known_answers import correlations

Made = tuple[NDArray | pd.DataFrame, NDArray]


def noisy(x: NDArray, noise: float, rng: Generator) -> NDArray:
    """Columns of deviation 1, with noise."""
    found: NDArray = x / x.std(0) + noise * rng.normal(size=x.shape)
    return found


def own_linear(rng: Generator) -> Made:
    """4 factors of four distributions, linear, 9 columns."""
    rng.uniform(size=4500)  # as the rows were made
    f = [rng.uniform(-1, 1, 1000), rng.laplace(size=1000), rng.exponential(size=1000)]
    factors = np.stack([*f, rng.choice([-1.0, 1.0], 1000) + 0.1 * rng.normal(size=1000)], 1)
    return noisy((factors / factors.std(0)) @ rng.normal(size=(4, 9)), 0.1, rng), factors


def own_bent12(rng: Generator) -> Made:
    """3 factors through a random network to 12 columns."""
    u = rng.uniform(-1, 1, (1500, 3))
    hidden = np.tanh(u @ rng.normal(size=(3, 10)) * 1.3 + rng.normal(size=10) * 0.4)
    return noisy(hidden @ rng.normal(size=(10, 12)), 0.05, rng), u


def own_correlated(rng: Generator) -> Made:
    """3 correlated factors, their squares and sines in 10 columns."""
    rng.uniform(size=4500)  # as the rows were made
    normal = rng.multivariate_normal(np.zeros(3), [[1, 0.6, 0.2], [0.6, 1, 0.4], [0.2, 0.4, 1]], 1200)
    f = 2 * norm.cdf(normal) - 1
    return noisy(np.concatenate([f, f**2, np.sin(2 * f)], 1) @ rng.normal(size=(9, 10)), 0.05, rng), f


def own_noiseblocks(rng: Generator) -> Made:
    """3 factors bend 3 columns each, and 3 columns of noise."""
    u = rng.uniform(-1, 1, (1500, 3))
    bent = [np.stack([a, a**3 + 0.3 * a, np.cos(1.5 * a + 0.7)], 1) for a in u.T]
    x = noisy(np.concatenate(bent, 1), 0.05, rng)
    return np.concatenate([x, rng.normal(size=(1500, 3))], 1), u


def own_categories(rng: Generator) -> Made:
    """a place of 4 kinds and 2 factors in 5 numbers and 4 categories."""
    u = rng.uniform(-1, 1, (1500, 3))
    k, a, b = rng.integers(4, size=1500), u[:, 0], u[:, 1]

    def noise(size: float = 0.1) -> NDArray:
        found: NDArray = size * rng.normal(size=1500)
        return found

    table = {
        "site": np.array(list("NESW"))[k],
        "code": np.array([2, 9, 4, 7])[k] + noise(),
        "soil": np.array(["clay", "sand", "clay", "loam"])[k],
        "ph": 6 + a + noise(),
        "lime": np.exp(a) + noise(),
        "wet": np.where(a + noise(0.2) > 0, "yes", "no"),
        "yield": 50 + 20 * b + noise(2.0),
        "price": 100 * np.exp(-b) + noise(5.0),
        "class": np.array(["a", "b", "c"])[np.digitize(b + noise(0.15), (-0.3, 0.3))],
    }
    return pd.DataFrame(table), np.stack([k, a, b], 1)


def new_smooth(rng: Generator) -> Made:
    """3 uniform factors, smoothly bent together to 8 columns."""
    u = rng.uniform(-1, 1, (1000, 3))
    hidden = np.tanh(u @ rng.normal(size=(3, 16)) + 0.5 * rng.normal(size=16))
    return noisy(hidden @ rng.normal(size=(16, 8)), 0.03, rng), u


def new_noise_columns(rng: Generator) -> Made:
    """2 factors bend 4 columns each, and 4 columns of noise."""
    u = rng.uniform(-1, 1, (1200, 2))
    bent = [np.stack([a, np.exp(a), np.sin(2 * a), a**2 + a], 1) for a in u.T]
    noise = [rng.normal(size=(1200, 2)), 3**0.5 * rng.uniform(-1, 1, (1200, 2))]
    return np.concatenate([noisy(np.concatenate(bent, 1), 0.1, rng), *noise], 1), u


def new_mixed(rng: Generator) -> Made:
    """2 continuous factors behind 5 numbers and 3 categories."""
    a, b = rng.uniform(-1, 1, (1200, 2)).T

    def noise(size: float) -> NDArray:
        found: NDArray = size * rng.normal(size=1200)
        return found

    table = {
        "heat": 20 + 5 * a + noise(0.5),
        "glow": np.exp(0.8 * a) + noise(0.08),
        "wind": 60 + 10 * b + noise(1.0),
        "cost": 100 * np.exp(-0.7 * b) + noise(4.0),
        "both": a * b + a + noise(0.1),
        "band": np.array(["low", "mid", "high", "top"])[np.digitize(a + noise(0.15), (-0.5, 0.0, 0.5))],
        "kind": np.array(["x", "y", "z"])[np.digitize(b + noise(0.15), (-0.33, 0.33))],
        "flag": np.where(a + b + noise(0.2) > 0, "yes", "no"),
    }
    return pd.DataFrame(table), np.stack([a, b], 1)


OWN = {each.__name__.replace("_", "-"): each for each in (
    own_linear, own_bent12, own_correlated, own_noiseblocks, own_categories, new_smooth, new_noise_columns, new_mixed,
)}  # fmt: skip


def made(name: str) -> Made:
    """The observations and the factors [n, k] of a data set of this file."""
    return OWN[name](np.random.default_rng(4711 + len(name)))


def rows(name: str, minutes: float) -> list[dict[str, Any]]:
    """What PCA, FastICA and `discover` find on a data set."""
    torch.set_num_threads(1)
    given: Any
    if name in OWN:
        given, factors = made(name)
        seen = pr.world(given)
    else:
        given = seen = pr.world(name)
        assert seen.factors is not None
        factors = seen.factors
    x = seen.data[torch.arange(len(seen))].flatten(1).numpy()
    x = x if name not in OWN or isinstance(given, pd.DataFrame) else (given - given.mean(0)) / given.std(0)
    k = factors.shape[1]
    found = []
    for arm, linear in (
        ("PCA", PCA(k, random_state=0)),
        ("FastICA", FastICA(k, random_state=0, max_iter=2000)),
    ):
        found.append(_row(name, arm, minutes, linear.fit_transform(x), factors))
    with TemporaryDirectory() as out:
        answer = pr.discover(name if given is seen else given, minutes=minutes, seeds=2, jobs=1, out=out)
        codes = answer.transform(given).to_numpy()
    about = {"n": sum(not each.column for each in answer.factors), "answer": answer.kind, "why": answer.why}
    tried = "; ".join(
        f"{each['name']}: {each['steps']} steps, {each['seeds']} seeds" for each in answer.tried
    )
    return [*found, _row(name, "discover", minutes, codes, factors) | about | {"tried": tried}]


def _row(name: str, arm: str, minutes: float, codes: NDArray, factors: NDArray) -> dict[str, Any]:
    r = correlations(codes, factors)
    return {
        "data": name,
        "arm": arm,
        "minutes": minutes,
        "rules": "present",
        "r": json.dumps([round(float(each), 3) for each in r]),
        "mean_r": round(float(r.mean()), 4),
        "mig": round(float(pr.metrics.mig(codes, factors)), 4),
    }


def main() -> None:
    """Add rows to a file, in place of those of the same data."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("minutes", type=float)
    reader.add_argument("names", nargs="+")
    reader.add_argument("--rows", type=Path, required=True)
    asked = reader.parse_args()
    for name in asked.names:
        new = pd.DataFrame(rows(name, asked.minutes))
        kept = pd.read_csv(asked.rows) if asked.rows.exists() else new[:0]
        pd.concat([kept[kept["data"] != name], new]).to_csv(asked.rows, index=False)


if __name__ == "__main__":
    main()
