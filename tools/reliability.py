"""Writes the counts of docs/reliability.md: commands killed and refused at their calls to the file system, short of
memory, workers of clusters killed, files and plans altered, and bad inputs.

python tools/reliability.py docs/reliability.md EVERY [PART …]

EVERY 1 tries each call and thousands of altered files, a greater number one of so many; errors are tried at a tenth of
the calls. A PART is a command (fit, evaluate, report, export, study), one of plans, jobs, files, hostile, options, or
of ray and dask, where they are installed; all but these two by default. Each row stands on the page by itself: one that
is counted takes the place of that part's row of before.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
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

import clusters
from faulty import Faulty, shim
from kills import COMMANDS, ERRORS, ROOMS, Counted, Trial, killed, killed_at_random, refused, short_of_memory

TESTS = Path(__file__).parents[1] / "tests"
MARK = "<!-- counts, by tools/reliability.py -->"
PLANS, JOBS = 2_500, 2_100  # altered plans, and altered job.json of three runs
RANDOM = 20  # kills at random moments
FILES = {
    "files": ("bits changed, files cut or exchanged: tests", "test_damaged_files.py"),
    "hostile": ("hostile files: tests", "test_hostile_*.py"),
    "options": ("options out of their range, empty texts: tests", "test_ranges.py"),
}
OTHERS = {"plans": "plans altered", "jobs": "job.json altered"} | {
    name: what for name, (what, _) in FILES.items()
}
CLUSTERS = {"ray": "Ray", "dask": "Dask"}
STEPS, SECONDS = 2_000, 20  # of each job, and between two kills
HEADS = (
    ("command", "one call of", "calls", "killed at", "at random moments", *ERRORS, "memory", "failures"),
    ("what", "one of", "tried", "failures"),
    ("cluster", "jobs", "steps of each", "a checkpoint each", "a kill each", "workers killed", "failures"),
)


def command(name: str, every: int) -> tuple[list[Any], list[str]]:
    """The row of a command, and what failed."""
    with tempfile.TemporaryDirectory() as folder:
        library = shim(Path(folder))
        if library is None:
            raise SystemExit("needs Linux and a C compiler")
        faulty = Faulty(library)
        trial = Trial(name, faulty, Path(folder))
        found = [
            killed(trial, every),
            killed_at_random(trial, RANDOM),
            *(refused(trial, error, 10 * every) for error in ERRORS.values()),
            short_of_memory(trial, ROOMS),
        ]
        faulty.close()
    wrong = [each for counted in found for each in counted.failures]
    return [name, every, trial.calls, *(counted.tried for counted in found), len(wrong)], wrong


def other(name: str, every: int) -> tuple[list[Any], list[str]]:
    """The row of altered files or bad inputs, and what failed."""
    counted = Counted()
    if name in FILES:
        every = 1
        outcomes = Outcomes(counted)
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            pytest.main(
                ["-q", "-p", "no:cacheprovider", *map(str, (TESTS / "faults").glob(FILES[name][1]))],
                plugins=[outcomes],
            )
    else:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            for read, n in _readers(name, Path(folder)):
                _altered(counted, read, n // every)
    return [OTHERS[name], every, f"{counted.tried:,}", len(counted.failures)], counted.failures


def cluster(name: str) -> tuple[list[Any], list[str]]:
    """The row of a cluster whose workers are killed while a study goes on, and what failed."""
    with tempfile.TemporaryDirectory() as folder:
        expected = clusters.undisturbed(Path(folder, "undisturbed"), STEPS)
        killed, said = clusters.disturbed(Path(folder, name), STEPS, name, SECONDS)
        wrong = [said] if said else clusters.compared(Path(folder, name), expected)
    cells = [
        CLUSTERS[name],
        clusters.JOBS,
        f"{STEPS:,}",
        clusters.EVERY,
        f"{SECONDS} s",
        killed.total(),
        len(wrong),
    ]
    return cells, wrong


def _readers(name: str, folder: Path) -> Iterator[tuple[Callable[[Any], None], int]]:
    """What reads files altered by draws, and how often."""
    if name == "plans":
        yield partial(import_module("test_altered_plans").read_altered, folder / "plan.yaml"), PLANS
    else:
        jobs = import_module("test_job_record")
        shutil.copytree(jobs.RUNS, folder, dirs_exist_ok=True)
        for each in jobs.NAMES:
            yield partial(jobs.read_altered, folder, each), JOBS // len(jobs.NAMES)


def _altered(counted: Counted, read: Callable[[Any], None], n: int) -> None:
    """Read files altered n times by the draws of a test."""

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


class Outcomes:
    """What pytest reports, counted."""

    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Hear of a test."""
        if report.when == "call" or report.failed:
            self.counted.note(report.nodeid, "" if report.passed else str(report.longrepr)[-300:])


def rows_of(page: str) -> dict[str, str]:
    """The rows of the page's tables by their first cell."""
    lines = [line for line in page.partition(MARK)[2].split("\n") if line.startswith("| ")]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def with_rows(page: str, rows: Mapping[str, str]) -> str:
    """The page with these rows below its mark."""
    tables = []
    for head, names in zip(HEADS, (COMMANDS, OTHERS.values(), CLUSTERS.values()), strict=True):
        body = [
            rows[name] for name in names if rows.get(name, "").count("|") == len(head) + 1
        ]  # no older table's
        if body:
            tables.append("\n".join([_row(head), "|" + "---|" * len(head), *body]))
    return f"{page.partition(MARK)[0]}{MARK}\n\n" + "\n\n".join(tables) + "\n"


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Count parts, and put their rows on the page."""
    page, every, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or [*COMMANDS, *OTHERS]
    failed = False
    for name in names:
        if name in CLUSTERS:
            cells, wrong = cluster(name)
        else:
            cells, wrong = command(name, every) if name in COMMANDS else other(name, every)
        print(_row(cells), *wrong, sep="\n", flush=True)
        text = page.read_text(encoding="utf-8")
        page.write_text(with_rows(text, rows_of(text) | {str(cells[0]): _row(cells)}), encoding="utf-8")
        failed |= bool(wrong)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
