"""Images decoded into an array: in memory, or once into a file of the user's cache."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import PIL
from numpy.typing import NDArray

from prismae._files import own_folder
from prismae.data.files import user_cache
from prismae.data.images import DEEP, side_by_side
from prismae.data.rows import Npy, Rows
from prismae.errors import InputError

HEAVY = 100_000_000  # bytes of files from which decoding is worth keeping
KEPT_FOR = 7 * 24 * 3600  # seconds since an earlier state of a folder was last read
ABOUT = "about.json"
_VERSION = 1  # of what is done to images, for the key
_AT_ONCE = 1024


class Target(Protocol):
    """An array [n, …] that is written row by row, from several threads."""

    def put(self, row: int, values: NDArray) -> None:
        """Write rows [k, …] from one on."""
        ...

    def read(self) -> NDArray | Rows:
        """What was written."""
        ...


class InMemory:
    """An array in memory."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.x = np.empty(shape, dtype)

    def put(self, row: int, values: NDArray) -> None:
        """See `Target`."""
        self.x[row : row + len(values)] = values

    def read(self) -> NDArray:
        """See `Target`."""
        return self.x


class InFile:
    """A .npy file, which is written and not mapped, so that its size does not count as the process's."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.dtype, self.row = path, dtype, prod(shape[1:]) * dtype.itemsize
        with path.open("wb") as file:
            head = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_2_0(file, head)
            self.start = file.tell()
            file.truncate(self.start + shape[0] * self.row)

    def put(self, row: int, values: NDArray) -> None:
        """See `Target`."""
        with self.path.open("r+b", buffering=0) as file:
            file.seek(self.start + row * self.row)
            file.write(np.ascontiguousarray(values, self.dtype).data)

    def read(self) -> Npy:
        """See `Target`."""
        return Npy(self.path)


@dataclass(frozen=True)
class Decoding:
    """What is to be decoded.

    Parameters
    ----------
    names
        n names of images.
    shape, dtype
        Shape and type of one image.
    parts
        For each file the places of its images.
    read
        The images of a file by its place among the files; or why one, and with it the rest of the file, cannot be read.
    narrow
        Whether numbers of 16 bits become bytes where bytes would hold them.
    """

    names: Sequence[str]
    shape: tuple[int, ...]
    dtype: np.dtype
    parts: Sequence[Sequence[int]]
    read: Callable[[int, list[str]], Iterator[NDArray | InputError]]
    narrow: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return len(self.names) * prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Decoded:
    """Images [k, …] that could be read, their places among all, why others could not, and what was done to some."""

    x: NDArray | Rows
    kept: list[int]
    failed: dict[str, str]
    noted: list[str]


def decoded(
    what: Decoding, label: str, make: Callable[[tuple[int, ...], np.dtype], Target] = InMemory
) -> Decoded:
    """Decode images on all cores, into what `make` makes room in; `label` is for the progress bar."""
    target = make((len(what.names), *what.shape), what.dtype)
    failed: dict[str, str] = {}
    noted: list[str] = []
    bytes_do = np.zeros(len(what.names), np.bool_)

    def work(i: int) -> None:
        found, failure = what.read(i, noted), ""
        for row in what.parts[i]:
            values = next(found, failure)
            if isinstance(values, np.ndarray):
                wide = what.dtype == np.float32 and values.dtype == np.uint8
                values = values * np.float32(DEEP) if wide else values
                bytes_do[row] = what.narrow and _of_bytes(values)
                target.put(row, values[None])
            else:
                failed[what.names[row]] = failure = str(values)

    side_by_side(len(what.parts), work, label)
    kept = [row for row, name in enumerate(what.names) if name not in failed]
    narrow = what.narrow and bool(bytes_do[kept].all())
    if not kept or (len(kept) == len(what.names) and not narrow):
        return Decoded(target.read(), kept, failed, noted)
    whole, dtype = target.read(), np.dtype(np.uint8) if narrow else what.dtype
    target = make((len(kept), *what.shape), dtype)
    for start in range(0, len(kept), _AT_ONCE):
        part = whole[np.array(kept[start : start + _AT_ONCE])]
        target.put(start, (part // DEEP).astype(dtype) if narrow else part)
    return Decoded(target.read(), kept, failed, noted)


def decoded_once(
    what: Decoding, folder: Path, files: Sequence[Path], how: Mapping[str, Any], *, skip_damaged: bool
) -> Decoded:
    """The same, in a file of the user's cache, which is there whole or not at all, and is read again the next time.

    Parameters
    ----------
    folder, files
        The images. Where the name, size or time of change of one differs from before, all are decoded anew; what was
        decoded before is removed when nobody has read it for a week.
    how
        All else that the pixels depend on.
    skip_damaged
        Whether what can be read is kept where something cannot; else nothing is.

    Raises
    ------
    InputError
        Where the cache cannot be written or has no room.
    """
    state = sha256(f"{_VERSION} {PIL.__version__} {json.dumps(how, sort_keys=True)}".encode())
    for file in files:
        found = file.stat()
        state.update(os.fsencode(f"{file.relative_to(folder)}\0{found.st_size} {found.st_mtime_ns}\n"))
    of_folder = sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    home = cache()
    place = home / f"{of_folder}-{state.hexdigest()[:32]}"
    if not (place / ABOUT).is_file():
        _make_room(home, what.nbytes, folder)
        with own_folder(home) as own:
            part = own / "made"
            part.mkdir()
            numbers = count()
            made = decoded(
                what, folder.name, lambda shape, dtype: InFile(part / f"{next(numbers)}.npy", shape, dtype)
            )
            if not made.kept or (made.failed and not skip_damaged):
                return replace(made, x=np.empty((0, *what.shape), what.dtype))
            *earlier, pixels = sorted(part.iterdir())
            for each in earlier:
                each.unlink()
            about = {"pixels": pixels.name, "kept": made.kept, "failed": made.failed, "noted": made.noted}
            (part / ABOUT).write_text(json.dumps(about), encoding="utf-8")
            with suppress(OSError):  # where another process was first
                part.rename(place)
        _remove_earlier(home, of_folder, place)
    about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    os.utime(place)
    return Decoded(Npy(place / about["pixels"]), about["kept"], about["failed"], about["noted"])


def cache() -> Path:
    """The folder of decoded images."""
    return user_cache() / "decoded"


def _make_room(home: Path, needed: int, folder: Path) -> None:
    """Refuse what the cache has no room for."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free
    except OSError as error:
        raise InputError(
            f"The images of {folder} are decoded once into {home}, which cannot be written ({error})."
        ) from None
    if needed > free:
        raise InputError(
            f"The images of {folder} take {needed / 1e9:.1f} GB when they are decoded, and {home} has room for "
            f"{free / 1e9:.1f} GB: give a size, such as --size 64, or another cache (XDG_CACHE_HOME)."
        )


def _remove_earlier(home: Path, of_folder: str, place: Path) -> None:
    """Remove what was decoded of other states of a folder, where nobody has read it for some time."""
    for other in home.glob(f"{of_folder}-*"):
        if other != place and time.time() - other.stat().st_mtime > KEPT_FOR:
            shutil.rmtree(other, ignore_errors=True)


def _of_bytes(image: NDArray) -> bool:
    """Whether numbers of 16 bits are those of 8, each written twice."""
    return bool((image % DEEP == 0).all() and image.min() >= 0 and image.max() <= 255 * DEEP)
