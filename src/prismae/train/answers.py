"""What a method says and gives, looked at once: of itself before a training, and its terms at the first batch.

Training on terms of another shape would go on: the mean over a term [batch, m] is that of [batch] divided by m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from prismae.control import Controller, Trial
from prismae.control._base import State, Values
from prismae.errors import InputError
from prismae.methods import Method, Terms
from prismae.optimizer import Optimizer

PAIRS = ("any", "laplace", "next")
NOISE = "noise"  # the value that is the channel's, not a term's weight


def check_said(method: Method) -> None:
    """Refuse a method whose weights, names of terms, noise, controllers or optimiser are not what they should be.

    Raises
    ------
    InputError
        Naming all that is wrong.
    """
    weights = method.weights()
    if not isinstance(weights, Mapping) or not weights:
        raise InputError(
            f"{method.name()}: `weights` gives {weights!r:.60}, expected a dictionary of names and numbers."
        )
    faults = [
        f"the weight of {name!r} is {value!r:.60}, expected a finite number"
        for name, value in weights.items()
        if not _number(value)
    ]
    given = [*weights, *method.observations()]
    noise = method.noise()
    reserved = {"step", *([] if noise is None else [NOISE, "sigma"])}
    faults += [
        f"{name!r} cannot be the name of a term, since it names a value of the run"
        for name in given
        if name in reserved
    ]
    faults += [
        f"`observations` names {name!r}, which has a weight"
        for name in method.observations()
        if name in weights
    ]
    for field, names in (("reconstruction", (method.reconstruction,)), ("kl", method.kl)):
        faults += [
            f"`{field}` names {name!r}, which is none of {', '.join(given)}"
            for name in names
            if name not in given
        ]
    pairs, labelled = method.pairs(), method.labelled()
    if noise is not None and not (_number(noise) and noise >= 0):
        faults.append(f"`noise` gives {noise!r:.60}, expected a number that is 0 or more, or None")
    if not (pairs is None or pairs in PAIRS or (_whole(pairs) and int(pairs) > 0)):
        faults.append(
            f"`pairs` gives {pairs!r:.60}, expected a number of factors, {', '.join(PAIRS)} or None"
        )
    if not (_whole(labelled) and labelled >= 0):
        faults.append(f"`labelled` gives {labelled!r:.60}, expected a whole number")
    controllers = method.controllers()
    if not isinstance(controllers, Sequence) or not all(isinstance(each, Controller) for each in controllers):
        faults.append(f"`controllers` gives {controllers!r:.60} …, expected a tuple of controllers")
    for field in ("optimizer", "critic_optimizer"):
        if hasattr(method, field) and not isinstance(own := getattr(method, field)(), Optimizer):
            faults.append(f"`{field}` gives {own!r:.60}, expected a prismae.methods.Optimizer")
    if faults:
        raise InputError(f"{method.name()}: {'; '.join(faults)}.")


def check_terms(method: Method, terms: Any, n: int, m: int) -> None:
    """Refuse terms of a batch of n observations with m codes that are not those which the method names.

    Raises
    ------
    InputError
        Naming all that is wrong.
    """
    weights = method.weights()
    shapes = {name: {(), (n,)} for name in weights}
    shapes |= {name: {(), (m,)} for name in method.observations()}
    faults = _faults("terms", terms, shapes, n, m)
    if not faults and not any(terms[name].requires_grad for name in weights):
        faults = ["no term of `terms` has a gradient, so nothing can be learned"]
    if faults:
        raise InputError(f"{method.name()}: {'; '.join(faults)}.")


def check_critic_terms(method: Method, terms: Any, n: int, m: int) -> None:
    """The same of what a critic minimises, whose names are its own."""
    named = terms if isinstance(terms, Mapping) else {}
    faults = _faults("critic_terms", terms, {name: {(), (n,)} for name in named}, n, m)
    taken = [name for name in named if name in {*method.weights(), *method.observations(), "step", "sigma"}]
    faults += [f"`critic_terms` gives {name!r}, a name that `terms` or the history has too" for name in taken]
    if not faults and not any(value.requires_grad for value in named.values()):
        faults = ["no term of `critic_terms` has a gradient, so the critic cannot learn"]
    if faults:
        raise InputError(f"{method.name()}: {'; '.join(faults)}.")


def began(controller: Controller, start: Mapping[str, Any]) -> tuple[Values, State]:
    """The values that a controller begins with, as tensors, and its state.

    Raises
    ------
    InputError
        Where `init` gives anything else.
    """
    values, state = _moved("init", controller, controller.init(start), start)
    missing = [name for name in controller.moves if name not in values]
    if missing:
        raise InputError(
            f"{controller.name()}: `init` gives no value of {', '.join(missing)}, which it moves."
        )
    return values, state


def stepped(
    controller: Controller, state: State, means: Terms, t: int, trial: Trial, now: Mapping[str, Any]
) -> tuple[Values, State]:
    """The same of a step; `now` are the values until then."""
    return _moved("step", controller, controller.step(state, means, t, trial), now)


def _moved(what: str, controller: Controller, answer: Any, now: Mapping[str, Any]) -> tuple[Values, State]:
    """Values and state that a controller gives, each value a tensor of the shape that it has `now`."""
    label = f"{controller.name()}: `{what}` gives"
    whole = isinstance(answer, tuple | list) and len(answer) == 2
    if not whole or not all(isinstance(each, Mapping) for each in answer):
        raise InputError(f"{label} {answer!r:.80}, expected values and a state, two dictionaries.")
    values, state = answer
    faults = [
        f"a value of {name!r}, which it does not move" for name in values if name not in controller.moves
    ]
    faults += [
        f"{name!r} in its state as {type(value).__name__}, expected a tensor, which checkpoints save"
        for name, value in state.items()
        if not isinstance(value, Tensor)
    ]
    found: Values = {}
    for name, value in values.items() if not faults else ():
        before = torch.as_tensor(now[name])
        if not isinstance(value, Tensor | int | float):
            faults.append(f"{name!r} as {type(value).__name__}, expected a number or a tensor")
            continue
        tensor = value if isinstance(value, Tensor) else torch.tensor(float(value), device=before.device)
        if tensor.ndim > (name == NOISE):  # the noise is one number, or one for each code
            faults.append(
                f"{name!r} of shape {tuple(tensor.shape)}, expected {'(m,)' if name == NOISE else '()'}"
            )
        found[name] = tensor
    if faults:
        raise InputError(f"{label} {'; '.join(faults)}.")
    return found, state


def _faults(
    whose: str, terms: Any, expected: Mapping[str, set[tuple[int, ...]]], n: int, m: int
) -> list[str]:
    if not isinstance(terms, Mapping):
        return [f"`{whose}` gives {type(terms).__name__}, expected a dictionary of names and tensors"]
    if not terms:
        return [f"`{whose}` gives nothing"]
    missing = [name for name in expected if name not in terms]
    faults = [f"`{whose}` does not give {', '.join(map(repr, missing))}"] if missing else []
    for name, value in terms.items():
        if name not in expected:
            faults.append(f"`{whose}` gives {name!r}, which `weights` and `observations` do not name")
        elif not isinstance(value, Tensor):
            faults.append(f"the term {name!r} is {type(value).__name__}, expected a tensor")
        elif not value.is_floating_point():
            faults.append(f"the term {name!r} is {value.dtype}, expected floating-point numbers")
        elif tuple(value.shape) not in expected[name]:
            shapes = " or ".join(str(shape) for shape in sorted(expected[name]))
            faults.append(
                f"the term {name!r} has shape {tuple(value.shape)}, expected {shapes} for a batch of {n} observations "
                f"and {m} codes"
            )
    return faults


def _number(value: Any) -> bool:
    if isinstance(value, Tensor) and value.ndim:
        return False
    return isinstance(value, int | float | Tensor) and not isinstance(value, bool) and isfinite(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
