"""Commands as a terminal gives them, within the test's process."""

import sys

import pytest

from prismae import cli


def printed(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[str | int, str, str]:
    """What `prismae WORDS …` ends with, its standard output and its errors."""
    argv, sys.argv = sys.argv, ["prismae", *map(str, words)]
    try:
        cli.main()
        code: str | int = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.argv = argv
    said = capfd.readouterr()
    return code, said.out, said.err


def command(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[str | int, str]:
    """What `prismae WORDS …` ends with, and all that it says."""
    code, out, err = printed(capfd, *words)
    return code, out + err
