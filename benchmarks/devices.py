"""Throughput of one training in two processes of this machine, against one process with one and with two threads.

    python benchmarks/devices.py [--repeats 3] [--steps 30]

Images 64x64; samples per second, the best of the repeats, without the start of the processes: of wall time, and of the
CPU time of the first process, which is what it would be on cores of its own but for the time that messages wait.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import torch

import prismae as pr
from prismae.methods import method
from prismae.settings import Training
from prismae.train import Hook, Moment, train

BATCH, FIRST = 128, 5  # observations, and the step from which time counts
WAYS = {"one": (1, 1), "two": (2, 2)}  # processes, and threads of all together
CASES = [("mlp", "vae"), ("conv", "vae"), ("conv", "beta-tcvae"), ("conv", "factor-vae")]


def speed(
    world: pr.World, net: str, name: str, devices: int, threads: int, steps: int
) -> tuple[float, float]:
    """Samples per second of wall and of CPU time."""
    torch.set_num_threads(threads)
    seen: list[tuple[float, float]] = []

    def note(now: Moment) -> None:
        seen.append((time.perf_counter(), time.process_time()))

    hook = Hook(on_step=note, at=(FIRST, FIRST + steps))
    settings = Training(net=net, likelihood="gaussian", batch=BATCH, steps=FIRST + steps + 1)
    train(method(name), world, settings, device="cpu", devices=devices, hooks=[hook])
    wall, cpu = (BATCH * steps / (after - before) for before, after in zip(*seen, strict=True))
    return wall, cpu


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    given = parser.parse_args()
    world = pr.world(np.random.default_rng(0).random((512, 64, 64), dtype=np.float32))
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    print("| network, method | one, wall | two, wall | one, CPU | two, CPU | two / one, CPU | load |")
    for net, name in CASES:
        tried = {
            way: [speed(world, net, name, *numbers, given.steps) for _ in range(given.repeats)]
            for way, numbers in WAYS.items()
        }
        one, two = (np.max(rates, axis=0) for rates in tried.values())
        cells = [f"{net}, {name}", *(f"{rate:.0f}" for rate in (one[0], two[0], one[1], two[1]))]
        print(f"| {' | '.join(cells)} | {two[1] / one[1]:.2f} | {os.getloadavg()[0]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
