"""Controller: what moves the weights or the channel noise during training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from torch import Tensor

from prismae._discovery import kebab
from prismae._fields import check_fields

Values = dict[str, float | Tensor]
State = dict[str, Tensor]


class Controller(ABC):
    """Moves one of a run's values: a weight, by the name of its term, or "noise", the channel's deviation [m].

    One file in `prismae.control` (or an entry point of group ``prismae.controllers``) holds one controller; its name
    on the command line is the file's. A subclass is a frozen dataclass; its fields are its settings. It keeps
    nothing between steps itself: what it needs travels in a state of tensors, which checkpoints save. `step` must
    not wait for the device (no `.item()`).
    """

    moves: str

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def name(cls) -> str:
        """Name on the command line: the file's, in kebab-case."""
        return kebab(cls.__module__.rpartition(".")[2])

    def fields(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(cast(Any, self))

    def described(self) -> dict[str, Any]:
        """Name and settings as plain data: what `prismae.control.controller` makes the same controller of."""
        return {"controller": self.name(), **self.fields()}

    @abstractmethod
    def init(self, values: Mapping[str, float | Tensor]) -> State:
        """State before the first step, from the method's initial values.

        A state holds the value moved, under its name; so this is also the value at the first step.
        """

    @abstractmethod
    def step(self, state: State, means: Mapping[str, Tensor], t: int) -> tuple[Values, State]:
        """After autoencoder step t (from 0): the value it moves, for step t + 1, and its state.

        `means` holds every term and observation of that step, averaged over the batch.
        """
