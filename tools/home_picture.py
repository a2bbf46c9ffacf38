"""The pictures of a report on the home page and in README.md, on light and on dark ground.

    OMP_NUM_THREADS=1 python tools/home_picture.py

Trains what the home page tells to train, and needs a Chromium; half a minute of CPU.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import prismae as pr
from gallery import ROOT, small

sys.path.insert(0, str(ROOT / "tests" / "report"))
from browser import Browser, find_chromium  # type: ignore[import-not-found]

FOLDER = ROOT / "docs" / "pictures"
# an observation is chosen, as a reader does, and its picture stands beside the sliders
CHOSEN = "document.querySelectorAll('#presets button')[2].click()"


def main() -> None:
    """Train, write the report, and take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        job = pr.studies.Job("vae", "digits", steps=600, lr=1e-3)
        run = pr.studies.run(job, name)
        pr.studies.score(run)
        page, taken = pr.report.write_report(run.path), Path(name, "taken.png")
        with Browser(find_chromium()) as browser:
            for picture, dark in (("report.png", False), ("report-dark.png", True)):
                browser.open(page, width=1100, height=1350, dark=dark)
                browser.run(CHOSEN)
                browser.screenshot(taken)
                (FOLDER / picture).write_bytes(small(taken))


if __name__ == "__main__":
    main()
