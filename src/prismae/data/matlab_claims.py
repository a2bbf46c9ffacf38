"""What the variables of a .mat file (up to version 7.2) claim, before SciPy makes room for them.

SciPy makes an array of a cell array or a structure as large as it says it is, and calls itself for each variable in
another.
"""

from __future__ import annotations

import struct
from io import BufferedReader, RawIOBase
from math import prod
from pathlib import Path
from typing import Any

from scipy.io import whosmat

from prismae._files import check_number, check_room, memory
from prismae.data.chunks import DEFLATE, PART, SHARE, Zlib
from prismae.errors import InputError

_HEAD = 128  # bytes before the first variable
_MATRIX, _PACKED = 14, 15  # what variables are marked with
_CELL, _STRUCT, _OBJECT, _FUNCTION, _OPAQUE = 1, 2, 3, 16, 17  # classes of variables that hold others
_MOST_FIELDS = 100_000  # of a structure; each takes SciPy some 300 bytes
_MOST_BYTES = 8 * 64  # of the sides of an array
_DEEPEST = 100  # variables in each other; of some thousands the process dies


def check_matlab(path: Path) -> None:
    """Refuse a .mat file whose variables claim or unpack to more than there is memory, or than the file has."""
    _look_through(path)
    check_room(path, sum(8 * prod(shape) for _, shape, _ in whosmat(path)))


def _look_through(path: Path) -> None:
    found = counted = 0
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if 0 in head[:4]:  # version 4, which packs nothing, and where no variable holds others
            return
        order = "<" if head[126:] == b"IM" else ">"
        while len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}2I", tag)
            end = file.tell() + length
            found += 1
            check_number(path, found)
            if kind == _MATRIX:
                _Variables(path, order, file).look(length)
            elif kind == _PACKED:
                unpacked = BufferedReader(_Unpacked(file.read(length)), PART)
                kind, inner = struct.unpack(f"{order}2I", unpacked.read(8).ljust(8, b"\0"))
                if kind == _MATRIX:
                    _Variables(path, order, unpacked).look(inner)
                if path.stat().st_size * DEFLATE > memory() / SHARE:
                    while unpacked.read(PART):
                        check_room(path, counted + unpacked.tell())
                    counted += unpacked.tell()
            file.seek(end)


class _Unpacked(RawIOBase):
    """What a packed variable holds, unpacked as it is read."""

    def __init__(self, packed: bytes) -> None:
        self._stream, self._at = Zlib(packed), 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        part = self._stream.read(len(into))
        into[: len(part)] = part
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        return self._at


class _Variables:
    """The variables in a file, of which those that hold others are looked through."""

    def __init__(self, path: Path, order: str, file: BufferedReader[Any]) -> None:
        self.path, self.file, self._pair = path, file, struct.Struct(f"{order}2I")

    def look(self, length: int, depth: int = 1) -> None:
        """Look through the variable of so many bytes that begins here; where it holds no others, no further."""
        end = self.file.tell() + length
        self._two()
        kind = self._two()[0] & 0xFF
        if kind not in (_CELL, _STRUCT, _OBJECT, _FUNCTION, _OPAQUE):
            return
        if depth > _DEEPEST:
            raise self._wrong(f"variables lie in each other more than {_DEEPEST} deep")
        if kind in (_CELL, _STRUCT, _OBJECT):
            entries = prod(self._numbers(end))
            self._pass(end)  # the name
            fields = self._fields(end, kind) if kind != _CELL else 1
            if 8 * entries * max(fields, 1) > end - self.file.tell():  # each has a tag of eight bytes
                raise self._wrong(f"{entries * max(fields, 1):,} entries are claimed, more than the file has")
        while self.file.tell() < end:
            within, size = self._two()
            if within >> 16:  # a short one, which lies in its tag
                continue
            after = self.file.tell() + size + -size % 8
            if after > end:
                raise self._wrong("a variable is larger than that in which it lies")
            if within == _MATRIX and size:
                self.look(size, depth + 1)
            self._skip(after)

    def _fields(self, end: int, kind: int) -> int:
        """How many fields a structure has."""
        if kind == _OBJECT:
            self._pass(end)  # its class
        longest, *_ = *self._numbers(end), 1
        fields = self._pass(end) // max(longest, 1)
        if fields > _MOST_FIELDS:
            raise self._wrong(f"a structure has {fields:,} fields, expected at most {_MOST_FIELDS:,}")
        return fields

    def _two(self) -> tuple[int, int]:
        read = self.file.read(8)
        if len(read) < 8:
            raise self._wrong("it is cut off")
        first, second = self._pair.unpack(read)
        return first, second

    def _numbers(self, end: int) -> list[int]:
        """The whole numbers of an element, which are few."""
        kind, size = self._two()
        if kind >> 16:
            return [size]
        if size > min(_MOST_BYTES, end - self.file.tell()):
            raise self._wrong(f"an array has {size // 4:,} axes")
        pairs = [self._two() for _ in range(-(-size // 8))]
        return [number for pair in pairs for number in pair][: size // 4]

    def _pass(self, end: int) -> int:
        """Go behind an element, and say how many bytes it has."""
        kind, size = self._two()
        if kind >> 16:
            return kind >> 16
        self._skip(min(self.file.tell() + size + -size % 8, end))
        return size

    def _skip(self, to: int) -> None:
        if self.file.seekable():
            self.file.seek(to)
        while self.file.tell() < to and self.file.read(min(PART, to - self.file.tell())):
            pass

    def _wrong(self, what: str) -> InputError:
        return InputError(f"{self.path} is corrupted or no MATLAB file ({what}).")
