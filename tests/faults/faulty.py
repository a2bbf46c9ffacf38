"""What the tests of this folder share: a process that runs commands with faults in them, and how folders compare."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prismae.runs.manifest import MANIFEST, check

HERE = Path(__file__).parent
NEVER = 10**9  # the number of a call that is not reached: calls are counted only
LOCKS = (".lock", ".scores.lock", ".manifest.lock")


def shim(folder: Path) -> Path | None:
    """The library of `shim.c`; None where there is no compiler, or no Linux."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    made = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, HERE / "shim.c", "-ldl"], check=True)
    return made


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it wrote to standard output and error, and its calls."""

    code: int
    said: str
    calls: int


class Faulty:
    """Runs commands in forks of one process: see `forked.py`."""

    def __init__(self, library: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE / "forked.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        )

    def warm(self, command: Sequence[str], folder: Path) -> None:
        """Run a command in the process itself, so that what it imports is there in forks."""
        self._ask({"command": [*command], "folder": str(folder), "warm": True})

    def run(self, command: Sequence[str], folder: Path, *, at: int = NEVER, **how: Any) -> Ended:
        """Run a command; at its call `at` it is killed, after `half` a write, or has an `error`, once or `always`.

        `memory` and `after` as `forked.answer` has them.
        """
        request = {"command": [*command], "folder": str(folder), "at": at} | how
        return Ended(**self._ask(request))

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def contents(folder: Path) -> dict[str, Any]:
    """All files below a folder by their paths, hidden ones as well: bytes, or what is in them but for times."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in LOCKS
    } | {f"{path.relative_to(folder).as_posix()}/": None for path in folder.rglob("*") if path.is_dir()}


def _content(path: Path) -> Any:
    if path.suffix == ".npz":
        with np.load(path) as file:
            return {name: (file[name].dtype.str, file[name].tobytes()) for name in file.files}
    if path.name == "job.json":
        about = json.loads(path.read_text())
        return {key: value for key, value in about.items() if key not in ("seconds", "warm_up")}
    if path.name == MANIFEST:
        check(path.parent)
        return sorted(json.loads(path.read_text())["files"])
    if path.suffix in (".md", ".html"):
        return re.sub(r"\d+(\.\d+)?( |&nbsp;|\u00a0)?s(ec|econds)?\b", "TIME", path.read_text())
    return path.read_bytes()


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """The paths by which two contents differ."""
    return sorted(
        path for path in found.keys() | expected.keys() if found.get(path, 0) != expected.get(path, 0)
    )
