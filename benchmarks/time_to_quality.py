"""CPU seconds until ED-GCAE's codes of Beamsynthesis have the published MIG, 0.369 (protocol yeats2023).

    OMP_NUM_THREADS=1 python benchmarks/time_to_quality.py [--steps 2000] [--every 100] [-p FIELD=VALUE ...]

Process time of the training, its critic's warm-up included, one thread; what taking a score costs is left out. MIG goes
up and down from score to score, so two times are told: of the first score that is there, and of the first three in a
row whose mean is. The data are to be found by PRISMAE_DATA.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field, replace

import numpy as np
import yaml

from prismae import evaluate_codes, world
from prismae.data import World
from prismae.evaluation import codes_table
from prismae.methods import Method, method
from prismae.settings import Training
from prismae.train import Hook, train
from prismae.train.hooks import Moment

PUBLISHED = 0.369
IN_A_ROW = 3
QUICK = {  # the critic's rate decides how many steps are needed; the others, what a step costs
    "critic_lr": 1e-3,
    "nodes": "stratified",
    "n_nodes": 16,
}


@dataclass
class Watch:
    """MIG along a training, and the seconds that the training alone took until then."""

    world: World
    seconds: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    apart: float = 0.0

    def __post_init__(self) -> None:
        self.start = time.process_time()

    def __call__(self, now: Moment) -> None:
        """Take a score."""
        began = time.process_time()
        codes = codes_table(now.ae, self.world)
        found = evaluate_codes(
            codes, self.world.factors, metrics=["mig"], protocol="yeats2023", baselines=False
        )
        self.seconds.append(began - self.start - self.apart)
        self.scores.append(found["mig"].score)
        self.steps.append(now.step)
        self.apart += time.process_time() - began

    def until(self, in_a_row: int) -> tuple[float, int] | None:
        """Seconds and steps until the mean of so many scores in a row is the published one."""
        for i in range(in_a_row - 1, len(self.scores)):
            if np.mean(self.scores[i + 1 - in_a_row : i + 1]) >= PUBLISHED:
                return self.seconds[i], self.steps[i]
        return None


def watched(chosen: Method, training: Training, steps: int, every: int) -> Watch:
    """A training with a score after every so many steps."""
    data = world("beamsynthesis")
    watch = Watch(data)
    at = range(every, steps, every)
    train(chosen, data, training, device="cpu", hooks=[Hook(on_step=watch, at=at)])
    return watch


def main() -> None:
    """Print a line for each seed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--lr", type=float, default=None)
    parser.add_argument("--net", default="mlp")
    parser.add_argument("--latents", type=int, default=10)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("-p", dest="fields", action="append", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args()
    own = {name: yaml.safe_load(value) for name, value in (each.split("=", 1) for each in given.fields)}
    chosen = method("ed-gcae", **(QUICK | own))
    training = Training(
        steps=given.steps,
        batch=given.batch,
        n_latents=given.latents,
        net=given.net,
        lr=given.lr,
        precision="bf16",
    )
    print(
        "| seed | first score there, s (steps) | mean of three there, s (steps) | last scores | seconds in all |"
    )
    print("|---|---|---|---|---|")
    for seed in given.seeds:
        watch = watched(chosen, replace(training, seed=seed), given.steps, given.every)
        first, lasting = (
            "–" if each is None else f"{each[0]:.1f} ({each[1]:,})"
            for each in (watch.until(1), watch.until(IN_A_ROW))
        )
        last = " ".join(f"{score:.3f}" for score in watch.scores[-5:])
        print(f"| {seed} | {first} | {lasting} | {last} | {watch.seconds[-1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
