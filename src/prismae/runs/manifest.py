"""manifest.json: the digest of each file of a run, by which what a disk, a copy or a hand has changed is found.

Two digests stand beside a name, of the file that was there and of the one that takes its place, so that a kill between
the two leaves no file that fits neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from prismae._files import lock_at, write_file, written_whole
from prismae.errors import InputError

MANIFEST = "manifest.json"
LOCK = ".manifest.lock"
TRIES = 3  # reads of a file that another process may write at that moment

T = TypeVar("T")


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """As `prismae._files.written_whole`, for a file of a run: its digest is noted before it moves to `path`."""
    with written_whole(path) as part:
        yield part
        with lock_at(path.parent / LOCK):
            files = _files(path.parent)
            known = files.get(path.name)
            now = _digest_of(path) if path.is_file() else None
            before = [now] if now is not None and (known is None or now in known) else []
            files[path.name] = [*dict.fromkeys([*before, _digest_of(part)])]
            content = {"sha256": _digest(_text(files)), "files": files}
            write_file(path.parent / MANIFEST, _text(content))


def whole(path: Path) -> bytes:
    """The content of a file of a run.

    Raises
    ------
    InputError
        If it is not what was written. Runs of versions that wrote no manifest, and files that are not in it, are taken
        as they are.
    """
    return _held(path, Path.read_bytes, _digest)


def check(*paths: Path) -> None:
    """Hold files of a run to its manifest, and of a folder all that are there."""
    for path in paths:
        if path.is_dir():
            check(*(path / name for name in _files(path) if (path / name).is_file()))
        else:
            _held(path, _digest_of, str)


def _held(path: Path, read: Callable[[Path], T], digest: Callable[[T], str]) -> T:
    for _ in range(TRIES):
        found = read(path)
        known = _files(path.parent).get(path.name)
        if known is None or digest(found) in known:
            return found
    raise InputError(
        f"{str(path)!r} is damaged, or of another run: its content is not what was written. Fetch the run again from "
        f"where it was whole; if you changed the file yourself, remove {path.parent / MANIFEST}."
    )


def _files(folder: Path) -> dict[str, list[str]]:
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
        if content["sha256"] == _digest(_text(content["files"])):
            return content["files"]
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    raise InputError(f"{str(path)!r} is damaged: remove it, and the run's files are taken as they are.")


def _text(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
