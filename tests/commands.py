"""Commands as a terminal gives them, within the test's process."""

import inspect
import sys
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest

from prismae import cli
from prismae._discovery import kebab
from prismae.cli._app import COMMANDS, app, loaded


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


def options_of(*types: type) -> Iterator[tuple[str, str, set[Any]]]:
    """Each option of each command whose value is of one of these types: its command, its name, and its types."""
    for name in COMMANDS:
        loaded(name)
    for each in app.registered_commands:
        assert each.callback is not None
        for parameter in inspect.signature(each.callback, eval_str=True).parameters.values():
            annotation = parameter.annotation
            kind, *about = get_args(annotation) if get_origin(annotation) is Annotated else [None]
            within = {kind, *get_args(kind)} | {inner for part in get_args(kind) for inner in get_args(part)}
            if within & {*types} and type(about[0]).__name__ == "OptionInfo":
                written = [about[0].default, *(about[0].param_decls or ())]
                names = (str(word) for word in written if str(word).startswith("--"))
                yield str(each.name), next(names, f"--{kebab(parameter.name)}"), within
