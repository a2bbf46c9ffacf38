"""What the jobs of a study are doing: a small file for each, written by the workers and watched by the study."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import TaskID

from prismae._files import write_file
from prismae._progress import bars

State = Literal["waiting", "training", "scoring", "done", "failed", "elsewhere"]
EVERY = 0.5  # seconds between two looks, or two writes
ENDED = ("done", "failed", "elsewhere")


@dataclass(frozen=True)
class Status:
    """What a job is doing, and after how many steps; `error` in one sentence if it failed."""

    state: State
    step: int = 0
    error: str = ""


@dataclass
class Reporter:
    """Writes the status of one job to a file. Files, because they work the same for every engine and machine.

    Parameters
    ----------
    path
        The job's file, in a folder of its own for each study that is run.
    """

    path: Path
    written: float = 0.0

    def __call__(self, status: Status, *, always: bool = True) -> None:
        """Write it, atomically; without `always` at most twice a second."""
        if always or time.monotonic() - self.written > EVERY:
            write_file(self.path, json.dumps(asdict(status)).encode())
            self.written = time.monotonic()


def read_status(path: Path) -> Status:
    """The status in a job's file; "waiting" where there is none yet."""
    return Status(**json.loads(path.read_bytes())) if path.exists() else Status("waiting")


class Watch:
    """Shows progress over jobs and over the steps of those that run, from their status files, until it is left.

    Parameters
    ----------
    files, names, steps
        By job id: the status file, what to call the job, and its steps.
    done
        Jobs that were finished before.
    """

    def __init__(
        self,
        console: Console,
        files: Mapping[str, Path],
        names: Mapping[str, str],
        steps: Mapping[str, int],
        done: int,
    ) -> None:
        self.files, self.names, self.steps, self.before = files, names, steps, done
        self.bars = bars(left=True, console=console)
        self.all = self.bars.add_task("jobs", total=done + len(files), completed=done, note="")
        self.tasks: dict[str, TaskID] = {}
        self.said: dict[str, Status] = {}
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self.bars.start()
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join()
        self.look()
        self.bars.stop()

    def _watch(self) -> None:
        while not self.stop.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Bring the bars up to date, and say of each job that ended how it did."""
        for job, path in self.files.items():
            status = read_status(path)
            if status.state == "waiting" or self.said.get(job) == status:
                continue
            if status.state in ENDED:
                if job in self.tasks:
                    self.bars.remove_task(self.tasks.pop(job))
                tail = f": {status.error}" if status.error else ""
                self.bars.console.print(
                    f"{status.state:9} {self.names[job]}  ({job}){tail}",
                    highlight=False,
                    markup=False,
                    soft_wrap=not self.bars.console.is_terminal,  # in a file a line each, with whole paths
                )
            else:
                if job not in self.tasks:
                    self.tasks[job] = self.bars.add_task(self.names[job], total=self.steps[job], note="")
                self.bars.update(self.tasks[job], completed=status.step, note=status.state)
            self.said[job] = status
        ended = sum(status.state in ("done", "failed") for status in self.said.values())
        self.bars.update(self.all, completed=self.before + ended)
