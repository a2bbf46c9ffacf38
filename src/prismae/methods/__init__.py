"""Methods: one file each, found by scanning this folder and other packages' entry points."""

from __future__ import annotations

from typing import Any, cast

from prismae._discovery import subclasses
from prismae.errors import InputError, unknown_name
from prismae.fields import named_values
from prismae.methods._base import GROUP, Adversarial, Clustering, Context, Labelled, Method, Pairs, Terms
from prismae.optimizer import Group, Optimizer

__all__ = [
    "Adversarial",
    "Clustering",
    "Context",
    "Group",
    "Labelled",
    "Method",
    "Optimizer",
    "Pairs",
    "Terms",
    "all_methods",
    "method",
]


def all_methods() -> dict[str, type[Method]]:
    """Every method by its command-line name, or names: those of this folder, then those of other packages."""
    found = subclasses(__name__, cast(Any, Method), GROUP)
    return {name: cls for own, cls in found.items() for name in (cls.variants or [own])}


def method(name: str, **fields: Any) -> Method:
    """The method of a command-line name with the given fields: ``method("beta-vae", beta=2.0)``."""
    known = all_methods()
    if name not in known:
        raise unknown_name("method", name, known)
    cls = known[name]
    fixed = cls.variants.get(name, {})
    values = named_values(cls, fields)
    for field, value in values.items():
        if fixed.get(field, value) != value:
            raise InputError(f"{name} is {cls.name()} with {field} {fixed[field]!r}, got {field} {value!r}.")
    return cls(**{**fixed, **values})
