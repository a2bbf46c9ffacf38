"""Net: an architecture and its settings, from which the encoder and decoder for a kind of observations follow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from prismae._discovery import entry_name, kebab
from prismae.errors import InputError
from prismae.fields import Settings
from prismae.settings import plain

Elements = Literal["numbers", "words"]
Pair = tuple[nn.Module, nn.Module]
Architecture = Callable[[tuple[int, ...], int, int], Pair]


class Net(Settings, ABC):
    """A frozen dataclass whose fields are the settings of an architecture, such as its width.

    One file in `prismae.nets` (or an entry point of group ``prismae.nets``) holds one network; its name on the
    command line is the class's, ``MLP`` → ``mlp``. Fields are annotated with their range (see `prismae.fields`).
    """

    elements: ClassVar[Elements] = "numbers"  # what observations are made of; "words": they are sentences

    @classmethod
    def name(cls) -> str:
        """Name on the command line."""
        return entry_name(cls, "prismae.nets") or kebab(cls.__name__)

    @abstractmethod
    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        """New encoder [batch, *shape] → [batch, n_outputs] and decoder [batch, n_latents] → [batch, *shape].

        Weights come from torch's current generator. For texts `shape` is that of a sentence written one-hot,
        (longest, words).

        Raises
        ------
        InputError
            For a shape that the network is not for.
        """

    def described(self) -> str:
        """Name and the settings that differ from their defaults, as `prismae.nets.net` reads it: ``mlp:width=256``."""
        own = [
            f"{kebab(field.name)}={getattr(self, field.name)}"
            for field in fields(cast(Any, self))
            if field.default is MISSING or getattr(self, field.name) != field.default
        ]
        return self.name() + (f":{','.join(own)}" if own else "")


def checked(net: Net, pair: Any, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
    """What a network of the user's has built, if it maps observations to outputs and codes back to them.

    Raises
    ------
    InputError
        For anything else: a decoder that makes one number an observation would be trained, spread over all of it.
    """
    said = " ".join(repr(pair).split())
    if not (
        isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(p, nn.Module) for p in pair)
    ):
        raise InputError(
            f"Network {net.described()!r} gave {said:.200}, expected two torch modules (encoder, decoder)."
        )
    faults = []
    for what, module, taken, given in zip(
        ("encoder", "decoder"), pair, (shape, (n_latents,)), ((n_outputs,), shape), strict=True
    ):
        try:
            with torch.no_grad():
                made = module.eval()(torch.zeros(2, *taken))
            found = str(tuple(made.shape)) if isinstance(made, Tensor) else type(made).__name__
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            found = f"an error ({str(error).partition(chr(10))[0]})"
        module.train()
        if found != str((2, *given)):
            faults.append(
                f"of an input of shape {(2, *taken)} its {what} makes {found}, expected {(2, *given)}"
            )
    if faults:
        raise InputError(f"Network {net.described()!r}: {'; '.join(faults)}.")
    return pair[0], pair[1]


@dataclass(frozen=True)
class FunctionNet(Net):
    """A function (shape, n_outputs, n_latents) → (encoder, decoder) of the user's as a network.

    Such a function cannot be written down, so a saved run remembers its name only, and is loaded with the function.
    """

    function: Architecture

    def __post_init__(self) -> None:
        """Nothing is checked: a function is not a setting."""

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> Pair:
        return checked(self, self.function(shape, n_outputs, n_latents), shape, n_outputs, n_latents)

    def described(self) -> str:
        return plain(self.function)
