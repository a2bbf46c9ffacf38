"""How the text of a table is packed and encoded."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from prismae._files import memory
from prismae.data.files import of_one_byte
from prismae.errors import InputError, in_a_sentence

PACKED = ("", ".gz", ".bz2", ".xz", ".zip")
UNPACKED = 5  # times the bytes of its text that a table takes in memory, about
_LINE, _COLUMNS = 1 << 25, 100_000  # of the first line; pandas takes a minute for so many columns
PEEK = 1 << 16  # bytes of a file that are looked at before it is read


def start_of(path: Path) -> tuple[str, str]:
    """The first part of a text, whole lines, and its encoding."""
    broken = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
    with in_a_sentence(f"{path} cannot be read", *broken):
        if path.suffix.lower() in PACKED[1:]:
            _check_unpacked(path)
        with opened(path) as file:
            start = file.read(PEEK)
            _check_line(path, start, file)
            file.seek(len(start))
            encoding = encoding_of(start)
            if encoding == "utf-8" and not _is_utf8(start, file):
                file.seek(0)
                encoding = of_one_byte(iter(lambda: file.read(1 << 20), b""))
    if b"\0" in start and encoding[:6] not in ("utf-16", "utf-32"):
        raise InputError(f"{path} is no text, expected a table with commas between columns.")
    text = start.decode(encoding, errors="ignore").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(lines[:-1] if len(start) == PEEK and len(lines) > 1 else lines), encoding


def _check_line(path: Path, start: bytes, file: Any) -> None:
    """Refuse a first line that is no line of a table, or of a table of so many columns that it takes hours."""
    if re.search(b"[\r\n]", start) or len(start) < PEEK:
        return
    line = re.split(b"[\r\n]", start + file.read(_LINE - len(start)), maxsplit=1)[0]
    columns = 1 + max(line.count(each) for each in b",;\t|")
    if len(line) == _LINE or columns > _COLUMNS:
        what = f"over {_LINE / 1e6:.0f} MB long" if len(line) == _LINE else f"one of {columns:,} columns"
        raise InputError(
            f"{path}: its first line is {what}, expected a table of up to {_COLUMNS:,} columns: numbers of more are "
            "read as an array (.npy)."
        )


def encoding_of(start: bytes) -> str:
    """What the first bytes of a text tell of how it is encoded; "utf-8" where they tell nothing."""
    if start[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    # without a mark: of Latin letters three bytes of four are empty, or every second
    wide = start.count(0) > 0.6 * len(start)
    for name, empty in (("utf-32-le", start[3::4]), ("utf-32-be", start[::4])):
        if empty.count(0) > 0.9 * len(empty) > 0 and wide:
            return name
    for name, empty in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if empty.count(0) > 0.9 * len(empty) > 0 and not wide:
            return name
    return "utf-8"


def _is_utf8(start: bytes, file: Any) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(start)
        while part := file.read(1 << 20):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _check_unpacked(path: Path) -> None:
    """Refuse a text that unpacks to more than a table of it has room for; it is counted, since packed files lie."""
    n, most = 0, memory() / UNPACKED
    with opened(path) as file:
        while n <= most and (part := file.read(1 << 20)):
            n += len(part)
    if n > most:
        raise InputError(
            f"{path} unpacks to over {most / 1e9:.2g} GB of text, and a table of it takes about {UNPACKED} times as "
            "much memory: expected a smaller file."
        )


def opened(path: Path) -> Any:
    """The file of a text, or what is packed in it, to be read as bytes."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        packed = zipfile.ZipFile(path)
        hidden = re.compile(r"(^|/)(\.|__MACOSX/)|/$")  # what macOS packs beside files, and folders
        files = [name for name in packed.namelist() if not hidden.search(name)]
        if len(files) != 1:
            raise zipfile.BadZipFile(f"{len(files) or 'no'} files are packed in it, expected one: unpack it")
        return packed.open(files[0])
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(suffix, open)
    return opener(path, "rb")
