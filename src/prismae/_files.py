"""Files that are there whole or not at all, the hidden folders in which they are made, and what fits in memory."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from math import inf
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from prismae.errors import InputError, of_file

PACKED = 1000  # times the bytes that data take in a file, above which they may be a claim and nothing else
MOST_ARRAYS = 20_000  # of one file
_HELD = ".held"  # the lock file within
_OWN = re.compile(r"\.[0-9a-f]{32}\.part")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path of the same name, in a folder of one's own beside `path`; the file moves to `path` when all went well.

    Two that write one file at once do not meet, and the later one counts.
    """
    with own_folder(path.parent) as own, of_file(path):
        part = own / path.name
        yield part
        part.replace(path)


def write_file(path: Path, content: bytes) -> Path:
    """Write a file, whole or not at all, and return its path."""
    with written_whole(path) as part:
        part.write_bytes(content)
    return path


@contextmanager
def own_folder(parent: Path) -> Iterator[Path]:
    """A hidden folder in `parent` that nobody else uses; in the end it is removed with all that is in it.

    It holds a lock of the operating system, which ends with its process, also by a kill. Thereby what killed processes
    left in `parent` is told from what others are working in, and removed. On a folder that several machines share,
    locks must reach all of them, as those of NFS version 4 do.
    """
    sweep(parent)
    lock = None
    while lock is None:  # before it is held, a new folder may be taken for one that was left
        folder = parent / f".{uuid4().hex}.part"
        folder.mkdir()
        lock = _lock(folder)
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def lock_at(path: Path) -> FileLock:
    """The lock of the operating system on a file, not yet held.

    Raises
    ------
    InputError
        Where a link stands in its place: what that points at would be emptied.
    """
    if path.is_symlink():
        raise InputError(f"{path} is a link, and a lock is to stand there: remove it.")
    return FileLock(path)


def sweep(parent: Path) -> None:
    """Remove the folders that killed processes left in `parent`."""
    with suppress(OSError):
        for left in [each for each in parent.iterdir() if _OWN.fullmatch(each.name)]:
            if not left.is_symlink() and (lock := _lock(left)) is not None:
                if lock.is_locked:
                    shutil.rmtree(left, ignore_errors=True)
                lock.release()


def _lock(folder: Path) -> FileLock | None:
    """The lock of a folder, held unless the file system has none; None if it is another's or the folder is gone."""
    if (folder / _HELD).is_symlink():  # not made here
        return None
    lock = FileLock(folder / _HELD)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except (OSError, NotImplementedError):
        return lock if folder.is_dir() else None
    if not Path(lock.lock_file).exists():
        lock.release()
        return None
    return lock


def check_number(path: Path, found: int) -> None:
    """Refuse a file of more arrays than anybody looks at, each of which a library opens."""
    if found > MOST_ARRAYS:
        raise InputError(f"{path} holds more than {MOST_ARRAYS:,} arrays or groups: expected fewer.")


def memory() -> float:
    """Bytes of memory that this process may use, as far as the system tells."""
    found = [inf]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if find_spec("resource"):  # not on Windows
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        found.append(inf if limit == resource.RLIM_INFINITY else limit)
    return min(found)


def check_room(path: Path, needed: float, of: str = "numbers") -> None:
    """Refuse what is larger than the memory of this machine, before room is made for it."""
    if needed > (room := memory()):
        raise InputError(
            f"{path} holds {needed / 1e9:.0f} GB of {of}, and this machine has {room / 1e9:.0f} GB of memory: "
            "expected data that fit in it."
        )
