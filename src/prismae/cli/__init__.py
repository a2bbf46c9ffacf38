"""The command line: thin, every command a call of the library. One file holds one command and registers it."""

from __future__ import annotations

import os
import re
import signal
import sys
import warnings
from codecs import register_error
from functools import cache
from importlib.util import find_spec
from io import TextIOWrapper
from types import FrameType
from typing import Any, NoReturn

from prismae.cli._app import app, end_log, err, tell
from prismae.errors import (
    DataWarning,
    InputError,
    Interrupted,
    NotFinite,
    PluginWarning,
    TrainingWarning,
    of_machine,
)

__all__ = ["app", "main"]

LIKE = {"−": "-", "–": "-", "—": "-", "…": "...", "→": "->", "±": "+-", "·": "-", "×": "x"}  # in ASCII
_BUFFERS = 100 << 20  # bytes: more than BLAS of NumPy and of SciPy take for one thread each


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2, a machine's failure one and code 1.

    A request to end, as a shell or a scheduler sends it, ends a command in order: what it was writing is put away, and
    a training writes its checkpoint first.
    """
    # Threads that wait for each other spin by default, and beside another program take from those they wait for what
    # these need: ten times as long. It is read where PyTorch is first loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    ends = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    usual = [
        each for each in ends if signal.getsignal(each) is signal.SIG_DFL
    ]  # not where `nohup` has it ignored
    for each in usual:
        signal.signal(each, _end)
    shown, warnings.showwarning = warnings.showwarning, _warn
    output = sys.stdout
    streams = {each: each.errors for each in (output, sys.stderr) if isinstance(each, TextIOWrapper)}
    for each in streams:  # ASCII has no "±", and names of files may hold what no encoding has
        each.reconfigure(errors="prismae")
    try:
        _stand()
        _take_buffers()
        app()
    except (InputError, NotFinite) as error:
        _say(str(error), 2)
    except Interrupted as stop:
        _say(str(stop), 130, style="")
    except KeyboardInterrupt:  # before a command runs; later it is Typer that takes it
        _say("Ended by Ctrl-C; the same command goes on.", 130, style="")
    except Exception as error:
        sentence = of_machine(error)
        if sentence is None:
            raise
        _say(sentence, 1)
    finally:
        warnings.showwarning = shown
        end_log()
        for each in usual:
            signal.signal(each, signal.SIG_DFL)
        for stream, errors in streams.items():
            if stream.closed:
                continue
            try:
                stream.reconfigure(errors=errors)
            except OSError:  # of what could not be written, which is said; at its end Python would try again
                with open(os.devnull, "wb") as nowhere:
                    os.dup2(nowhere.fileno(), stream.fileno())


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What stands for signs that a stream's encoding has not: their like, or their number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(
        LIKE.get(each) or each.encode("ascii", "backslashreplace").decode() for each in signs
    ), error.end


register_error("prismae", _plain)
_ENDLESS = re.compile(r"(\S{300})\S{5000,}")  # a word longer than a path can be


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """A warning: one of prismae is a sentence, without the line of code that gave it."""
    if issubclass(category, DataWarning | PluginWarning | TrainingWarning):
        tell(err, str(message), style="yellow")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def _stand() -> None:
    """Refuse to work in a folder that is gone, where libraries end the process with words of their own."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise InputError("The current folder was removed or moved: change to another one.") from None


@cache
def _take_buffers() -> None:
    """Where memory is limited, as schedulers limit it, have BLAS take its buffers while there is room.

    OpenBLAS takes them when it first computes. If there is no room by then, that of SciPy tries for ever.
    """
    if find_spec("resource") is None:  # on Windows
        return
    import resource

    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    import numpy as np
    from scipy.linalg import eigh

    room = bytearray(_BUFFERS)  # or an error that has a sentence
    del room
    square = np.eye(300)  # of smaller ones it computes without
    eigh(square @ square)


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    _say(f"Ended by {signal.Signals(signum).name}; the same command goes on.", 128 + signum, style="")


def _say(sentence: str, code: int, style: str = "red") -> NoReturn:
    tell(err, _ENDLESS.sub(r"\1…", sentence), style=style)
    sys.exit(code)
