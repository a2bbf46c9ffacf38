"""What the scripts of the tutorials print: each is run whole, and docs/tutorials/NAME.txt is written.

    OMP_NUM_THREADS=1 python tools/tutorials.py [NAME …]

Half a minute of CPU for each. Traversals that a script draws become docs/tutorials/NAME.png.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from gallery import small

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "tutorials"
WIDTH = 110  # letters of a line; a longer one, of words, is broken
SCRIPTS = {  # tutorial → its script in examples/
    "table": "own_table",
    "counts": "own_counts",
    "images": "own_images",
    "series": "own_recording",
    "text": "own_texts",
    "study": "own_study",
    "method": "new_method",
}


def printed(script: str, folder: Path) -> str:
    """What a script prints, run in an empty folder."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(ROOT / "examples" / f"{script}.py")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = done.stdout.rstrip().splitlines()
    short = (textwrap.fill(line, WIDTH) if len(line) > WIDTH + 10 else line.rstrip() for line in lines)
    return "\n".join(short) + "\n"


def main() -> None:
    """Run those that are named, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCRIPTS:
        with tempfile.TemporaryDirectory() as folder:
            text = printed(SCRIPTS[name], Path(folder))
            for drawn in Path(folder).glob("runs/examples/*/figures/traversals.png"):
                (FOLDER / f"{name}.png").write_bytes(small(drawn))
        (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
        print(name, flush=True)


if __name__ == "__main__":
    main()
