"""Reading of tables and images beside what reads them alone: pandas, pyarrow and Pillow (Linux).

Each reader runs in a process of its own, and says its processor time, of imports not, and the peak of its memory.
Times and memory of one run belong together: the machine may be shared.

python benchmarks/reading.py --rows 1000000 --columns 50 --images 100000 --out results/benchmarks/reading.csv

One after the other: `--only csv`, parquet or images measures that alone, and leaves the other rows of the file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image
from pyarrow.csv import write_csv

SIDE = 32
START = """
import sys, threading, time
import numpy, pandas, pyarrow.parquet, torch
from pathlib import Path
from PIL import Image
import prismae, prismae.data.own
from prismae.data import decoded, image_folder
prismae.world(pandas.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}))  # imports what tables need
peak, ended = [0], threading.Event()
def own():
    with open("/proc/self/status") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
before = own()
def watch():
    while not ended.wait(0.02):
        peak[0] = max(peak[0], own())
watcher = threading.Thread(target=watch)
watcher.start()
began = time.process_time()
"""
END = """
taken = time.process_time() - began
ended.set()
watcher.join()
print(taken, (max(peak[0], own()) - before) / 1e6)
"""
READERS = {  # what is read → who reads it → how
    "csv": {
        "prismae": "kept = prismae.world(sys.argv[1])",
        "pandas": "kept = pandas.read_csv(sys.argv[1])",
    },
    "parquet": {
        "prismae": "kept = prismae.world(sys.argv[1])",
        "pandas": "kept = pandas.read_parquet(sys.argv[1])",
        "pyarrow": "kept = pyarrow.parquet.read_table(sys.argv[1])",
    },
    "images": {
        "prismae": "kept = prismae.world(sys.argv[1])",
        "prismae, into its cache": "image_folder.HEAVY = 0; decoded.user_cache = lambda: Path(sys.argv[1]).parent; "
        "kept = prismae.world(sys.argv[1])",
        "prismae, from its cache": "image_folder.HEAVY = 0; decoded.user_cache = lambda: Path(sys.argv[1]).parent; "
        "kept = prismae.world(sys.argv[1])",
        "Pillow": "kept = numpy.stack([numpy.asarray(Image.open(path)) for path in Path(sys.argv[1]).iterdir()])",
    },
}


def write(folder: Path, what: str, rows: int, columns: int, images: int) -> Path:
    """What is to be read: a table of numbers and one column of categories, or a folder of PNG images."""
    rng = np.random.default_rng(0)
    if what == "images":
        path = folder / what
        path.mkdir()
        for i in range(images):
            smooth = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).resize((SIDE, SIDE))
            smooth.save(path / f"{i:06}.png")
        return path
    table = pd.DataFrame(rng.normal(size=(rows, columns - 1)).round(4)).add_prefix("x")
    table["kind"] = rng.choice(["a", "b", "c"], rows)
    path = folder / f"table.{what}"
    if what == "csv":
        write_csv(pa.Table.from_pandas(table), path)
    else:
        table.to_parquet(path)
    return path


def measured(what: str, path: Path, size: str) -> pd.DataFrame:
    """A row for each reader of what lies there."""
    found = []
    for who, how in READERS[what].items():
        command = [sys.executable, "-W", "ignore", "-c", START + how + END, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, gigabytes = map(float, done.stdout.split())
        found.append(
            {"what": what, "size": size, "reader": who, "cpu_seconds": seconds, "peak_gb": gigabytes}
        )
    rows = pd.DataFrame(found)
    others = rows[~rows["reader"].str.startswith("prismae")]
    for name in ("cpu_seconds", "peak_gb"):
        rows[f"{name}_ratio"] = rows[name] / others[name].min()  # to the best of the others
    return rows


def summary(rows: pd.DataFrame) -> str:
    """The rows, for docs/benchmarks.md."""
    lines = ["| what | reader | CPU seconds (ratio) | peak, GB (ratio) |", "|---|---|---|---|"]
    for row in rows.to_dict("records"):
        lines.append(
            f"| {row['what']}, {row['size']} | {row['reader']} | {row['cpu_seconds']:.1f} "
            f"({row['cpu_seconds_ratio']:.1f}) | {row['peak_gb']:.2f} ({row['peak_gb_ratio']:.1f}) |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the files, read each with each reader, and write and print a row for each."""
    reader = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rows", 1_000_000), ("columns", 50), ("images", 100_000)):
        reader.add_argument(f"--{name}", type=int, default=default)
    reader.add_argument("--only", nargs="+", choices=list(READERS), default=list(READERS))
    reader.add_argument("--out", type=Path)
    asked = reader.parse_args()
    for what in asked.only:
        size = (
            f"{asked.images:,} x {SIDE}x{SIDE}" if what == "images" else f"{asked.rows:,} x {asked.columns}"
        )
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder), what, asked.rows, asked.columns, asked.images)
            rows = measured(what, path, size).round(3)
        if asked.out is not None:
            asked.out.parent.mkdir(parents=True, exist_ok=True)
            earlier = [pd.read_csv(asked.out).query("what != @what")] if asked.out.is_file() else []
            pd.concat([*earlier, rows]).to_csv(asked.out, index=False)
        print(summary(rows), flush=True)


if __name__ == "__main__":
    main()
