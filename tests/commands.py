"""Commands as a terminal gives them, within the test's process."""

import sys

import pytest

from prismae import cli


def command(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[str | int, str]:
    """What `prismae WORDS …` ends with, and what it says."""
    argv, sys.argv = sys.argv, ["prismae", *map(str, words)]
    try:
        cli.main()
        code: str | int = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.argv = argv
    printed = capfd.readouterr()
    return code, printed.out + printed.err
