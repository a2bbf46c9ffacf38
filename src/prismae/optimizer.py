"""Optimizer: how the weights of a player follow their gradient, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from prismae.errors import InputError
from prismae.fields import BelowOne, NonNegative, Positive, check_fields

Schedule = Callable[[int], float]  # of the step: how many times the learning rate


@dataclass(frozen=True, kw_only=True)
class Group:
    """Weights that are treated otherwise than the rest.

    Parameters
    ----------
    names
        Parts of the names of its parameters: ("bias", "codebook") are all that have one of these in their name.
    rate
        How many times the optimiser's learning rate theirs is.
    weight_decay, max_element
        Theirs, as in `Optimizer`; None: the optimiser's.
    """

    names: tuple[str, ...]
    rate: Positive = 1.0
    weight_decay: NonNegative | None = None
    max_element: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """Adam or AdamW with its settings, clipping, groups and schedule.

    Parameters
    ----------
    lr
        Learning rate, where a training does not give another.
    betas, eps
        Adam's.
    weight_decay
        Decay of the weights that are in no group with one of its own.
    decoupled
        Whether weights decay beside the step, by lr times `weight_decay` (AdamW), or through their gradient (Adam).
    max_norm
        Norm to which the gradient of all weights together is clipped.
    max_element
        Size to which each element of the gradient is clipped, of an autoencoder for the loss *per element of an
        observation*: it is multiplied by how many there are, so that it means the same for sums as for means over them.
    groups
        Weights that are treated otherwise; a parameter belongs to the first that names it.
    schedule
        What the learning rate is multiplied with at each step, counted from 0; a function of the step alone.
    """

    lr: Positive = 1e-4
    betas: tuple[BelowOne, BelowOne] = (0.9, 0.999)
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0
    decoupled: bool = False
    max_norm: float = inf
    max_element: float = inf
    groups: tuple[Group, ...] = ()
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        limits = (self.max_norm, self.max_element, *(group.max_element for group in self.groups))
        if any(limit is not None and not limit > 0 for limit in limits):
            raise InputError(
                "optimizer: gradients should be clipped to more than 0, or to infinity for not at all."
            )
