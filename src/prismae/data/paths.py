"""Paths of own data: what is one, which array it names, and a digest of what lies there."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from prismae.data.array_files import ARRAYS
from prismae.data.image_folder import LABELS, is_image
from prismae.data.recordings import is_recording
from prismae.errors import InputError, readable


def is_path(text: str) -> bool:
    """Whether `text` is meant as a path: no world has a dot or a slash in its name, before a colon."""
    return "." in text.partition(":")[0] or "/" in text or os.sep in text


def split_path(source: str) -> tuple[Path, str | None]:
    """Path and name of an array: ``mine.h5:group/images`` → (mine.h5, group/images); None where none is named.

    Raises
    ------
    InputError
        For a text that no file can be called.
    """
    if "\0" in source:
        raise InputError(f"There is no file {source!r:.200}: no name holds a zero byte.")
    chosen = re.fullmatch(r"(?i)(.+\.(?:npz|h5|hdf5|h5ad|mat|zarr)):(.+)", source)
    path = Path(chosen[1] if chosen else source).expanduser()
    return path, chosen[2].strip("/") if chosen else None


def contents(source: str) -> bytes:
    """A digest of all that own data on disk are made of, which tells other data under the same path.

    Files of the same path, size and time of change as before are not read again. A world's name has no contents: b"".

    Raises
    ------
    InputError
        For what cannot be read.
    """
    if not is_path(source):
        return b""
    path, _ = split_path(source)
    with readable(path):
        return _contents(path)


def _contents(path: Path) -> bytes:
    if not path.is_dir():
        return _digest(path.resolve(), *_stamp(path)) if path.is_file() else b""
    every = [file for file in sorted(path.rglob("*")) if file.is_file()]
    data = is_image if any(map(is_image, every)) else is_recording
    whole_of = path.suffix.lower() in ARRAYS  # a folder that is a file of arrays
    files = [file for file in every if whole_of or data(file) or file == path / LABELS]
    whole = hashlib.sha256()
    for file in files:
        whole.update(os.fsencode(file.relative_to(path).as_posix()) + _digest(file.resolve(), *_stamp(file)))
    return whole.digest()


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _digest(file: Path, size: int, changed: int) -> bytes:
    """Digest of a file's content; `size` and `changed` (its time of change) are for the cache."""
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
