"""Finding methods, metrics and worlds: every module of a package, and the entry points of other packages."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any


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


def kebab(name: str) -> str:
    """The command-line form of a class or function name: ``BetaTCVAE`` → ``beta-tcvae``, ``dci_d`` → ``dci-d``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return words.replace("_", "-").lower()
