"""What the scripts of the tutorials print: each is run whole, and docs/tutorials/NAME.txt is written.

    OMP_NUM_THREADS=1 python tools/tutorials.py [NAME …]

Half a minute of CPU for each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "tutorials"
SCRIPTS = {  # tutorial → its script in examples/
    "table": "own_table",
    "text": "own_texts",
}


def printed(script: str) -> str:
    """What a script prints, run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(ROOT / "examples" / f"{script}.py")],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": path, "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines()) + "\n"


def main() -> None:
    """Run those that are named, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCRIPTS:
        (FOLDER / f"{name}.txt").write_text(printed(SCRIPTS[name]), encoding="utf-8")
        print(name, flush=True)


if __name__ == "__main__":
    main()
