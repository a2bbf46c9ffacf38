"""How the weights of a player follow their gradient: what `prismae.methods.Optimizer` says, done by PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import torch
from torch import nn

from prismae.methods import Group, Optimizer


def adam(module: nn.Module, settings: Optimizer, lr: float) -> torch.optim.Adam:
    """A new optimiser of all parameters of `module`: the rest of them first, then group by group."""
    named: dict[Group, list[nn.Parameter]] = {group: [] for group in _all(settings)}
    for name, parameter in module.named_parameters():
        own = (group for group in settings.groups if any(part in name for part in group.names))
        named[next(own, _REST)].append(parameter)
    parts = [
        {"params": parameters, "lr": lr * group.rate, "weight_decay": _decay(group, settings)}
        for group, parameters in named.items()
    ]
    return torch.optim.Adam(
        parts,
        lr=lr,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        decoupled_weight_decay=settings.decoupled,
        fused=True,
    )


def follow(
    optimizer: torch.optim.Optimizer, settings: Optimizer, lr: float, step: int, elements: int = 1
) -> None:
    """One step along the gradients that are there, which are then gone.

    Parameters
    ----------
    lr
        The learning rate where the schedule is 1.
    step
        Step of this player, counted from 0.
    elements
        Elements of an observation, which `Optimizer.max_element` is per.
    """
    if settings.max_norm < inf:
        every = [parameter for part in optimizer.param_groups for parameter in part["params"]]
        nn.utils.clip_grad_norm_(every, settings.max_norm)
    for group, part in zip(_all(settings), optimizer.param_groups, strict=True):
        most = settings.max_element if group.max_element is None else group.max_element
        if most < inf:
            nn.utils.clip_grad_value_(part["params"], most * elements)
        if settings.schedule is not None:
            part["lr"] = lr * group.rate * settings.schedule(step)
    with torch._C.DisableTorchFunction():  # draws nothing: `Draws` need not look at each of its hundred calls
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


_REST = Group(names=())


def _all(settings: Optimizer) -> Iterator[Group]:
    yield _REST
    yield from settings.groups


def _decay(group: Group, settings: Optimizer) -> float:
    return settings.weight_decay if group.weight_decay is None else group.weight_decay
