"""What every controller that is found must hold; a new file in prismae.control is tested by this alone."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from prismae.control import Controller, Moves, Outcome, all_controllers, controller
from prismae.errors import InputError
from prismae.estimator import Autoencoder
from prismae.testing import check_controller, controller_checks

CONTROLLERS = sorted(all_controllers())
EVERY, STEPS = 12, 40
QUICK = {  # settings in which 40 steps show all that a controller does
    "ramp": {"steps": 15, "delay": 3},
    "cyclical": {"period": 9, "cycles": 2},
    "pi": {"target": 3.0, "ki": 0.05, "low": 0.1, "target_start": 1.0, "target_every": 5},
    "incremental-pi": {"target": 3.0, "target_start": 1.0, "target_every": 5, "target_ramp": 2},
    "evolve": {"every": EVERY, "population": 3, "trial_steps": 1, "rate": 2.0},
}
KEYS = {
    "step",
    "rate",
    "end",
    "integral",
    "noise",
    "generation",
    "genes",
    "weights",
    "weight",
    "sigma",
    "seen",
}


def start(name, term):
    made = controller(name, moves=term, **QUICK.get(name, {}))
    weight = torch.tensor([0.3, 0.4]) if made.kinds == ("noise",) else 2.0
    return made, *made.init({term: weight})


def course(name, term):
    """Every value that the moved value takes, with trials and terms that follow from the value in force."""
    made, values, state = start(name, term)
    found = [values[term]]

    class MadeUp:
        seed = 3

        def __call__(self, tried, steps):
            weight = float(tried.get(term, values[term]))
            return Outcome({}, nll=abs(float(np.log(weight))), kl=8 / weight, adopt=lambda: None)

        def note(self, values):
            assert all(":" in key for key in values)

    for t in range(STEPS):
        means = {term: torch.as_tensor(6.0 - 0.1 * t), "entropy": torch.tensor([0.1 * t, 1.0])}
        moved, state = made.step(state, means, t, MadeUp())
        assert set(moved) <= {term}
        values = values | moved
        found.append(values[term])
    return torch.stack([torch.as_tensor(value) for value in found])


def quick(name):
    moves = "kl" if "weight" in all_controllers()[name].kinds else "noise"
    return controller(name, **{"moves": moves, **QUICK.get(name, {})})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name in CONTROLLERS for check in controller_checks(quick(name))],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_every_controller(name, check):
    check(quick(name))


@pytest.mark.parametrize("name", CONTROLLERS)
def test_the_name_of_a_term_changes_nothing(name):
    expected = course(name, "kl")
    assert len(expected.unique(dim=0)) > 1
    for term in KEYS | set(start(name, "kl")[2]):
        assert torch.equal(course(name, term), expected), term


@pytest.mark.parametrize("name", CONTROLLERS)
def test_plain_data_make_the_same_controller_again(name):
    made, values, _ = start(name, "kl")
    assert set(values) == {"kl"}
    data = made.described()
    assert data["moves"] == "kl"
    assert controller(**data) == made


@pytest.mark.parametrize("name", CONTROLLERS)
def test_several_values_are_one_controller_s_only_where_it_says_so(name):
    if all_controllers()[name].together:
        assert controller(name, moves="a, b").moves == ("a", "b")
    else:
        with pytest.raises(InputError, match=f"{name}: .* moves one value, got a, b"):
            controller(name, moves="a, b")


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        (
            "entropy-noise",
            {"sigma_min": 0.5, "sigma_max": 0.2},
            "sigma_min should be at most sigma_max, got 0.5 > 0.2",
        ),
        ("pi", {"moves": "kl", "low": 2.0, "high": 1.0}, "low should be at most high, got 2 > 1"),
        (
            "pi",
            {"moves": "kl", "target": 1.0, "target_start": 2.0},
            "target_start should be at most target, got 2 > 1",
        ),
        (
            "incremental-pi",
            {"moves": "kl", "target": 1.0, "target_start": 2.0},
            "target_start should be at most",
        ),
        (
            "incremental-pi",
            {"moves": "kl", "target_start": 0.5, "target_every": 5, "target_ramp": 6},
            "target_ramp should be at most target_every, got 6 > 5",
        ),
        ("ramp", {"moves": "kl", "steps": 0}, "steps should be greater than or equal to 1"),
        ("ramp", {"moves": "kl", "end": float("inf")}, "end should be a finite number"),
        ("cyclical", {"moves": "kl", "ramp": 1.5}, "ramp should be less than or equal to 1"),
        ("cyclical", {"moves": "kl", "ramp": float("nan")}, "ramp should be"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(name, fields, message):
    with pytest.raises(InputError, match=f"{name}: {message}"):
        controller(name, **fields)


FIRST = lambda self, values: ({"kl": 2.0}, {"kept": torch.tensor(1.0)})  # noqa: E731


@pytest.mark.parametrize(
    ("init", "step", "said"),
    [
        (
            lambda self, values: None,
            None,
            "odd: `init` gives None, expected values and a state, two dictionaries",
        ),
        (lambda self, values: ({}, {}), None, "odd: `init` gives no value of kl, which it moves"),
        (lambda self, values: ({"kl": 1.0}, {"t": 1}), None, "odd: `init` gives 't' in its state as int"),
        (FIRST, lambda *given: None, "odd: `step` gives None, expected values and a state"),
        (
            FIRST,
            lambda self, state, *more: ({"recon": 1.0}, state),
            "gives a value of 'recon', which it does not move",
        ),
        (
            FIRST,
            lambda self, state, *more: ({"kl": torch.ones(3)}, state),
            "gives 'kl' of shape (3,), expected ()",
        ),
        (
            FIRST,
            lambda self, state, *more: ({"kl": "2"}, state),
            "gives 'kl' as str, expected a number or a tensor",
        ),
    ],
)
def test_what_a_controller_cannot_give_is_one_sentence(init, step, said):
    names = {"init": init, "step": step, "__annotations__": {"moves": Moves}}
    odd = dataclass(frozen=True)(type("Odd", (Controller,), names))
    with pytest.raises(InputError, match=re.escape(said)):
        fit(odd("kl"))
    with pytest.raises(AssertionError):
        check_controller(odd)


def test_a_controller_may_give_numbers():
    step = lambda self, state, means, t, trial: ({"kl": 2.0 + t}, state)  # noqa: E731
    names = {"init": FIRST, "step": step, "__annotations__": {"moves": Moves}}
    counts = dataclass(frozen=True)(type("Counts", (Controller,), names))
    assert fit(counts("kl")).history_["weight:kl"].tolist() == [2.0, 2.0, 3.0]


def fit(controller):
    x = np.random.default_rng(0).normal(size=(16, 4))
    model = Autoencoder(
        "vae", 2, net="mlp:width=8", steps=3, batch=8, controllers=(controller,), device="cpu"
    )
    return model.fit(x)
