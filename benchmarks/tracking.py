"""Time of a training step with a tracker and without: what sending terms, weights and errors costs.

    OMP_NUM_THREADS=1 python benchmarks/tracking.py [--repeats 3]

All in one process, in turns, with one thread; figures are process time of all threads (a tracker's own too), the
minimum over the turns of 300 steps each. Trackers that are not installed are left out; MLflow writes to a folder.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from prismae.data import World
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.methods.vae import VAE
from prismae.settings import Training
from prismae.trackers import all_trackers
from prismae.train import Hook, train

STEPS = 300
CASES = {
    "mlp, images 28x28, batch 64": ("mlp", (1, 28, 28)),
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
    repeats = parser.parse_args().repeats
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
                    given = hooks(name, turn) if name else []
                    best[name] = min(best[name], seconds(world, net, given))
            plain = best.pop("")
            cells = [f"{1e3 * each:.2f} ({each / plain:.3f})" for each in best.values()]
            print(f"| {case} | {1e3 * plain:.2f} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
