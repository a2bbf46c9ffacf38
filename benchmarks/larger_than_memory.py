"""Peak memory of a fit on a .npy file of 2 GB, beside one on 2,000 such rows (Linux).

Memory is what the process holds by itself: pages of the mapped file, which the system drops when it needs them, are not
counted.

python benchmarks/larger_than_memory.py
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS, COLUMNS, PART = 2_500_000, 200, 50_000
FIT = """
import sys, threading, time
import prismae as pr

peak, ended = [0], threading.Event()

def watch():
    while not ended.wait(0.02):
        with open("/proc/self/status") as file:
            [own] = [int(line.split()[1]) for line in file if line.startswith("RssAnon")]
        peak[0] = max(peak[0], own)

threading.Thread(target=watch, daemon=True).start()
started = time.process_time()
world = pr.world(sys.argv[1])
looked = time.process_time() - started
model = pr.Autoencoder("vae", n_latents=4, net="mlp:width=64", steps=200).fit(world)
fitted = peak[0]
model.transform(world)
ended.set()
print(f"{looked:.1f} CPU-seconds of looking; peak: {fitted / 1e6:.2f} GB, with transform {peak[0] / 1e6:.2f} GB")
"""


def write(path: Path, n: int) -> None:
    """Rows of numbers that four factors make, part by part."""
    rng = np.random.default_rng(0)
    into = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, COLUMNS))
    mixed = rng.normal(size=(4, COLUMNS))
    for start in range(0, n, PART):
        rows = min(PART, n - start)
        into[start : start + rows] = rng.normal(size=(rows, 4)) @ mixed + 0.1 * rng.normal(
            size=(rows, COLUMNS)
        )
    into.flush()


def main() -> None:
    """Write both files and fit on each, in a process of its own."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rows", type=int, default=ROWS)
    asked = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n in (2_000, asked.rows):
            path = Path(folder) / f"{n}.npy"
            write(path, n)
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", FIT, str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"{n:,} rows, {path.stat().st_size / 1e9:.3f} GB: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
