"""Whether a method and the controllers that are attached to it go together, asked before the training starts."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from prismae.control import Controller, all_controllers
from prismae.errors import InputError, unknown_name
from prismae.methods import Method, all_methods
from prismae.methods import method as as_method
from prismae.nets import Likelihood
from prismae.nets.likelihood import all_likelihoods
from prismae.nets.likelihood import likelihood as as_likelihood
from prismae.train.answers import NOISE, began, check_said

KINDS = {"weight": "the weights of terms", "noise": "the noise of a channel"}


def attached(method: Method, controllers: Sequence[Controller]) -> tuple[Controller, ...]:
    """The method's own controllers, then those that are given, which replace the own that give way."""
    replaced = {name for each in controllers for name in each.moves if name in method.gives_way}
    return (*(own for own in method.controllers() if replaced.isdisjoint(own.moves)), *controllers)


def check_controllers(
    method: Method, controllers: Sequence[Controller], likelihood: str | Likelihood = "auto"
) -> None:
    """Refuse what a method and its controllers, its own among them, cannot do together.

    Raises
    ------
    InputError
        Where a controller moves what the method does not have, or the same value as another; where two make trials;
        where one cannot move a value of that kind, reads what the method does not give, or needs an ELBO in nats and
        the method declares none or the likelihood is none; and for a method that says of itself what cannot be.
    """
    check_said(method)
    weights, noise, label = method.weights(), method.noise(), method.called()
    values = [*weights, *([] if noise is None else [NOISE])]
    every = attached(method, controllers)
    moved = [name for controller in every for name in controller.moves]
    for place, name in enumerate(moved):
        if name not in values:
            raise unknown_name(f"weight of {label}", name, values)
        if name in moved[:place]:
            raise InputError(f"Two controllers move the {name!r} of {label}: expected at most one.")
    together = [",".join(controller.moves) for controller in every if controller.together]
    if len(together) > 1:
        raise InputError(
            f"The weights {' and '.join(together)} of {label} are moved by two controllers that make trials: "
            f"expected one for all of them, as in {','.join(together)}=evolve."
        )
    start = {**weights} | ({} if noise is None else {NOISE: torch.full((1,), noise)})
    for each in every:
        why = _kinds(each, noise is not None) or _reads(each, method) or _elbo(each, method, likelihood)
        if why:
            raise InputError(
                f"{each.name()} cannot move {', '.join(map(repr, each.moves))} of {label}: {why}."
            )
        began(each, start)  # which refuses values that it cannot start from


def _kinds(controller: Controller, channel: bool) -> str:
    for name in controller.moves:
        kind = "noise" if channel and name == NOISE else "weight"
        if kind not in controller.kinds:
            fit = [other for other, cls in all_controllers().items() if kind in cls.kinds]
            able = " and ".join(KINDS[each] for each in controller.kinds)
            return f"it moves {able} only; {name!r} can be moved by {_listed(fit)}"
    return ""


def _reads(controller: Controller, method: Method) -> str:
    given = _given(method)
    missing = [name for name in controller.reads if name not in given]
    if not missing:
        return ""
    fit = [name for name in all_methods() if {*controller.reads} <= {*_given(as_method(name))}]
    hint = f"with their defaults {_listed(fit)} give it" if fit else "no method that is installed gives it"
    return f"it reads {_listed(missing)}, and with these settings {method.called()} has only {_listed(given)}; {hint}"


def _elbo(controller: Controller, method: Method, likelihood: str | Likelihood) -> str:
    if not controller.needs_elbo:
        return ""
    if not {method.reconstruction, *method.kl} <= {*_given(method)} or not method.kl:
        fit = [name for name in all_methods() if as_method(name).kl]
        return f"it compares ELBOs and KLs, and this method declares no KL to a prior; those that do are {_listed(fit)}"
    chosen = method.likelihood if likelihood == "auto" else likelihood
    if chosen != "auto" and not as_likelihood(chosen).nats:
        fit = [name for name, cls in all_likelihoods().items() if cls.nats]
        label = as_likelihood(chosen).name()
        return f"it compares ELBOs in nats, and the likelihood {label!r} is not in nats; those that are: {_listed(fit)}"
    return ""


def _given(method: Method) -> list[str]:
    return [*method.weights(), *method.observations()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
