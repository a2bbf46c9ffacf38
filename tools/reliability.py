"""Writes docs/reliability.md: commands killed and refused at their calls to the file system, files and plans altered,
and bad inputs, counted.

python tools/reliability.py docs/reliability.md [EVERY [COMMAND …]]

EVERY 1, the default, tries each call, and thousands of altered files; a greater number every so many of them, for less
time.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from faulty import Faulty, shim
from kills import COMMANDS, ERRORS, Counted, Trial, killed, refused

TESTS = Path(__file__).parents[1] / "tests"
MARK = "<!-- counts, by tools/reliability.py -->"
PLANS, JOBS = 2_500, 700  # altered plans, and job.json of each of three runs
INPUTS = {
    "test_damaged_files.py": "bits changed, files cut or exchanged",
    "test_hostile_files.py": "hostile data files",
    "test_ranges.py": "options out of their range, empty texts",
}


def altered(read: Callable[[Any], None], n: int) -> Counted:
    """Read files altered n times by the draws of a test."""
    counted = Counted()

    @settings(
        max_examples=n, deadline=None, database=None, phases=[Phase.generate], derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def each(data: Any) -> None:
        try:
            read(data)
            counted.note("")
        except Exception as error:
            counted.note(f"altered: {traceback.format_exc(limit=-1)}", str(error))

    each()
    return counted


class Outcomes:
    """What pytest reports, counted."""

    def __init__(self) -> None:
        self.counted = Counted()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Hear of a test."""
        if report.when == "call" or report.failed:
            self.counted.note(report.nodeid, "" if report.passed else str(report.longrepr)[-300:])


def inputs(every: int) -> Iterator[tuple[str, Counted]]:
    """Altered files and bad inputs: what, and how many."""
    plans, jobs = import_module("test_altered_plans"), import_module("test_job_record")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.yaml"
        yield "plans altered", altered(partial(plans.read_altered, path), PLANS // every)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        home = Path(folder)
        shutil.copytree(jobs.RUNS, home, dirs_exist_ok=True)
        for name in jobs.NAMES:
            found = altered(partial(jobs.read_altered, home, name), JOBS // every)
            yield (
                f"job.json altered, of {name.removesuffix(name.rpartition('-')[2]).rstrip('-') or name}",
                found,
            )
    for name, what in INPUTS.items():
        outcomes = Outcomes()
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            pytest.main(["-q", "-p", "no:cacheprovider", str(TESTS / "faults" / name)], plugins=[outcomes])
        yield f"{what}: tests", outcomes.counted


def tried(every: int) -> tuple[list[str], list[str]]:
    """The lines of the table of altered files and bad inputs, and what failed."""
    lines, wrong = ["| what | tried | failures |", "|---" * 3 + "|"], []
    for what, counted in inputs(every):
        lines.append(f"| {what} | {counted.tried:,} | {len(counted.failures)} |")
        print(lines[-1], *counted.failures, sep="\n", flush=True)
        wrong += counted.failures
    return lines, wrong


def counts(every: int, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of the table of commands, and what failed."""
    lines = ["| command | calls | killed at | " + " | ".join(ERRORS) + " | failures |", "|---" * 8 + "|"]
    failures: list[str] = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            library = shim(Path(folder))
            if library is None:
                raise SystemExit("needs Linux and a C compiler")
            faulty = Faulty(library)
            trial = Trial(name, faulty, Path(folder))
            found: list[Counted] = [killed(trial, every)]
            found += [refused(trial, error, 10 * every) for error in ERRORS.values()]
            faulty.close()
        wrong = [each for counted in found for each in counted.failures]
        cells = [name, trial.calls, *(counted.tried for counted in found), len(wrong)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
        print(lines[-1], *wrong, sep="\n", flush=True)
        failures += wrong
    return lines, failures


def main() -> None:
    """Put the counts below the mark of the page."""
    page = Path(sys.argv[1])
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    names = sys.argv[3:] or [*COMMANDS]
    (commands, wrong), (others, more) = counts(every, names), tried(every)
    said = "each call" if every == 1 else f"one call of {every}, and one altered file of {every}"
    command = " ".join(["tools/reliability.py", "docs/reliability.md", *sys.argv[2:]])
    text = page.read_text(encoding="utf-8").partition(MARK)[0]
    lines = [
        f"By `python {command}`: {said}.",
        "",
        *commands,
        "",
        *others,
        *(f"\n{each}" for each in wrong + more),
    ]
    page.write_text(f"{text}{MARK}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
