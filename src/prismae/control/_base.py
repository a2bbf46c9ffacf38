"""Controller: what moves the weights or the channel noise during training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor

from prismae._fields import check_fields

Values = dict[str, float | Tensor]
State = dict[str, Tensor]


class Controller(ABC):
    """Moves some of a run's values: weights by the name of their term, and "noise", the channel's deviation [m].

    A subclass is a frozen dataclass; its fields are its settings. It keeps nothing between steps itself: what it
    needs travels in a state of tensors, which checkpoints save. `step` must not wait for the device (no `.item()`).
    """

    def __post_init__(self) -> None:
        check_fields(self)

    @abstractmethod
    def init(self, values: Mapping[str, float | Tensor]) -> State:
        """State before the first step, from the method's initial values."""

    @abstractmethod
    def step(self, state: State, means: Mapping[str, Tensor], t: int) -> tuple[Values, State]:
        """After autoencoder step t (from 0): the values it moves, and its state.

        `means` holds every term and observation of that step, averaged over the batch.
        """
