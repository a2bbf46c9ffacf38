"""The exception that a user's mistake raises, that for what cannot be had, the sentence for an unknown name and for a
machine that fails, and the warning of a training that went wrong."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_hidden = re.compile(r"(?:(?<=/)|^)\.[0-9a-f]{32}\.part(?:/|$)")  # see `prismae._files`
_OF_PATHS = {
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.EINVAL,
    errno.ENAMETOOLONG,
}
_OF_SYSTEM = {  # that say nothing of what a file holds
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.ETIMEDOUT),
}
_LONGEST = 200  # letters of what another library says, which may name all that a file holds
_no_memory = re.compile(  # as PyTorch says it, and the system where it loads a library
    "OutOfMemoryError|can't allocate memory|not enough memory|failed to map segment from shared object"
)


class InputError(ValueError):
    """Input that cannot be used. Its message is one sentence: what was wrong and what was expected."""


class Unavailable(InputError):
    """What was asked for is right, but cannot be had here: a package is not installed, or a model has no such score.

    A study goes on without it. `reasons` says why, score by score, where several were asked for.
    """

    def __init__(self, message: str, reasons: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reasons = dict(reasons or {})


class NotFinite(ArithmeticError):
    """A term became NaN or infinite; the message names it, the step, and what to try."""


class Interrupted(Exception):
    """Training was stopped by Ctrl-C after a checkpoint was written; the message says how to go on."""


def of_machine(error: BaseException) -> str | None:
    """One sentence for an error of the operating system or of memory; None for any other."""
    if isinstance(error, OSError):
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        # the file that is meant, not where it is made
        shown = (_hidden.sub("", names[-1]).rstrip("/") or ".") if names else None
        # in the system's words, where a library has its own
        number = error.errno or 0
        why = os.strerror(number) if number in errno.errorcode else error.strerror or str(error)
        return f"{shown}: {why.rstrip('.')}." if shown else f"{str(error).rstrip('.')}."
    if out_of_memory(error):
        return "There is not enough memory: a smaller network, batch or code needs less."
    return "No more threads can be started here." if "can't start new thread" in str(error) else None


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory, as Python, Arrow or PyTorch have it."""
    return isinstance(error, MemoryError) or bool(_no_memory.search(f"{type(error).__name__}: {error}"))


def of_system(error: BaseException) -> bool:
    """Whether an error is one of the system or of memory, and so says nothing of what a file holds.

    No file is damaged because too many are open, or because its disk fails.
    """
    return out_of_memory(error) or (isinstance(error, OSError) and error.errno in _OF_SYSTEM)


@contextmanager
def of_file(path: Path | str) -> Iterator[None]:
    """Says of which file an error of the system is that does not, as those of writing on a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def fits_in_memory(path: Path) -> Iterator[None]:
    """Says of which data it is that there is not enough memory for them."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        why = str(error).partition("\n")[0]
        why = f"{why[:_LONGEST]} …" if len(why) > _LONGEST else why
        raise InputError(f"{path} does not fit in memory{f' ({why})' if why else ''}.") from None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Says what cannot be read, and why, where that is a fault of the path and not of the machine."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_PATHS:
            raise
        raise InputError(f"{error.filename or path} cannot be read: {error.strerror}.") from None


@contextmanager
def in_a_sentence(said: str, *errors: type[Exception], then: str = "") -> Iterator[None]:
    """Says `said`, the reason and what to do `then`, where a library that reads a file raises one of `errors`.

    What already is a sentence stays as it is, and so does what is `of_system`.
    """
    try:
        yield
    except InputError:
        raise
    except errors as error:
        if of_system(error):
            raise
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        shown = f"{reason[:_LONGEST]}{' …' * (len(reason) > _LONGEST)}"  # it may be all that the file holds
        raise InputError(f"{said} ({shown}){then and ': '}{then}.") from None


@contextmanager
def noted(faults: list[str]) -> Iterator[None]:
    """Adds what is wrong to `faults`, so that all of it can be said at once."""
    try:
        yield
    except InputError as error:
        faults.append(str(error))


class TrainingWarning(UserWarning):
    """A training came to its end, but not well: its verdict names what is wrong and what to do."""


class PluginWarning(UserWarning):
    """What another package declares for prismae cannot be used, and is left out."""


class DataWarning(UserWarning):
    """Data were read in a way that a user should know of: values are missing, columns are constant or left out."""


def texts(what: str, given: Any) -> tuple[str, ...] | None:
    """Several texts, of a list or an array; None stays.

    Raises
    ------
    InputError
        For anything else, also one text, which is letters to Python.
    """
    if given is None:
        return None
    several = () if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__") else given
    if (several is not given) or not all(isinstance(each, str) for each in several):
        raise InputError(f"{what}: expected a list of texts, got {given!r:.60}.")
    return tuple(map(str, several))


def unknown_names(kind: str, several: Sequence[str], valid: Iterable[str]) -> InputError:
    """The error for names that are not among `valid`: for each the nearest ones, else all are listed."""
    names = sorted(valid)
    if len(several) == 1 or not names:
        return unknown_name(kind, several[0], names)
    near = {name: get_close_matches(name, names, n=3, cutoff=0.5) for name in several}
    meant = {
        name: f" (did you mean {' or '.join(map(repr, near[name]))}?)" if near[name] else ""
        for name in several
    }
    expected = "" if all(near.values()) else f"; expected some of {', '.join(names)}"
    said = ", ".join(f"{name!r}{meant[name]}" for name in several)
    return InputError(f"Unknown {kind}: {said}{expected}.")


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> InputError:
    """The error for a name that is not among `valid`: offers the nearest ones, else lists all."""
    names = sorted(valid)
    if not names:
        return InputError(f"Unknown {kind} {name!r}: there is none.")
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return InputError(f"Unknown {kind} {name!r}: did you mean {' or '.join(map(repr, near))}?")
    return InputError(f"Unknown {kind} {name!r}: expected one of {', '.join(names)}.")
