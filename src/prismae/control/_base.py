"""Controller: what moves the weights or the channel noise during training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Protocol, cast

from pydantic import PlainValidator
from torch import Tensor

from prismae._discovery import entry_name, kebab
from prismae.errors import InputError
from prismae.fields import Settings

Values = dict[str, float | Tensor]
State = dict[str, Tensor]
GROUP = "prismae.controllers"  # of entry points


def names_of(text: str | Sequence[str]) -> tuple[str, ...]:
    """Names of values as a tuple; a text has commas between them: ``"mi, tc"``."""
    return tuple(name.strip() for name in (text.split(",") if isinstance(text, str) else text))


Moves = Annotated[Sequence[str], PlainValidator(names_of)]  # given as a text or a sequence, kept as a tuple


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Parameters
    ----------
    terms
        Every term and observation of the copy on the held-out batch, averaged over it.
    nll, kl
        The reconstruction's term, and KL(q(z|x) || p(z)), as the method declares them; NaN where it declares none. In
        nats where the controller `needs_elbo`, for then other methods and likelihoods are refused.
    adopt
        Makes the run go on with the copy's weights.
    """

    terms: dict[str, Tensor]
    nll: float
    kl: float
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


class Controller(Settings, ABC):
    """Moves one of a run's values: a weight, by the name of its term, or "noise", the channel's deviation [m].

    One file in `prismae.control` (or an entry point of group ``prismae.controllers``) holds one controller; its name
    on the command line is the class's in kebab-case, or the entry point's. A subclass is a frozen dataclass; its
    fields are its settings, one of them ``moves: Moves``. It keeps nothing between steps itself: what it needs travels
    in a state of tensors, which checkpoints save. `step` must not wait for the device (no `.item()`), unless it makes
    a trial.

    What it declares here is compared with the method before the training starts.
    """

    together: ClassVar[bool] = False  # whether one controller may move several values
    kinds: ClassVar[tuple[str, ...]] = ("weight", "noise")  # what it can move
    reads: ClassVar[
        tuple[str, ...]
    ] = ()  # terms or observations that it looks up, beside those that it moves
    needs_elbo: ClassVar[bool] = False  # whether it reads `nll` and `kl` of a trial's outcome, in nats
    moves: Moves

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.together and len(self.moves) != 1:
            raise InputError(
                f"{self.name()}: a controller of this kind moves one value, got {', '.join(self.moves)}: "
                "attach one for each."
            )

    @classmethod
    def name(cls) -> str:
        """Name on the command line: the entry point's that declares the class, else the class's in kebab-case."""
        return entry_name(cls, GROUP) or kebab(cls.__name__)

    def fields(self) -> dict[str, Any]:
        """The settings as plain data; what it moves is a text with commas."""
        return asdict(cast(Any, self)) | {"moves": ",".join(self.moves)}

    def described(self) -> dict[str, Any]:
        """Name and settings as plain data: what `prismae.control.controller` makes the same controller of."""
        return {"controller": self.name(), **self.fields()}

    @abstractmethod
    def init(self, values: Mapping[str, float | Tensor]) -> tuple[Values, State]:
        """The values that it moves at the first step, and its state, from the method's initial values.

        The keys of a state are the controller's own: no name of a term is among them.
        """

    @abstractmethod
    def step(self, state: State, means: Mapping[str, Tensor], t: int, trial: Trial) -> tuple[Values, State]:
        """After autoencoder step t (from 0): the values it moves, for step t + 1, and its state.

        `means` holds every term and observation of that step, averaged over the batch; `trial` trains copies.
        """
