"""Commands of prismae that are killed, or whose calls to the file system fail: each in a fork of one process.

Run as a script, with `shim.c` preloaded: it reads one request a line from standard input, as JSON, and answers each in
a line. A fork costs nothing to start, since its parent has imported everything.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any


def answer(request: dict[str, Any], shim: Any) -> dict[str, Any]:
    """Run a command in `folder`; at its call number `at` it is killed, or that call fails with `error`.

    It has `memory` bytes more than this process, if that is said, and is killed `after` so many seconds.
    """
    if request.get("warm"):  # here, so that forks find imported what the command imports on its way
        with redirect_stdout(StringIO()), chdir(request["folder"]):
            called(request["command"])
        return {}
    ears, mouth = os.pipe()  # pipes, since calls on files are counted
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(mouth, stream.fileno())
        os.close(mouth)
        sys.stdout = os.fdopen(
            1, "w", closefd=False
        )  # those of before may believe in a file that can be sought
        sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
        os.chdir(request["folder"])
        if "memory" in request:
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (taken + request["memory"],) * 2)
        if "after" in request:
            signal.setitimer(signal.ITIMER_REAL, request["after"])  # whose signal nobody handles
        shim.faults_arm(
            request["at"], request.get("error", 0), request.get("half", 0), request.get("always", 0)
        )
        code = called(request["command"])
        count = shim.faults_count()
        shim.faults_arm(-1, 0, 0, 0)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(writing, str(count).encode())
        os._exit(code)
    os.close(mouth)
    os.close(writing)
    with os.fdopen(ears, errors="replace") as pipe:
        said = pipe.read()
    with os.fdopen(reading) as pipe:
        count = pipe.read()
    status = os.waitpid(child, 0)[1]
    return {"code": os.waitstatus_to_exitcode(status), "said": said, "calls": int(count or 0)}


def called(command: Sequence[str]) -> int:
    """Run a command; its exit code."""
    from prismae.cli import main

    sys.argv = ["prismae", *command]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """Answer requests until there are no more."""
    from prismae.cli._app import COMMANDS, loaded

    for name in COMMANDS:
        loaded(name)
    shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), shim)), flush=True)


if __name__ == "__main__":
    serve()
