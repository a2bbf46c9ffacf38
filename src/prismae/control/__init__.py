"""Controllers: what moves a run's weights or noise during training. One file each, found by scanning this folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from prismae._discovery import subclasses
from prismae.control._base import GROUP, Controller, Moves, Outcome, Trial, names_of
from prismae.control.cyclical import Cyclical
from prismae.control.entropy_noise import EntropyNoise
from prismae.control.evolve import Evolve
from prismae.control.incremental_pi import IncrementalPI
from prismae.control.pi import PI
from prismae.control.ramp import Ramp
from prismae.errors import InputError, unknown_name
from prismae.fields import from_text, named_values

__all__ = [
    "PI",
    "Controller",
    "Cyclical",
    "EntropyNoise",
    "Evolve",
    "IncrementalPI",
    "Moves",
    "Outcome",
    "Ramp",
    "Trial",
    "all_controllers",
    "as_controller",
    "controller",
    "controllers_from_text",
]


def all_controllers() -> dict[str, type[Controller]]:
    """Every controller by its command-line name: those of this folder, then those of other packages."""
    return subclasses(__name__, cast(Any, Controller), GROUP)


def controller(controller: str, **fields: Any) -> Controller:
    """The controller of a command-line name with the given fields: ``controller("pi", moves="kl", target=18.0)``."""
    cls = _found(controller)
    return cls(**named_values(cls, fields))


def as_controller(given: Controller | Mapping[str, Any]) -> Controller:
    """The controller that is meant: as it is, or as `Controller.described` says it.

    Raises
    ------
    InputError
        For anything else, an unknown name, and fields that cannot be.
    """
    if isinstance(given, Controller):
        return given
    if not isinstance(given, Mapping) or "controller" not in given:
        raise InputError(
            f'A controller should be a prismae.control.Controller, or its name as "controller" with its fields, '
            f"got {given!r}."
        )
    return controller(**{str(key): value for key, value in given.items()})


def controllers_from_text(text: str) -> tuple[Controller, ...]:
    """Controllers as the command line writes them: ``kl=pi:target=18,ki=0.01``, ``mi,tc=ramp:steps=500``.

    Before the first "=" stand the weights that are moved, each by a controller of its own (all by one if it moves them
    `together`); then the controller's name, and after a colon its fields.
    """
    names, equals, rest = text.partition("=")
    name, _, settings = rest.partition(":")
    pairs = [pair.partition("=") for pair in settings.split(",") if pair.strip()]
    if not equals or not all(sign and value.strip() for _, sign, value in pairs):
        raise InputError(
            f"--control {text!r}: expected WEIGHT=CONTROLLER:FIELD=VALUE,FIELD=VALUE, as in kl=pi:target=18."
        )
    fields = {field.strip(): value.strip() for field, _, value in pairs}
    cls = _found(name.strip())
    moves = [names] if cls.together else names_of(names)
    return tuple(from_text(cls, fields | {"moves": each}) for each in moves)


def _found(name: str) -> type[Controller]:
    known = all_controllers()
    if name not in known:
        raise unknown_name("controller", name, known)
    return known[name]
