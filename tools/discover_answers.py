"""What `discover`, PCA and FastICA find on data whose factors are known: rows.

    python tools/discover_answers.py MINUTES NAMES... --rows results/discover_answers.csv [--keep FOLDER]
    python tools/discover_answers.py --page     writes the table into docs/results/known_answers.md from these rows

NAMES are worlds (``known:linear``) and the data sets of this file, which are of another hand than the world `known`.
PCA and FastICA have as many components as there are factors, which `discover` is not told. With ``--keep`` the
trainings stay in FOLDER.
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
from known_answers import MAIN, PAGE, correlations

ROWS = PAGE.parents[2] / "results"
BEGIN, END = "<!-- rows of results/discover_answers.csv -->\n", "<!-- end of rows -->"

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


def fresh_lognormal(rng: Generator) -> Made:
    """3 log-normal factors, linear, 9 columns."""
    f = np.exp(0.8 * rng.normal(size=(1500, 3)))
    return noisy(f @ rng.normal(size=(3, 9)), 0.1, rng), f


def fresh_heavy_tails(rng: Generator) -> Made:
    """3 factors bend 3 columns each, with noise of Student's t of 2.5 degrees."""
    u = rng.uniform(-1, 1, (1500, 3))
    bent = np.concatenate([np.stack([np.sin(1.5 * a), np.exp(a), a**3 + a], 1) for a in u.T], 1)
    return bent / bent.std(0) + 0.1 * rng.standard_t(2.5, size=bent.shape), u


def fresh_levels(rng: Generator) -> Made:
    """a factor of 4 levels and 2 continuous ones, smoothly bent together to 9 columns."""
    k, (a, b) = rng.integers(4, size=1500), rng.uniform(-1, 1, (2, 1500))
    f = np.stack([(k - 1.5) / 1.5, a, b], 1)
    hidden = np.tanh(f @ rng.normal(size=(3, 12)) + 0.5 * rng.normal(size=12))
    return noisy(hidden @ rng.normal(size=(12, 9)) + f @ rng.normal(size=(3, 9)), 0.05, rng), np.stack(
        [k, a, b], 1
    )


def fresh_two_level(rng: Generator) -> Made:
    """2 factors of 30 groups and 2 of their members, each bends 3 columns."""
    group = rng.integers(30, size=1800)
    f = np.concatenate([rng.uniform(-1, 1, (30, 2))[group], rng.uniform(-1, 1, (1800, 2))], 1)
    bent = [np.stack([a, np.sin(2 * a + 0.5), np.exp(0.7 * a)], 1) for a in f.T]
    return noisy(np.concatenate(bent, 1), 0.1, rng), f


def fresh_angle(rng: Generator) -> Made:
    """an angle (its sine and cosine are asked for) and a radius behind 8 columns."""
    angle, radius = rng.uniform(0, 2 * np.pi, 1500), rng.uniform(0.5, 1.5, 1500)
    turn = np.stack([np.cos(angle), np.sin(angle)], 1)
    x = np.concatenate([radius[:, None] * turn, turn, np.sqrt(radius)[:, None], np.log(radius)[:, None]], 1)
    x = np.concatenate([x, x[:, [0]] + x[:, [4]], x[:, [1]] - x[:, [5]]], 1)
    return noisy(x, 0.05, rng), np.concatenate([turn, radius[:, None]], 1)


def fresh_missing(rng: Generator) -> Made:
    """3 factors bend 4 columns each, and a fifth of all values is missing."""
    u = rng.uniform(-1, 1, (1500, 3))
    bent = [np.stack([a, np.exp(a), np.tanh(2 * a), a**3 + 0.5 * a], 1) for a in u.T]
    x = noisy(np.concatenate(bent, 1), 0.1, rng)
    x[rng.random(x.shape) < 0.2] = np.nan
    return pd.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])]), u


def fresh_counts(rng: Generator) -> Made:
    """counts of 12 kinds, driven by 2 factors."""
    u = rng.uniform(-1, 1, (1500, 2))
    rates = np.exp(1.5 + 0.8 * u @ rng.normal(size=(2, 12)))
    return pd.DataFrame(rng.poisson(rates), columns=[f"kind {i}" for i in range(12)]), u


def fresh_damped(rng: Generator) -> Made:
    """damped oscillations of 64 points: frequency, damping, amplitude."""
    u = rng.uniform(-1, 1, (1000, 3))
    t = np.linspace(0, 1, 64)
    frequency, damping, amplitude = 3 + u[:, :1], 3 + 2 * u[:, 1:2], 1 + 0.5 * u[:, 2:]
    x = amplitude * np.exp(-damping * t) * np.sin(2 * np.pi * frequency * t)
    return (x + 0.02 * rng.normal(size=x.shape))[:, None], u


def fresh_wide(rng: Generator) -> Made:
    """200 rows of 30 columns, 4 factors, bent a little."""
    u = rng.uniform(-1, 1, (200, 4))
    return noisy(np.tanh(0.7 * u @ rng.normal(size=(4, 30))), 0.1, rng), u


def fresh_outliers(rng: Generator) -> Made:
    """5,000 rows of 6 columns, 2 factors, 1 of 100 values far out."""
    u = rng.uniform(-1, 1, (5000, 2))
    bent = [np.stack([a, np.exp(a), np.sin(2 * a)], 1) for a in u.T]
    x = noisy(np.concatenate(bent, 1), 0.05, rng)
    far = rng.random(x.shape) < 0.01
    x[far] += 8 * rng.choice([-1.0, 1.0], far.sum())
    return x, u


def counts_spread(rng: Generator) -> Made:
    """counts of 20 kinds that spread more than Poisson's, driven by 3 factors."""
    u = rng.uniform(-1, 1, (1500, 3))
    rates = np.exp(1.5 + 0.8 * u @ rng.normal(size=(3, 20)))
    return pd.DataFrame(rng.poisson(rng.gamma(5.0, rates / 5.0)), columns=[f"kind {i}" for i in range(20)]), u


def counts_few(rng: Generator) -> Made:
    """600 rows of counts of 10 kinds, one of each on average, driven by 2 factors."""
    u = rng.uniform(-1, 1, (600, 2))
    rates = np.exp(0.8 * u @ rng.normal(size=(2, 10)))
    return pd.DataFrame(rng.poisson(rates), columns=[f"kind {i}" for i in range(10)]), u


def fresh_two_shapes(rng: Generator) -> Made:
    """images of 16 x 16: a disc that goes right and left, a bar that goes up and down, and their brightness."""
    u = rng.uniform(-1, 1, (1200, 3))
    rows, columns = np.mgrid[:16, :16]
    place, height, light = 7.5 + 4 * u[:, :1, None], 7.5 + 4 * u[:, 1:2, None], 0.7 + 0.3 * u[:, 2:, None]
    disc = np.clip(3.5 - np.hypot(columns - place, rows - 8), 0, 1)
    bar = np.clip(1.5 - np.abs(rows - height), 0, 1) * (columns > 11)
    x = light * np.maximum(disc, bar) + 0.02 * rng.normal(size=(1200, 16, 16))
    return x.clip(0, 1)[:, None].astype(np.float32), u


OWN = {each.__name__.replace("_", "-"): each for each in (
    own_linear, own_bent12, own_correlated, own_noiseblocks, own_categories, new_smooth, new_noise_columns, new_mixed,
    fresh_lognormal, fresh_heavy_tails, fresh_levels, fresh_two_level, fresh_angle, fresh_missing, fresh_counts,
    fresh_damped, fresh_wide, fresh_outliers, fresh_two_shapes, counts_spread, counts_few,
)}  # fmt: skip


def made(name: str) -> Made:
    """The observations and the factors [n, k] of a data set of this file."""
    return OWN[name](np.random.default_rng(4711 + len(name)))


def rows(name: str, minutes: float, keep: Path | None = None) -> list[dict[str, Any]]:
    """What PCA, FastICA and `discover` find on a data set."""
    torch.set_num_threads(1)
    given: Any
    reading: dict[str, Any] = {}
    if name in OWN:
        given, factors = made(name)
        reading = {"series": "channels-first"} if name == "fresh-damped" else {}
        seen = pr.world(given, **reading)
    else:
        given = seen = pr.world(name)
        assert seen.factors is not None
        factors = seen.factors
    x = seen.data[torch.arange(len(seen))].flatten(1).numpy()
    if name in OWN and not isinstance(given, pd.DataFrame) and given.ndim == 2:
        x = (given - given.mean(0)) / given.std(0)
    x = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    k = factors.shape[1]
    found = []
    for arm, linear in (
        ("PCA", PCA(k, random_state=0)),
        ("FastICA", FastICA(k, random_state=0, max_iter=2000)),
    ):
        found.append(_row(name, arm, minutes, linear.fit_transform(x), factors))
    with TemporaryDirectory() as out:
        answer = pr.discover(
            name if given is seen else given,
            minutes=minutes,
            seeds=2,
            jobs=1,
            out=keep / name.replace(":", "-") if keep else out,
            **reading,
        )
        codes = answer.transform(given).to_numpy()
    about = {"n": sum(not each.column for each in answer.factors), "answer": answer.kind, "why": answer.why}
    tried = "; ".join(
        f"{each['name']}: {each['steps']} steps, {each['seeds']} seeds" for each in answer.tried
    )
    return [*found, _row(name, "discover", minutes, codes, factors) | about | {"tried": tried}]


def _row(name: str, arm: str, minutes: float, codes: NDArray, factors: NDArray) -> dict[str, Any]:
    r = correlations(codes, factors)
    if codes.shape[1] == 1:
        codes = np.concatenate([codes, np.zeros_like(codes)], 1)  # a gap to a code that tells nothing
    return {
        "data": name,
        "arm": arm,
        "minutes": minutes,
        "r": json.dumps([round(float(each), 3) for each in r]),
        "mean_r": round(float(r.mean()), 4),
        "mig": round(float(pr.metrics.mig(codes, factors)), 4),
    }


def table(frame: pd.DataFrame, defaults: pd.DataFrame) -> str:
    """Mean |r| and MIG of each data set, beside those of a training at the defaults where there is one."""
    wanted = defaults["arm"].isin(MAIN["β-TCVAE, β = 3, learned variance"])
    trained = defaults[wanted].groupby("world")[["mean_r", "mig"]].mean()
    lines = ["| data | PCA | FastICA | default | `discover` | its answer |", "|---|---|---|---|---|---|"]
    for name in dict.fromkeys(map(str, frame["data"])):
        part = frame[frame["data"] == name]
        rows = part.set_index("arm")
        cells = {arm: _cell(rows.loc[arm]) for arm in ("PCA", "FastICA", "discover")}
        default = _cell(trained.loc[name]) if name in trained.index else "–"
        called = (OWN[name].__doc__ or "").rstrip(".") if name in OWN else name.removeprefix("known:")
        said = _said(rows.loc["discover"])
        lines.append(
            f"| {called} | {cells['PCA']} | {cells['FastICA']} | {default} | {cells['discover']} | {said} |"
        )
    return "\n".join(lines) + "\n"


def _cell(row: Any) -> str:
    return f"{row['mean_r']:.2f} / {row['mig']:.2f}"


def _said(row: Any) -> str:
    """The answer in words."""
    n, kind = int(row["n"]), {"ica": "independent", "pca": "principal"}.get(row["answer"])
    said = f"{n} factor{'s' * (n != 1)}: "
    if kind is None:
        turned = "its latents turned" if "turned to" in row["why"] else "its latents as they are"
        return said + f"{row['why'].partition(' explains')[0]}, {turned}"
    too = ", which a model found too" if "But its factors are" in row["why"] else ""
    return f"{said}{kind} components of the data{too}"


def main() -> None:
    """Add rows to a file, in place of those of the same data."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("minutes", type=float, nargs="?")
    reader.add_argument("names", nargs="*")
    reader.add_argument("--rows", type=Path, default=ROWS / "discover_answers.csv")
    reader.add_argument("--keep", type=Path)
    reader.add_argument("--page", action="store_true")
    asked = reader.parse_args()
    if asked.page:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        text = table(pd.read_csv(asked.rows), pd.read_csv(ROWS / "known_answers.codes.csv"))
        PAGE.write_text(head + BEGIN + text + END + rest.partition(END)[2])
    for name in asked.names:
        new = pd.DataFrame(rows(name, asked.minutes, asked.keep))
        kept = pd.read_csv(asked.rows) if asked.rows.exists() else new[:0]
        pd.concat([kept[kept["data"] != name], new]).to_csv(asked.rows, index=False)


if __name__ == "__main__":
    main()
