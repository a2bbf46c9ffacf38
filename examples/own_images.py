"""A folder of images, from files to a report: what the codes hold, which of them hold what, and what each changes.

The pictures are drawn here (a disc that moves and grows), so it is known what is behind them; yours lie in a folder
already, and nothing of them is known.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import prismae as pr


def draw(folder: Path, n: int = 600) -> pd.DataFrame:
    """Write n grey PNGs of 32x32 pixels, a disc of random place and size; returns what is behind each."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    behind = pd.DataFrame(rng.uniform([8, 8, 3], [24, 24, 7], (n, 3)), columns=["height", "place", "size"])
    for i, (y, x, r) in enumerate(behind.to_numpy()):
        inside = np.clip(r - np.hypot(rows - y, columns - x) + 0.5, 0, 1)
        Image.fromarray((255 * inside).astype(np.uint8)).save(folder / f"{i:04}.png")
    return behind


def main(steps: int = 800, folder: Path = Path("runs/examples")) -> Path:
    """Fit, print what came of it, and return the path of the report."""
    behind = draw(folder / "discs")
    path, net = str(folder / "discs"), "mlp:width=256"
    job = pr.studies.Job("beta-vae", path, {"beta": 2.0}, n_latents=6, net=net, steps=steps, lr=1e-3)
    run = pr.studies.run(job, folder)
    print("verdict:", run.verdict)
    codes = pr.load(run.path).transform(pr.world(folder / "discs"))
    told = pd.DataFrame(np.corrcoef(codes.T, behind.T)[6:, :6].round(2), index=behind.columns).abs()
    print("|r| of what is behind the pictures and each latent:")
    print(told.add_prefix("z"))
    report = pr.report.write_report(run.path)
    pr.report.write_picture(run.path, "traversals", dpi=80)
    print(f"open {report} in a browser")
    return report


if __name__ == "__main__":
    main()
