"""Methods: one file each, found by scanning this folder and other packages' entry points."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from inspect import isabstract
from typing import Any, cast

from prismae._discovery import modules, plugins
from prismae._fields import unknown_field
from prismae.errors import InputError, unknown_name
from prismae.methods._base import Adversarial, Context, Method, Terms

__all__ = ["Adversarial", "Context", "Method", "Terms", "all_methods", "method"]


def all_methods() -> dict[str, type[Method]]:
    """Every method by its command-line name: those of this folder, then those of other packages."""
    found: dict[str, type[Method]] = {}
    for module in modules(__name__):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Method) and value.__module__ == module.__name__:
                found[value.name()] = value
    for name, value in plugins("prismae.methods"):
        if not (isinstance(value, type) and issubclass(value, Method)) or isabstract(value):
            raise InputError(f"Entry point {name!r} of group prismae.methods is not a Method: got {value!r}.")
        found[name] = value
    return found


def method(name: str, **fields: Any) -> Method:
    """The method of a command-line name with the given fields: ``method("beta-vae", beta=2.0)``."""
    known = all_methods()
    if name not in known:
        raise unknown_name("method", name, known)
    cls = known[name]
    for field in fields:
        if field not in {each.name for each in dataclass_fields(cast(Any, cls))}:
            raise unknown_field(cls, field)
    return cls(**fields)
