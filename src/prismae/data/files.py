"""Where data lies on disk: the data folder, and official files in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from platformdirs import user_cache_path
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from prismae._files import written_whole
from prismae._progress import Screen
from prismae.errors import InputError

_CYRILLIC = r"\b(?=\w\w)[\u0401\u0410-\u042f]?[\u0430-\u044f\u0451]+\b|\u2116"  # in another codec it is tHAT
_SCRIPTS = {  # codec, in which other texts seldom decode, and its letters or words
    "GBK": ("gb2312", "[\u3000-\u303f\u4e00-\u9fff\uff00-\uff60]"),
    "SHIFT_JIS": ("cp932", "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60]"),
    "CP1251": ("cp1251", _CYRILLIC),
    "KOI8-R": ("koi8-r", _CYRILLIC),
}
_UNKNOWN = re.compile("[\ud800-\udfff]")  # what Python makes of bytes in a name that are no UTF-8
_CHUNK = 1 << 20  # bytes read at a time
_TIMEOUT = 30  # seconds without an answer after which a download counts as failed


def files_below(folder: Path) -> list[Path]:
    """The files below a folder in the order of their paths; hidden ones, pipes and devices are not taken."""
    found = sorted(
        file
        for file in folder.rglob("*")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts) and file.is_file()
    )
    check_names(found)
    return found


def check_names(paths: Sequence[Path]) -> None:
    """Refuse names that are no text in UTF-8: no page, table or card could tell of them."""
    wrong = [str(path) for path in paths if _UNKNOWN.search(str(path))]
    with suppress(
        UnicodeDecodeError
    ):  # then it is Python that was told to take file names for something else
        if wrong:
            meant = wrong[0].encode("utf-8", "surrogateescape").decode("utf-8")
            raise InputError(
                f"The name {meant} cannot be used where file names are in ASCII: set PYTHONUTF8=1 or LC_ALL=C.UTF-8."
            )
    if wrong:
        shown = wrong[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise InputError(
            f"The name {shown}{more} is no UTF-8, expected another name (convmv changes many at once)."
        )


def of_one_byte(parts: Iterable[bytes]) -> str:
    """The encoding of a text of one byte a character: Latin-1, or what Windows made of it where bytes are used that
    are no letters of it."""
    used = set().union(*parts)
    return (
        "cp1252" if used & set(range(0x80, 0xA0)) and not used & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    )


def looks_like(data: bytes) -> list[str]:
    """Encodings of other scripts that a text seems to be in, as iconv calls them.

    They decode all of it, nearly all that is not ASCII to their scripts, and seldom beside a Latin letter.
    """
    found = []
    for name, (codec, script) in _SCRIPTS.items():
        with suppress(UnicodeDecodeError):
            text = data.decode(codec)
            foreign = re.findall(r"[^\x00-\x7f]", text)
            beside = re.findall(r"(?<=[A-Za-z])[^\x00-\x7f]|[^\x00-\x7f](?=[A-Za-z])", text)
            if len("".join(re.findall(script, text))) > 0.9 * len(foreign) and len(beside) < 0.2 * len(
                foreign
            ):
                found.append(name)
    return found


def user_cache() -> Path:
    """The platform's cache folder for prismae; on Linux $XDG_CACHE_HOME/prismae or ``~/.cache/prismae``."""
    return user_cache_path("prismae", appauthor=False)


def data_folder() -> Path:
    """The folder of the official data files: the environment variable PRISMAE_DATA, else `user_cache()`.

    Raises
    ------
    InputError
        Where the variable names what is no folder, or holds quotes or blanks around the name.
    """
    if not (chosen := os.environ.get("PRISMAE_DATA")):
        return user_cache()
    folder = os.path.expanduser(chosen)
    if chosen != chosen.strip("\"' \t\r\n") or (os.path.exists(folder) and not os.path.isdir(folder)):
        raise InputError(
            f"The environment variable PRISMAE_DATA is {chosen!r}, which is no folder: expected that of the data files."
        )
    return Path(folder)


def find(world: str, filename: str) -> Path | None:
    """The file of a world in the data folder, or in the user cache, or None where neither has it."""
    for path in _places(world, filename):
        if path.is_file():
            return path
    return None


def find_folder(world: str, name: str) -> Path | None:
    """A folder of a world in the data folder, or in the user cache, or None where neither has it."""
    return next((path for path in _places(world, name) if path.is_dir()), None)


def place(world: str, filename: str) -> Path:
    """Where a new file of a world goes: the data folder, or the user cache if the data folder is read-only.

    Raises
    ------
    InputError
        Where neither folder can be written.
    """
    places = _places(world, filename)
    for path in places:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(path.parent, os.W_OK):
            return path
    tried = " nor ".join(str(path.parent) for path in places)
    raise InputError(
        f"{filename} can be written neither to {tried}: set PRISMAE_DATA to a folder that can be written."
    )


def official_file(world: str, filename: str, url: str, sha256: str) -> Path:
    """The official file of a world: found in the data folder, else downloaded there; its checksum is checked.

    Parameters
    ----------
    world
        Name of the world; its folder is the name with underscores.
    filename
        Name of the file in that folder.
    url
        Where the file is published.
    sha256
        Its SHA-256 checksum, in hexadecimal.

    Raises
    ------
    InputError
        Where the file can neither be found nor downloaded (the message says which file to put where), or
        where its checksum is not the expected one (the message names both). A failed download leaves nothing.
    """
    found = find(world, filename)
    if found is not None:
        _check(found, sha256, f"{found} is corrupted", f"delete it, or replace it by the file at {url}")
        return found
    path = place(world, filename)
    with written_whole(path) as part:
        try:
            _download(url, part, filename)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise InputError(
                f"{filename} is not in {path.parent} and could not be downloaded ({reason}): "
                f"fetch it by hand from {url} and put it at {path}."
            ) from None
        _check(
            part, sha256, f"The download of {url} is corrupted", f"try again, or put a good copy at {path}"
        )
    return path


def _places(world: str, filename: str) -> list[Path]:
    folders = dict.fromkeys([data_folder(), user_cache()])
    return [folder / world.replace("-", "_") / filename for folder in folders]


def _download(url: str, target: Path, label: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        urlopen(url, timeout=_TIMEOUT) as answer,
        target.open("wb") as file,
        Progress(*columns, console=Screen(stderr=True)) as progress,
    ):
        size = answer.headers.get("Content-Length")
        task = progress.add_task(f"Downloading {label}", total=int(size) if size else None)
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            progress.advance(task, len(chunk))


def _check(path: Path, expected: str, problem: str, remedy: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise InputError(f"{problem}: expected SHA-256 {expected}, found {found}; {remedy}.")
