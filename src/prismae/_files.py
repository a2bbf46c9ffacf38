"""Files that are there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it takes that name only when all went well.

    The temporary name is hidden, ends like `path`, and is nobody else's: two that write one file at once do not meet,
    and the later one counts.
    """
    part = path.with_name(f".{path.stem[:80]}.{uuid4().hex}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
