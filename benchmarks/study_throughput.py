"""Throughput of a study: 16 short jobs, two at once with one thread each, against one after the other with two threads.

    python benchmarks/study_throughput.py [--repeats 3] [--steps 200]

Prints wall and CPU time of `prismae study` for both, alternating, and the ratio of the wall times. On a machine that
other work shares, compare the ratio of one repeat with the others before believing it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAN = """
title: throughput
worlds: digits
methods: {{vae: {{}}, beta-vae: {{}}}}
seeds: [0, 1, 2, 3, 4, 5, 6, 7]
budget: {{steps: {steps}, batch: 64, net: mlp}}
metrics: {{locatello2019: [mig]}}
"""
WAYS = {
    "two at once, one thread each": ("--jobs", "2", "--threads", "1"),
    "one by one, two threads": ("--threads", "2"),
}


def timed(plan: Path, words: tuple[str, ...]) -> tuple[float, float]:
    """Wall and CPU seconds of one study, its workers among them."""
    with tempfile.TemporaryDirectory() as out:
        before, start = os.times(), time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "prismae",
            "study",
            str(plan),
            "--out",
            out,
            "--device",
            "cpu",
            *words,
        ]
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return time.perf_counter() - start, cpu


def main() -> None:
    """Alternate the two ways and print what they took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "throughput.yaml"
        plan.write_text(PLAN.format(steps=given.steps))
        for repeat in range(given.repeats):
            walls = []
            for name, words in WAYS.items():
                wall, cpu = timed(plan, words)
                walls.append(wall)
                print(f"{repeat}: {name:30} {wall:7.1f} s wall {cpu:7.1f} s CPU", flush=True)
            load = os.getloadavg()[0]
            print(f"{repeat}: ratio {walls[0] / walls[1]:.2f} (load {load:.1f})", flush=True)


if __name__ == "__main__":
    main()
