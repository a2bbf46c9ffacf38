"""What holds for every controller: what it keeps travels in its state, and it moves what it says and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pandas as pd
import torch
from torch import Tensor

from prismae.control import Controller, Outcome, all_controllers, as_controller
from prismae.control._base import Values
from prismae.estimator import Autoencoder, load
from prismae.methods import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.settings import Training
from prismae.testing._hold import Check, M, few_digits, hold, refused, run_checks, seeded
from prismae.train import Hook, Moment, Trained, train
from prismae.train.answers import began, stepped

START = 2.0  # of each weight
STEPS = 300


def check_controller(given: Controller | type[Controller]) -> None:
    """Check that a controller is one: what every controller of prismae is held to.

    It is a frozen dataclass, it begins with a value for each that it moves, `step` changes nothing that it is given
    and gives the same values for the same state, and a training that it moves goes on to the bit after a stop and is
    loaded with it.

    Parameters
    ----------
    given
        The controller; or its class, which is then made to move the noise, if it moves nothing else, or a weight "kl".

    Raises
    ------
    AssertionError
        A sentence that says what does not hold.
    """
    if isinstance(given, type):
        given = given(moves=("kl" if "weight" in given.kinds else "noise"))
    run_checks(controller_checks, given)


def controller_checks(controller: Controller) -> tuple[Check[Controller], ...]:
    """The checks for a controller: `check(controller)` each."""
    return (
        is_made_again_from_its_fields,
        it_begins_with_the_values_that_it_moves,
        a_step_changes_nothing_that_it_is_given,
        a_stopped_training_goes_on_to_the_bit,
        a_saved_model_is_loaded_with_it,
        a_weight_may_have_any_name,
    )


@dataclass(frozen=True)
class Weighed(Method):
    """Terms of any names, each the KL of a Gaussian posterior, and a channel whose noise can be moved.

    Terms  recon and the named ones: [batch], nats; entropy: [m], observed.
    """

    kl: ClassVar[tuple[str, ...]] = ("kl",)

    names: tuple[str, ...]
    channel: bool

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": START} | dict.fromkeys(self.names, START)

    def observations(self) -> tuple[str, ...]:
        return ("entropy",)

    def noise(self) -> float | None:
        return START if self.channel else None

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        kl, z = q.kl_to_standard().sum(1), q.rsample()
        if self.channel:
            z = z + ctx.noise * torch.randn_like(z)
        return dict.fromkeys(self.weights(), kl) | {"entropy": q.log_var.mean(0), "recon": ae.nll(x, z)}


class Still:
    """A trial for a step by itself: every copy is as the run is."""

    seed = 0

    def __init__(self, terms: Mapping[str, Tensor]) -> None:
        self.terms = dict(terms)

    def __call__(self, values: Values, steps: int) -> Outcome:
        return Outcome(self.terms, nll=6.0, kl=3.0, adopt=lambda: None)

    def note(self, values: Mapping[str, float]) -> None:
        """Nothing is written down."""


def _noisy(controller: Controller) -> bool:
    """Whether it moves the noise of a channel; else it moves weights."""
    return "weight" not in controller.kinds


def _start(controller: Controller) -> dict[str, float | Tensor]:
    return {name: torch.full((M,), START) if _noisy(controller) else START for name in controller.moves}


def _means(controller: Controller, t: int) -> dict[str, Tensor]:
    terms = {name: torch.tensor(6.0 - 0.1 * (t % 50)) for name in ("recon", "kl", *controller.moves)}
    return terms | {"entropy": torch.linspace(-1, 1, M)}


def _method(controller: Controller) -> Weighed:
    noisy = _noisy(controller)
    return Weighed(() if noisy else tuple(controller.moves), noisy)


def _trained(controller: Controller, **options: Any) -> Trained:
    settings = Training(n_latents=M, net="mlp:width=8", steps=6, batch=16, controls=(controller,))
    return train(_method(controller), few_digits(), settings, device="cpu", **options)


def is_made_again_from_its_fields(controller: Controller) -> None:
    """A controller is a frozen dataclass: its fields are all there is of it."""
    again = type(controller)(**controller.fields())
    hold(again == controller, f"A controller of the same fields is not equal: {again} and {controller}.")
    if all_controllers().get(controller.name()) is type(controller):
        again = as_controller(controller.described())
        hold(again == controller, f"Made from its description it is {again}, expected {controller}.")
    with refused(FrozenInstanceError, "The dataclass should be frozen: @dataclass(frozen=True)."):
        controller.nonsense = 1  # type: ignore[attr-defined]


def it_begins_with_the_values_that_it_moves(controller: Controller) -> None:
    """`init` gives a finite value for each that it moves, of the shape that this has, and a state of tensors."""
    start = _start(controller)
    began(controller, start)
    values, state = controller.init(start)
    hold(
        set(values) == set(start),
        f"`init` gives values for {', '.join(values)}, expected {', '.join(controller.moves)}, which it moves.",
    )
    for name, value in start.items():
        first, shape = torch.as_tensor(values[name]), torch.as_tensor(value).shape
        hold(
            first.shape == shape and first.isfinite().all(),
            f"{name!r} begins as {first}, expected a finite tensor of shape {tuple(shape)}.",
        )
    strange = sorted(name for name, value in state.items() if not isinstance(value, Tensor))
    hold(not strange, f"A state holds tensors, which checkpoints save; not so {', '.join(strange)}.")


def _course(controller: Controller) -> list[Tensor]:
    """Every value that it gives the first value that it moves, over some steps."""
    values, state = controller.init(_start(controller))
    found = [torch.as_tensor(values[controller.moves[0]])]
    for t in range(STEPS):
        means = _means(controller, t)
        moved, state = controller.step(state, means, t, Still(means))
        found += [torch.as_tensor(moved[name]) for name in controller.moves[:1] if name in moved]
    return found


@seeded
def a_weight_may_have_any_name(controller: Controller) -> None:
    """A term that is called as something in the controller's state is moved as any other."""
    _, state = controller.init(_start(controller))
    expected = _course(controller)
    for name in state:
        renamed: Any = controller
        course = _course(replace(renamed, moves=(name, *controller.moves[1:])))
        same = len(course) == len(expected) and all(map(torch.equal, course, expected))
        hold(same, f"A value that is called {name!r}, as something in its state, is moved otherwise.")


@seeded
def a_step_changes_nothing_that_it_is_given(controller: Controller) -> None:
    """`step` leaves its state as it was, gives the same again, only what it moves, and a state of the same names."""
    _, state = controller.init(_start(controller))
    for t in range(STEPS):
        means = _means(controller, t)
        kept = {name: value.clone() for name, value in state.items()}
        values, after = stepped(controller, state, means, t, Still(means), _start(controller))
        changed = sorted(name for name, value in kept.items() if not torch.equal(value, state[name]))
        hold(not changed, f"The step changes the state that it is given: {', '.join(changed)}.")
        again, _ = controller.step(state, means, t, Still(means))
        same = values.keys() == again.keys() and all(
            torch.equal(torch.as_tensor(value), torch.as_tensor(again[name]))
            for name, value in values.items()
        )
        hold(same, f"The same step from the same state gives {values}, then {again}.")
        infinite = sorted(
            name for name, value in values.items() if not torch.as_tensor(value).isfinite().all()
        )
        hold(not infinite, f"At step {t} it gives NaN or infinity for {', '.join(infinite)}.")
        hold(
            after.keys() == state.keys(),
            f"The state has the names {sorted(state)} before a step and {sorted(after)} after it.",
        )
        state = after


class _Stop(Exception):
    """Stops a training in the middle."""


def _stop(now: Moment) -> None:
    raise _Stop


def a_stopped_training_goes_on_to_the_bit(controller: Controller) -> None:
    """A training that is stopped after a checkpoint and goes on from it has the history of one never stopped."""
    with TemporaryDirectory() as folder:
        kept: dict[str, Any] = {"checkpoint": Path(folder) / "state.safetensors", "checkpoint_every": 3}
        with refused(_Stop, "A training does not call its hooks."):
            _trained(controller, hooks=[Hook(on_step=_stop, at=[5])], **kept)
        whole, resumed = _trained(controller), _trained(controller, **kept)
    try:
        pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)
    except AssertionError as error:
        raise AssertionError(
            f"A training that was stopped and went on differs from one that was not: does the controller keep "
            f"something beside its state? {error}"
        ) from None


def a_saved_model_is_loaded_with_it(controller: Controller) -> None:
    """A saved model remembers its controllers, and is loaded with the class where it is not found by its name."""
    method = _method(controller)
    settings: dict[str, Any] = {"net": "mlp:width=8", "steps": 2, "batch": 16, "device": "cpu"}
    model = Autoencoder(method, M, controllers=(controller,), **settings).fit(few_digits())
    given = [] if all_controllers().get(controller.name()) is type(controller) else [type(controller)]
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / "run")
        again = load(Path(folder) / "run", method=method, controllers=given)
    hold(
        again.controllers == (controller,), f"It is loaded as {again.controllers}, expected {(controller,)}."
    )
