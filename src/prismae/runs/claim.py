"""Claiming a run folder, so that two processes never compute the same run at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import Timeout

from prismae._files import lock_at
from prismae.errors import InputError
from prismae.runs.run import Run

LOCK = ".lock"


class Claimed(InputError):
    """Another process computes this run just now."""


@contextmanager
def claim(run: Run, *, wait: bool = False, lock: str = LOCK) -> Iterator[None]:
    """Hold a run folder, or what another `lock` of it stands for, for this process and thread.

    The lock is the operating system's, on a file in the folder: it ends with the process that holds it, also by a
    kill, so none is ever left behind. On a folder that several machines share, its file system must have locks
    (NFS version 4 has).

    Parameters
    ----------
    wait
        Wait until the other process is done, instead of raising.

    Raises
    ------
    Claimed
        When another process holds the folder.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    held = lock_at(run.path / lock)
    try:
        held.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise Claimed(
            f"{str(run.path)!r} is being computed by another process: wait until it is done."
        ) from None
    try:
        yield
    finally:
        held.release()
