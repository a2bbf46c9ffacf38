"""A folder of images, from files to a report: fit, look at the traversals, keep the run folder.

The pictures are drawn here (a disc that moves and grows); yours lie in a folder already.
"""

from pathlib import Path

import numpy as np
from PIL import Image

import prismae as pr


def draw(folder: Path, n: int = 600) -> None:
    """Write n grey PNGs of 32x32 pixels: a disc of random place and size."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    for i in range(n):
        y, x, r = rng.uniform(8, 24), rng.uniform(8, 24), rng.uniform(3, 7)
        inside = np.clip(r - np.hypot(rows - y, columns - x) + 0.5, 0, 1)
        Image.fromarray((255 * inside).astype(np.uint8)).save(folder / f"{i:04}.png")


def main(steps: int = 2000, folder: Path = Path("runs/examples")) -> Path:
    """Fit, and return the path of the report."""
    if not (folder / "discs").exists():
        draw(folder / "discs")
    job = pr.studies.Job("beta-vae", str(folder / "discs"), {"beta": 2.0}, n_latents=6, steps=steps, lr=1e-3)
    run = pr.studies.run(job, folder)
    report = pr.report.write_report(run.path)
    print(f"open {report} in a browser")
    return report


if __name__ == "__main__":
    main()
