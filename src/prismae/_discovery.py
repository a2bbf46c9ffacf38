"""Finding methods, metrics and worlds: every module of a package, and the entry points of other packages."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import warnings
from collections.abc import Collection, Iterator
from dataclasses import fields
from functools import lru_cache
from importlib import metadata
from inspect import get_annotations, isabstract
from types import ModuleType
from typing import Any, Protocol, TypeVar

from prismae.errors import InputError, PluginWarning


@lru_cache
def entry_points(group: str) -> metadata.EntryPoints:
    """Those that installed packages declare; kept, because a file of every one of them is read."""
    return metadata.entry_points(group=group)


@lru_cache
def modules(package: str) -> tuple[ModuleType, ...]:
    """Import each public module below `package`, in alphabetical order; kept, because folders are searched for them."""
    root = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.walk_packages(root.__path__, f"{package}."))
    return tuple(importlib.import_module(n) for n in names if not n.rpartition(".")[2].startswith("_"))


def plugins(group: str, known: Collection[str] = ()) -> Iterator[tuple[metadata.EntryPoint, Any]]:
    """Yield (entry point, what it loads) for each entry point of `group`, such as ``prismae.methods``.

    One that cannot be loaded is left out with a warning: a broken package must not take the others with it.

    Parameters
    ----------
    known
        Names that are this package's own.

    Raises
    ------
    InputError
        For a name that two distributions declare, or that is in `known`: which of the two is meant cannot be told.
    """
    owners = dict.fromkeys(known, "prismae itself")
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        if point.name in owners:
            raise InputError(
                f"Entry point {point.name!r} of group {group} is declared by {distribution(point)}, but "
                f"{owners[point.name]} has that name already: expected another name, or one of the two uninstalled."
            )
        owners[point.name] = distribution(point)
        try:
            loaded = load(point)
        except InputError as error:
            left_out(point, str(error))
        else:
            yield point, loaded


def load(point: metadata.EntryPoint) -> Any:
    """What an entry point declares.

    Raises
    ------
    InputError
        What is wrong with it, to stand behind its name, without a stop.
    """
    if not point_at(point):
        raise InputError(f"reads {point.value!r}, expected module:name, as in acme.methods:SparseVAE")
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises when it is imported
        raise InputError(f"cannot be loaded ({type(error).__name__}: {error})") from None


def point_at(point: metadata.EntryPoint) -> tuple[str, str] | None:
    """Module and name that an entry point declares; None where its text is no such pair."""
    found = point.pattern.match(point.value)
    return (found["module"], found["attr"]) if found and found["attr"] else None


def distribution(point: metadata.EntryPoint) -> str:
    """The package that declares an entry point, with its version, as messages name it."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


def left_out(point: metadata.EntryPoint, reason: str) -> None:
    """Warn that an entry point is not used."""
    warnings.warn(f"{described(point)} {reason}: it is left out.", PluginWarning, stacklevel=2)


def described(point: metadata.EntryPoint) -> str:
    """What messages call an entry point."""
    return f"Entry point {point.name!r} of group {point.group}, declared by {distribution(point)},"


def strange_groups(kinds: Collection[str]) -> list[str]:
    """A sentence for each group of entry points that is called as one of prismae and is none."""
    said = []
    for group in sorted(metadata.entry_points().groups):
        if group.startswith("prismae.") and group.removeprefix("prismae.") not in kinds:
            owners = {distribution(point): None for point in metadata.entry_points(group=group)}
            said.append(
                f"Nothing is read of the entry points {group}, declared by {', '.join(owners)}: expected one of "
                f"{', '.join(f'prismae.{kind}' for kind in sorted(kinds))}."
            )
    return said


def entry_name(cls: type, group: str) -> str | None:
    """The name under which an entry point of `group` declares a class of another package; None if none does.

    Nothing is imported: the module of an entry point that declares `cls` has been imported with it.
    """
    if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return None
    for point in entry_points(group=group):
        module, path = point_at(point) or ("", "")
        found: Any = sys.modules.get(module)
        for name in path.split("."):
            found = getattr(found, name, None)
        if found is cls:
            return point.name
    return None


def class_path(cls: type) -> str:
    """Where a class is defined, as run folders remember it: ``acme.models.HessianVAE``."""
    return f"{cls.__module__}.{cls.__qualname__}"


def of_package(cls: type, path: str) -> bool:
    """Whether a class is of the package that `class_path` names; within a package a class may move."""
    return cls.__module__.partition(".")[0] == path.partition(".")[0]


class Named(Protocol):
    """A class with a name on the command line."""

    @classmethod
    def name(cls) -> str: ...


N = TypeVar("N", bound=Named)


def subclasses(package: str, base: type[N], group: str, *, frozen: bool = True) -> dict[str, type[N]]:
    """Every final subclass of `base` by its command-line name: those of `package`, then those of entry points.

    An entry point that is no such class, that cannot be used, or whose class calls itself otherwise, is left out with a
    warning. `frozen`: whether they are frozen dataclasses, whose fields are settings.
    """
    found: dict[str, type[N]] = dict(_own_subclasses(package, base))
    own = {name for called, cls in found.items() for name in (called, *getattr(cls, "variants", ()))}
    for point, value in plugins(group, own):
        name = point.name
        taken = own.intersection(getattr(value, "variants", ()))
        if not (isinstance(value, type) and issubclass(value, base)):
            left_out(point, f"is no {base.__name__} but {value!r}")
        elif why := unusable(value, base, frozen=frozen):
            left_out(point, why)
        elif taken:
            left_out(point, f"has variants called as prismae's own {', '.join(sorted(taken))}")
        elif value.name() not in (name, *own):
            left_out(point, f"is called {value.name()!r} by its class, expected one name")
        else:
            found[name] = value
    return found


def unusable(cls: type, base: type, *, frozen: bool = True) -> str:
    """Why a class below `base` cannot be used, to stand behind its name; nothing where it can."""
    if isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        return f"is no whole {base.__name__}, since {cls.__name__} does not define {missing}"
    if not frozen:
        return ""
    if why := unfrozen(cls):
        return why
    if {name for name, each in get_annotations(base).items() if "ClassVar" not in str(each)}:
        return ""  # what each of them must be told, such as what a controller moves
    try:
        cls()
    except Exception as error:  # whatever a stranger's class raises
        return f"cannot be made with the defaults of its fields ({type(error).__name__}: {error})"
    return ""


def unfrozen(cls: type) -> str:
    """Why a class is no frozen dataclass, to stand behind its name; nothing where it is one, or has no fields but those
    of one that it is made from."""
    made = next((each for each in cls.__mro__ if "__dataclass_params__" in vars(each)), None)
    if made is not None and made.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        known = {each.name for each in fields(made)}
        below = cls.__mro__[: cls.__mro__.index(made)]
        new = {
            name
            for each in below
            for name, hint in get_annotations(each).items()
            if "ClassVar" not in str(hint)
        }
        if not new and not any(known & vars(each).keys() for each in below):
            return ""
    mend = f"write @dataclass(frozen=True) above class {cls.__name__}"
    return f"is no frozen dataclass, so its fields are no settings: {mend}"


@lru_cache
def _own_subclasses(package: str, base: type[N]) -> dict[str, type[N]]:
    """Every final subclass of `base` in the modules of `package`, by its name."""
    found: dict[str, type[N]] = {}
    for module in modules(package):
        for value in vars(module).values():
            here = isinstance(value, type) and value.__module__ == module.__name__
            if here and issubclass(value, base) and not isabstract(value):
                found[value.name()] = value
    return found


@lru_cache(maxsize=4096)
def kebab(name: str) -> str:
    """The command-line form of a class or function name: ``BetaTCVAE`` → ``beta-tcvae``, ``dci_d`` → ``dci-d``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return words.replace("_", "-").lower()
