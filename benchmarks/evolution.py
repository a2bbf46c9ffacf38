"""Time of eVAE at its defaults beside the VAE with the same steps: what trials cost.

    OMP_NUM_THREADS=1 python benchmarks/evolution.py [--repeats 5]

Both sides run in the same process, in turns, with one thread; figures are process time, the minimum over the turns. A
turn is 50 steps of the VAE, and one generation of eVAE; the ratio is 250 steps with one generation to 250 without.
6 trials of 10 steps are 24 %; the rest is copies of players and the held-out batch.
"""

from __future__ import annotations

import argparse
import time

import torch
from lightning_fabric import Fabric

from prismae._random import Draws
from prismae.data import World
from prismae.data.storage import Dense
from prismae.methods import Method
from prismae.methods.evae import EVAE
from prismae.methods.vae import VAE
from prismae.settings import Training
from prismae.train.build import build
from prismae.train.ongoing import Ongoing

M = 10
TURN = 50  # steps
CASES = {
    "mlp, 28x28, batch 100": ("mlp", (1, 28, 28), 100),
    "conv, 64x64, batch 64": ("conv", (1, 64, 64), 64),
}


def new_run(method: Method, net: str, shape: tuple[int, ...], batch: int) -> Ongoing:
    """A run on binary noise: what is drawn does not change the time."""
    torch.manual_seed(0)
    world = World("noise", Dense((torch.rand(4096, *shape) > 0.8).float()))
    ae = build(method, world.kind, shape, world.summary, n_latents=M, net=net, likelihood="bernoulli")
    fabric = Fabric(accelerator="cpu", devices=1)
    return Ongoing(fabric, method, world, ae, Training(n_latents=M, batch=batch), (), Draws(0))


def a_step(run: Ongoing) -> float:
    """Seconds of process time of a step, the mean of a turn."""
    start = time.process_time()
    for _ in range(TURN):
        run.advance()
    run.history.flush()
    return (time.process_time() - start) / TURN


def a_generation(run: Ongoing) -> float:
    """Seconds of process time of one generation, the step before it included."""
    run.step = EVAE.every - 1
    start = time.process_time()
    run.advance()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    print("| case | a step, ms | a generation, ms | ratio of 250 steps |")
    print("|---|---|---|---|")
    for case, (net, shape, batch) in CASES.items():
        plain, evolving = (new_run(method, net, shape, batch) for method in (VAE(), EVAE(rate=10.0)))
        a_step(evolving)  # warms up, and makes the optimiser's state that a copy has to copy
        step = generation = float("inf")
        for _ in range(repeats):
            step, generation = min(step, a_step(plain)), min(generation, a_generation(evolving))
        ratio = 1 + (generation - step) / (EVAE.every * step)
        print(f"| {case} | {1e3 * step:.1f} | {1e3 * generation:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
