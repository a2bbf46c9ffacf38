"""The command line: thin, every command a call of the library. One file holds one command and registers it."""

from __future__ import annotations

import sys

from prismae.cli._app import app, err
from prismae.errors import InputError, Interrupted, NotFinite

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    try:
        app()
    except (InputError, NotFinite) as error:
        err.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except Interrupted as stop:
        err.print(str(stop), highlight=False, markup=False, soft_wrap=True)
        sys.exit(130)
