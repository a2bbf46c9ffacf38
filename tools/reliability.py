"""Writes docs/reliability.md: commands killed and refused at their calls to the file system, counted.

python tools/reliability.py docs/reliability.md [EVERY [COMMAND …]]

EVERY 1, the default, tries each call; a greater number every so many of them, for less time.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from faulty import Faulty, shim
from kills import COMMANDS, ERRORS, Counted, Trial, killed, refused

MARK = "<!-- counts, by tools/reliability.py -->"


def counts(every: int, names: Sequence[str]) -> list[str]:
    """The lines of the table, and below it what failed."""
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
    return lines + [f"\n{each}" for each in failures]


def main() -> None:
    """Put the counts below the mark of the page."""
    page = Path(sys.argv[1])
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    lines = counts(every, sys.argv[3:] or [*COMMANDS])
    text = page.read_text(encoding="utf-8").partition(MARK)[0]
    page.write_text(f"{text}{MARK}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
