"""Time of one GCAE step (k = 5) and one ED-GCAE step (k = 1) on a GPU, beside a plain loop of the same maths.

    python benchmarks/gpu_step.py [--steps 50]

At the papers' sizes: images of 64x64 in batches of 256, 10 latents, 50 nodes. Figures are wall time of a step with the
device in step, the median over `--steps`. "graph" replays the players' updates as one CUDA graph (`cuda_graphs.py`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch

from cuda_graphs import WARM, start
from gcae_step import CASES, Precision, plain_step, prismae_run
from prismae.data import World
from prismae.data.storage import Dense
from prismae.methods.ed_gcae import EDGCAE
from prismae.methods.gcae import GCAE
from prismae.train import NotFinite
from prismae.train.ongoing import Ongoing

PRECISIONS: dict[Precision, str] = {"32-true": "fp32", "bf16-mixed": "bf16"}


def timed(step: Callable[[], None], steps: int) -> list[float]:
    """Seconds of each of some steps, after some that warm up."""
    for _ in range(5):
        step()
    found = []
    for _ in range(steps):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        step()
        torch.cuda.synchronize()
        found.append(time.perf_counter() - begun)
    return found


def last(run: Ongoing) -> str:
    """Mean of the last reconstruction terms, to see that two ways of stepping learn the same."""
    run.history.flush()
    rows = run.history.rows[-1]
    return f"recon {rows[-20:, 1 + run.history.columns.index('recon')].mean():.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=50)
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, Python on one thread\n")
    print("| step | loop | ms | times the plain loop | after as many steps |")
    print("|---|---|---|---|---|", flush=True)
    shape, batch = CASES["images 64x64, batch 256"]
    pixels = torch.from_numpy(np.random.default_rng(0).random((4096, *shape)) > 0.8).float()
    world = World("noise", Dense(pixels))
    for label, method in (("GCAE, k = 5", GCAE()), ("ED-GCAE, k = 1", EDGCAE())):
        plain = median(timed(plain_step(method, world, batch, "cuda"), max(5, steps // 5)))
        print(f"| {label} | plain, fp32 | {1e3 * plain:.2f} | 1.0 | |", flush=True)
        for precision, name in PRECISIONS.items():
            for way in ("eager", "graph"):
                run = prismae_run(method, world, batch, precision, "cuda")
                try:
                    with run.draws:  # its own random numbers, which the check of a graph rewinds
                        for _ in range(WARM):
                            run.advance()
                        off = f"weights off by {start(run):.1e}" if way == "graph" else ""
                        mine = median(timed(run.advance, steps))
                    cells = f"{1e3 * mine:.2f} | {plain / mine:.1f} | {last(run)} {off}"
                except (RuntimeError, NotFinite) as error:
                    cells = f"| | {type(error).__name__}: {str(error).splitlines()[0]}"
                print(f"| {label} | {way}, {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
