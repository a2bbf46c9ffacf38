"""Finding methods, metrics and worlds: every module of a package, and the entry points of other packages."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from inspect import isabstract
from types import ModuleType
from typing import Any, Protocol, TypeVar

from prismae.errors import InputError


@lru_cache
def entry_points(group: str) -> metadata.EntryPoints:
    """Those that installed packages declare; kept, because a file of every one of them is read."""
    return metadata.entry_points(group=group)


def modules(package: str) -> Iterator[ModuleType]:
    """Import and yield each public module below `package`, in alphabetical order."""
    root = importlib.import_module(package)
    for info in sorted(pkgutil.walk_packages(root.__path__, f"{package}."), key=lambda info: info.name):
        if not info.name.rpartition(".")[2].startswith("_"):
            yield importlib.import_module(info.name)


def plugins(group: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, loaded object) for each entry point of `group`, such as ``prismae.methods``."""
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        yield point.name, point.load()


class Named(Protocol):
    """A class with a name on the command line."""

    @classmethod
    def name(cls) -> str: ...


N = TypeVar("N", bound=Named)


def subclasses(package: str, base: type[N], group: str) -> dict[str, type[N]]:
    """Every final subclass of `base` by its command-line name: those of `package`, then those of entry points.

    Raises
    ------
    InputError
        For an entry point of `group` that is no such class.
    """
    found: dict[str, type[N]] = {}
    for module in modules(package):
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and issubclass(value, base) and not isabstract(value):
                found[value.name()] = value
    for name, value in plugins(group):
        if not (isinstance(value, type) and issubclass(value, base)) or isabstract(value):
            raise InputError(
                f"Entry point {name!r} of group {group} is not a {base.__name__}: got {value!r}."
            )
        found[name] = value
    return found


def kebab(name: str) -> str:
    """The command-line form of a class or function name: ``BetaTCVAE`` → ``beta-tcvae``, ``dci_d`` → ``dci-d``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return words.replace("_", "-").lower()
