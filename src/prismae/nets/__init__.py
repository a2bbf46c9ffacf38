"""Networks: one file each, found by scanning this folder and other packages' entry points; and what they feed."""

from __future__ import annotations

from typing import Any, cast

from prismae._discovery import subclasses
from prismae.errors import InputError, unknown_name
from prismae.fields import from_text
from prismae.nets._base import Architecture, Elements, FunctionNet, Net
from prismae.nets.likelihood import Likelihood, all_likelihoods, likelihood

__all__ = [
    "Architecture",
    "Elements",
    "Likelihood",
    "Net",
    "all_likelihoods",
    "all_nets",
    "likelihood",
    "net",
]


def all_nets() -> dict[str, type[Net]]:
    """Every network by its command-line name: those of this folder, then those of other packages."""
    return subclasses(__name__, cast(Any, Net), "prismae.nets")


def net(given: str | Net | Architecture) -> Net:
    """The network that is meant.

    Parameters
    ----------
    given
        A network; or the name of one, with the settings that differ from its defaults as the command line writes
        them, ``lstm:width=128,word-dropout=0.3``; or a function (shape, n_outputs, n_latents) → (encoder, decoder).

    Raises
    ------
    InputError
        For an unknown name or setting, a setting out of its range, and anything else.
    """
    if isinstance(given, Net):
        return given
    if isinstance(given, str):
        name, _, settings = given.partition(":")
        if name == "function":
            raise InputError(
                f"The network {given!r} is a function of the user's, which cannot be found by its name: "
                "give the function itself."
            )
        known = all_nets()
        if name not in known:
            raise unknown_name("network", name, [*known, "auto"])
        pairs = [pair.partition("=") for pair in settings.split(",") if pair.strip()]
        return from_text(
            known[name], {key.strip().replace("-", "_"): value.strip() for key, _, value in pairs}
        )
    if callable(given) and not isinstance(given, type):
        return FunctionNet(given)
    raise InputError(
        f"A network should be a name ({', '.join(all_nets())} or auto), a prismae.nets.Net, or a function "
        f"(shape, n_outputs, n_latents) -> (encoder, decoder), got {given!r}."
    )
