"""Controller: what moves the weights or the channel noise during training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, cast

from torch import Tensor

from prismae._discovery import entry_name, kebab
from prismae.fields import check_fields

Values = dict[str, float | Tensor]
State = dict[str, Tensor]
GROUP = "prismae.controllers"  # of entry points


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Parameters
    ----------
    terms
        Every term and observation of the copy on the held-out batch, averaged over it.
    adopt
        Makes the run go on with the copy's weights.
    """

    terms: dict[str, Tensor]
    adopt: Callable[[], None]


class Trial(Protocol):
    """What a run lends a controller that compares values before it chooses: training on throw-away copies."""

    @property
    def seed(self) -> int:
        """The run's seed, for the controller's own random numbers."""

    def __call__(self, values: Values, steps: int) -> Outcome:
        """Train a copy of the players from where they stand for `steps` steps on `values`, and measure it.

        All trials after one step of the run see the same batches, the same random numbers and the same held-out
        batch; the run itself goes on as if there had been none, until an outcome is adopted.
        """

    def note(self, values: Mapping[str, float]) -> None:
        """Put values into the history's row of this step; their names have a colon, as in ``evolve:target``."""


class Controller(ABC):
    """Moves one of a run's values: a weight, by the name of its term, or "noise", the channel's deviation [m].

    One file in `prismae.control` (or an entry point of group ``prismae.controllers``) holds one controller; its name
    on the command line is the class's in kebab-case, or the entry point's. A subclass is a frozen dataclass; its
    fields are its settings. It keeps nothing between steps itself: what it needs travels in a state of tensors, which
    checkpoints save. `step` must not wait for the device (no `.item()`), unless it makes a trial.
    """

    together: ClassVar[bool] = (
        False  # whether `moves` may name several weights, with commas, for one controller
    )
    moves: str

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def name(cls) -> str:
        """Name on the command line: the entry point's that declares the class, else the class's in kebab-case."""
        return entry_name(cls, GROUP) or kebab(cls.__name__)

    @property
    def moved(self) -> tuple[str, ...]:
        """The names of the values that it moves."""
        return tuple(name.strip() for name in self.moves.split(",")) if self.together else (self.moves,)

    def fields(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(cast(Any, self))

    def described(self) -> dict[str, Any]:
        """Name and settings as plain data: what `prismae.control.controller` makes the same controller of."""
        return {"controller": self.name(), **self.fields()}

    @abstractmethod
    def init(self, values: Mapping[str, float | Tensor]) -> State:
        """State before the first step, from the method's initial values.

        A state holds each value moved, under its name; so this is also the value at the first step.
        """

    @abstractmethod
    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        """After autoencoder step t (from 0): the values it moves, for step t + 1, and its state.

        `means` holds every term and observation of that step, averaged over the batch; `trial` trains copies.
        """
