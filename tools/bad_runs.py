"""Trainings that are known to go wrong, the verdict on each, and the same training after that verdict was followed.

python tools/bad_runs.py        trains all of them, a quarter of an hour on one core: results/bad_runs.csv
python tools/bad_runs.py 0 5 7  trains some of them, whose rows are written anew, each as it comes
python tools/bad_runs.py --page writes the table into docs/verdict.md from these rows
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

import prismae as pr
from prismae.data import World
from prismae.discovery.search import told
from prismae.methods import method
from prismae.runs.judge import Judge
from prismae.runs.loading import describe, outcome
from prismae.runs.measured import untrained
from prismae.runs.verdict import GOOD, Verdict
from prismae.settings import Training, as_plain
from prismae.train import train
from prismae.train.build import choices

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "results" / "bad_runs.csv"
PAGE = ROOT / "docs" / "verdict.md"
BEGIN, END = "<!-- rows of results/bad_runs.csv -->\n", "<!-- end of rows -->"


@dataclass(frozen=True)
class Bad:
    """A training that goes wrong, and what must get better: "explained", "held_out", "clusters", "duplicates" …"""

    what: str
    data: str
    method: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    holdout: float = 0.0
    better: str = "explained"


PARTS = [
    [
        "the cat",
        "a dog",
        "the old man",
        "my sister",
        "a small bird",
        "the king",
        "our neighbour",
        "some people",
    ],
    ["sees", "likes", "finds", "follows", "remembers", "sells", "paints"],
    ["the house", "a red apple", "the river", "an old book", "the green hill", "a song", "two horses"],
    ["now", "in the morning", "at night", "without a word", "near the sea", "every day"],
]
SMALL = "mlp:width=64"
BERNOULLI, GAUSSIAN, LEARNED = "bernoulli", "gaussian", "gaussian-learned"
RUNS = [
    Bad(
        "the default weight of dSprites on small images", "digits", "beta-vae", {},
        {"likelihood": BERNOULLI, "steps": 600, "lr": 1e-3},
    ),
    Bad("the same on 150 flowers", "iris", "beta-vae", {}, {"likelihood": GAUSSIAN, "steps": 600, "lr": 1e-3}),
    Bad(
        "on 5 correlated pollutants", "pollutants", "beta-vae", {},
        {"likelihood": GAUSSIAN, "steps": 600, "lr": 1e-3},
    ),
    Bad("on 3 factors, mixed linearly", "linear", "beta-vae", {}, {"likelihood": GAUSSIAN, "steps": 600, "lr": 1e-3}),
    Bad(
        "on 3 factors in blocks of columns", "blocks", "beta-vae", {},
        {"likelihood": GAUSSIAN, "steps": 600, "lr": 1e-3},
    ),
    Bad(
        "half of that weight", "blocks", "beta-vae", {"beta": 2.0},
        {"likelihood": LEARNED, "steps": 500, "lr": 1e-3, "net": SMALL},
    ),
    Bad("a learning rate far too high", "linear", "ae", {}, {"likelihood": LEARNED, "steps": 300, "lr": 1.0}),
    Bad("too few steps", "digits", "ae", {}, {"likelihood": BERNOULLI, "steps": 120, "lr": 1e-3}),
    Bad(
        "few observations, many steps", "few digits", "ae", {},
        {"likelihood": BERNOULLI, "steps": 1200, "lr": 3e-3}, 0.5, "held_out",
    ),
    Bad(
        "more latents than factors", "line", "ae", {},
        {"likelihood": LEARNED, "steps": 400, "lr": 1e-3, "n_latents": 3, "net": SMALL}, 0.0,
        "distinct",
    ),
    Bad(
        "one cluster of ten", "blocks", "gmvae", {},
        {"likelihood": GAUSSIAN, "steps": 300, "lr": 1e-3}, 0.0, "clusters",
    ),
    Bad(
        "a critic that does not learn", "linear", "nash-ae", {"critic_lr": 1e-9},
        {"steps": 400, "lr": 1e-3, "n_latents": 3, "net": SMALL}, 0.0, "critic",
    ),
    Bad("sentences, all rebuilt as one", "sentences", "evae", {}, {"steps": 300, "lr": 1e-3}, 0.0, "nats"),
]  # fmt: skip


def world(name: str) -> World:
    """Data of these runs, by name."""
    rng = np.random.default_rng(0)

    def mixed(factors: np.ndarray, columns: int, noise: float) -> np.ndarray:
        weights = rng.normal(size=(factors.shape[1], columns))
        return factors @ weights + noise * rng.normal(size=(len(factors), columns))

    if name == "digits":
        return pr.world("digits")
    if name == "few digits":
        data = pr.world("digits")
        return data.split(1 - 120 / len(data))[0]
    if name == "sentences":
        with TemporaryDirectory() as folder:
            text = Path(folder) / "sentences.txt"
            text.write_text(
                "\n".join(
                    " ".join(words) for words in zip(*[rng.choice(part, 2000) for part in PARTS], strict=True)
                )
            )
            return pr.world(text)
    if name == "iris":
        rows = load_iris().data
    elif name == "pollutants":
        rows = mixed(rng.normal(size=(1000, 2)), 5, 0.03)
    elif name == "linear":
        rows = mixed(rng.uniform(-1, 1, size=(2000, 3)), 8, 0.05)
    elif name == "line":
        rows = mixed(rng.uniform(-1, 1, size=(1000, 1)), 6, 0.001)
    else:
        factors = rng.uniform(-1, 1, size=(2000, 3))
        waves = [np.sin(k * factors[:, i] + k) for i in range(3) for k in (1, 2, 3)]
        rows = np.stack(waves, 1) + 0.05 * rng.normal(size=(2000, 9))
    return pr.world(pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])]))


def judged(run: Bad, fields: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Verdict, float]:
    """The verdict on a training with these fields and settings, and the number that is to get better."""
    data = world(run.data)
    unseen = None
    if run.holdout:
        data, unseen = data.split(run.holdout)
    chosen, training = method(run.method, **fields), Training(**settings)
    net, likelihood = choices(chosen, data, training)
    about = describe(
        chosen, data, **as_plain(training) | {"likelihood": likelihood.name(), "steps": training.limit}
    )
    trained = train(chosen, data, training, device="cpu", held=unseen)
    about |= outcome(trained, "cpu")
    judge = Judge(chosen, trained, untrained(chosen, data, about, net, likelihood), about, data, unseen)
    verdict = judge.verdict()
    measures = {
        "explained": lambda: judge.explained,
        "held_out": lambda: verdict.held_out or 0.0,
        "distinct": lambda: judge.distinct / max(int(judge.live.sum()), 1),
        "clusters": lambda: judge.clusters,
        "nats": lambda: told(verdict),
        "critic": lambda: judge.critic_loss[0] / judge.critic_loss[1],
    }
    return verdict, float(measures[run.better]())


def row(run: Bad) -> dict[str, Any]:
    """The verdict on one of these runs, the advice, and what became of it when that was followed."""
    first, before = judged(run, run.fields, run.settings)
    if first.word == GOOD:
        raise SystemExit(f"{run.what}: the verdict is {GOOD}.")
    fault = next(each for each in first.findings if each.fault)
    second, after = judged(run, {**run.fields, **fault.fields}, {**run.settings, **fault.settings})
    return {
        "run": run.what,
        "data": run.data,
        "method": run.method,
        "settings": ", ".join(f"{k} {v}" for k, v in {**run.fields, **run.settings}.items()),
        "verdict": first.word,
        "text": fault.text.replace("\u00a0", " "),
        "followed": fault.options,
        "measure": run.better,
        "before": before,
        "after": after,
        "live before": int(first.live.sum()),
        "live after": int(second.live.sum()),
        "explained before": first.explained,
        "explained after": second.explained,
        "verdict after": second.word,
        "prismae": first.version,
    }


def table(frame: pd.DataFrame) -> str:
    """The rows as Markdown."""
    lines = [
        "| run | on | settings | verdict | advice | what is to be better | before | after | live | verdict then |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in frame.to_dict("records"):
        cells = [
            row["run"], row["data"], f"`{row['method']}` {row['settings']}", row["verdict"], f"`{row['followed']}`",
            MEASURES[row["measure"]], f"{row['before']:.3f}", f"{row['after']:.3f}",
            f"{row['live before']} → {row['live after']}", row["verdict after"],
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


MEASURES = {
    "explained": "variance explained",
    "held_out": "variance explained, held out",
    "distinct": "share of live latents that are distinct",
    "clusters": "components in use",
    "nats": "nats of the live latents",
    "critic": "critic's loss, of that on independent codes (lower)",
}


def main() -> None:
    """Train, or write the page."""
    if "--page" not in sys.argv:
        order = [run.what for run in RUNS]
        for run in [RUNS[int(i)] for i in sys.argv[1:]] or RUNS:
            new = pd.DataFrame([row(run)])
            print(new.iloc[0].to_dict(), flush=True)
            kept = pd.read_csv(ROWS) if ROWS.exists() else new[:0]
            frame = pd.concat([kept[kept["run"] != run.what], new])
            frame.sort_values("run", key=lambda names: names.map(order.index)).to_csv(ROWS, index=False)
        return
    head, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + table(pd.read_csv(ROWS)) + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
