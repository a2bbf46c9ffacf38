"""Kills and faults at every call of a command to the file system, counted."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from faulty import Ended, Faulty, contents, differences

SMALL = ["--latents", "2", "--net", "mlp:width=8", "--batch", "8"]
FIT = [
    "fit",
    "vae",
    "own.npz",
    *SMALL,
    "--steps",
    "6",
    "--checkpoint-every",
    "2",
    "--snapshot",
    "3",
    "--no-evaluate",
]
PLAN = """
title: One small job
worlds: [own.npz]
methods: {arm: {method: vae}}
seeds: [0]
budget: {steps: 6, n_latents: 2, batch: 8, net: "mlp:width=8"}
metrics: {locatello2019: [mig]}
"""
COMMANDS = {
    "fit": FIT,
    "evaluate": ["evaluate", "RUN", "--metrics", "mig"],
    "report": ["report", "RUN"],
    "export": ["export", "RUN", "--codes"],
    "study": ["study", "plan.yaml", "--checkpoint-every", "2"],
}
ERRORS = {
    "full": errno.ENOSPC,
    "read-only": errno.EROFS,
    "descriptors": errno.EMFILE,
    "damaged disk": errno.EIO,
}
ROOMS = (
    1,
    2,
    3,
    4,
    6,
    8,
    12,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    256,
)  # megabytes beyond those at the start: with less yet
# CPython waits for a thread that has not begun


@dataclass
class Counted:
    """How often a command was killed or had an error, and what went wrong: one sentence for each failure."""

    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def note(self, what: str, *wrong: str) -> None:
        """Count a try, and what was wrong in it."""
        self.tried += 1
        self.failures += [f"{what}: {each}" for each in wrong if each]


class Trial:
    """A command in a folder that is as it was before it, again and again, and how the folder should be in the end."""

    def __init__(self, name: str, faulty: Faulty, folder: Path) -> None:
        self.faulty, self.start, self.work = faulty, folder / "start", folder / "work"
        self.start.mkdir()
        rng = np.random.default_rng(0)
        factors = rng.integers(0, 3, (60, 2))
        noise = 0.1 * rng.normal(size=(60, 6))
        np.savez(self.start / "own.npz", x=(factors @ rng.normal(size=(2, 6)) + noise), factors=factors)
        (self.start / "plan.yaml").write_text(PLAN)
        self.command = COMMANDS[name]
        self.least = 2 if name == "study" else 1  # megabytes: its bars begin two threads, see `ROOMS`
        self.renew()
        if "RUN" in self.command:
            self.faulty.warm(FIT, self.work)
            run = next((self.work / "runs").iterdir())
            shutil.copytree(run, self.start / "runs" / run.name)
            self.command = [f"runs/{run.name}" if each == "RUN" else each for each in self.command]
            self.renew()
        self.faulty.warm(self.command, self.work)
        self.renew()
        started = time.monotonic()
        undisturbed = self.run()
        self.seconds = time.monotonic() - started
        assert undisturbed.code == 0, undisturbed.said
        assert undisturbed.calls, "the library was not preloaded"
        self.calls, self.expected = undisturbed.calls, contents(self.work)

    def renew(self) -> None:
        """Make the folder as it was before the command."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.start, self.work)

    def run(self, **how: Any) -> Ended:
        return self.faulty.run(self.command, self.work, **how)

    def again(self) -> list[str]:
        """What is wrong after the same command was given again."""
        ended = self.run()
        wrong = [] if ended.code == 0 else [f"the same command again: {ended.code}, {ended.said[-300:]}"]
        return wrong + [f"differs: {path}" for path in differences(contents(self.work), self.expected)]


def killed(trial: Trial, every: int = 1) -> Counted:
    """Kill a command at each call, in the middle of what is written, and give it again."""
    counted = Counted()
    for at in range(1, trial.calls + 1, every):
        trial.renew()
        ended = trial.run(at=at, half=1)
        if (
            ended.code == 0 and ended.calls < at
        ):  # a study's progress is written as time goes, so calls vary by a few
            continue
        counted.note(f"killed at call {at}", "" if ended.code == -9 else f"code {ended.code}", *trial.again())
    return counted


def killed_at_random(trial: Trial, n: int) -> Counted:
    """Kill a command n times at moments drawn evenly over the time that it takes, and give it again."""
    counted, rng = Counted(), np.random.default_rng(0)
    for after in rng.uniform(0.001, trial.seconds, n):
        trial.renew()
        ended = trial.run(after=float(after))
        counted.note(
            f"killed after {after:.3f} s", "" if ended.code in (-14, 0) else _said(ended), *trial.again()
        )
    return counted


def short_of_memory(trial: Trial, rooms: Sequence[int]) -> Counted:
    """Let a command have so many megabytes and no more, and give it again when there are enough."""
    counted = Counted()
    for room in [each for each in rooms if each >= trial.least]:
        trial.renew()
        ended = trial.run(memory=room << 20)
        counted.note(f"with {room} MB", "" if in_a_sentence(ended) else _said(ended), *trial.again())
    return counted


def in_a_sentence(ended: Ended) -> bool:
    """Whether a command went well, or said in a sentence why not."""
    if "Traceback" in ended.said:
        return False
    return ended.code == 0 or (ended.code > 0 and ended.said.strip().endswith("."))


def _said(ended: Ended) -> str:
    return f"code {ended.code}, said {ended.said[-1500:]}"


def refused(trial: Trial, error: int, every: int = 1) -> Counted:
    """Let each call from one on fail with an error, and give the command again when there are no more errors."""
    counted = Counted()
    for at in range(1, trial.calls + 1, every):
        trial.renew()
        ended = trial.run(at=at, error=error, always=1)
        counted.note(
            f"error {error} from call {at}", "" if in_a_sentence(ended) else _said(ended), *trial.again()
        )
    return counted
