"""Time of a training step with a tracker and without: what sending terms, weights, errors and pictures costs.

    OMP_NUM_THREADS=1 python benchmarks/tracking.py [--repeats 3] [--to results/tracking.csv]

All in one process, in turns, with one thread; figures are process time of all threads (a tracker's own too), the
minimum over the turns of 1,100 steps each, in which two pictures are drawn: as many as there are at most. Trackers that
are not installed are left out; MLflow writes to a folder.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import pandas as pd
import torch

from prismae.data import World
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.methods.vae import VAE
from prismae.settings import Training
from prismae.trackers import all_trackers
from prismae.train import Hook, train

STEPS = 1100
CASES = {
    "mlp of width 256, images 28x28, batch 64": ("mlp:width=256", (1, 28, 28)),
}


def seconds(world: World, net: str, hooks: list[Hook]) -> float:
    """Process time of a step."""
    start = time.process_time()
    train(VAE(), world, Training(net=net, steps=STEPS), device="cpu", hooks=hooks)
    return (time.process_time() - start) / STEPS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--to", type=Path, help="Also write the rows to this .csv file.")
    given = parser.parse_args()
    repeats, rows = given.repeats, []
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MLFLOW_TRACKING_URI": f"file://{folder}/mlflow", "MLFLOW_ALLOW_FILE_STORE": "true"}

        def hooks(name: str, turn: int) -> list[Hook]:
            return [all_trackers()[name](f"{name}-{turn}", Path(folder, f"{name}-{turn}")).hook()]

        there = []
        for name in all_trackers():
            try:
                hooks(name, -1)
                there.append(name)
            except InputError as error:
                print(error)
        print("| case | a step, ms |", " | ".join(f"with {name}, ms (ratio)" for name in there), "|")
        print("|---" * (2 + len(there)) + "|")
        for case, (net, shape) in CASES.items():
            world = World("noise", Dense(torch.rand(2048, *shape)))
            seconds(world, net, [])  # warms up
            best = dict.fromkeys(["", *there], float("inf"))
            for turn in range(repeats):
                for name in best:
                    best[name] = min(best[name], seconds(world, net, hooks(name, turn) if name else []))
            plain = best.pop("")
            cells = [f"{1e3 * each:.2f} ({each / plain:.3f})" for each in best.values()]
            print(f"| {case} | {1e3 * plain:.2f} |", " | ".join(cells), "|", flush=True)
            rows += [{"case": case, "tracker": name, "ms": 1e3 * each} for name, each in best.items()]
            rows.append({"case": case, "tracker": "none", "ms": 1e3 * plain})
    if given.to is not None:
        pd.DataFrame(rows).round(4).to_csv(given.to, index=False)


if __name__ == "__main__":
    main()
