"""What holds for every world: observations that can be trained on, and factors that belong to them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getdoc

import numpy as np
import torch

from prismae.data import World, world, world_descriptions
from prismae.data.storage import spaced
from prismae.estimator import Autoencoder
from prismae.testing._hold import Check, hold, run_checks

LOOKED_AT = 64  # observations, evenly spaced


def check_world(given: str | World | Callable[[], World]) -> None:
    """Check that a world is one: what every world of prismae is held to.

    Observations are finite and of the shape that the world says, factors belong to them, a world that is loaded twice
    is the same, and a model trains on it.

    Parameters
    ----------
    given
        A name, a world, or the function `load` that makes it.

    Raises
    ------
    AssertionError
        A sentence that says what does not hold.
    """
    if not isinstance(given, World):
        _a_line_describes_it(given)
        first, again = (world(given) if isinstance(given, str) else given() for _ in range(2))
        hold(isinstance(first, World), f"It loads {type(first).__name__}, expected a prismae.World.")
        _it_is_the_same_when_loaded_again(first, again)
        given = first
    run_checks(world_checks, given)


def world_checks(given: World) -> tuple[Check[World], ...]:
    """The checks for a world that is loaded: `check(world)` each."""
    checks: tuple[Check[World], ...] = (
        observations_are_finite_and_of_the_world_s_shape,
        observations_vary_within_the_summary,
        a_model_trains_on_it,
    )
    return checks if given.factors is None else (*checks, factors_belong_to_the_observations)


def _some(given: World) -> torch.Tensor:
    return given.data[spaced(len(given), LOOKED_AT)]


def _a_line_describes_it(given: str | Callable[[], World]) -> None:
    line = world_descriptions()[given] if isinstance(given, str) else (getdoc(given) or "").partition("\n")[0]
    hold(
        20 < len(line) < 120,
        f"The loader's docstring should begin with one line of 20 to 120 letters, got {line!r}.",
    )


def _it_is_the_same_when_loaded_again(first: World, again: World) -> None:
    hold(torch.equal(_some(first), _some(again)), "Loaded twice, the world has other observations.")
    same = (first.factors is None) == (again.factors is None)
    if first.factors is not None and again.factors is not None:
        same = np.array_equal(first.factors, again.factors)
    hold(same, "Loaded twice, the world has other factors.")


def observations_are_finite_and_of_the_world_s_shape(given: World) -> None:
    """Rows by their numbers are float32 [n, *shape], or words of texts, and finite."""
    x = _some(given)
    if given.kind.elements == "words":
        hold(
            x.dtype == torch.int64 and bool((x < given.kind.outputs).all()),
            "Words should be numbers of the vocabulary.",
        )
        return
    shape = (len(x), *given.shape)
    hold(tuple(x.shape) == shape, f"Its observations have shape {tuple(x.shape)}, expected {shape}.")
    hold(x.dtype == torch.float32, f"Its observations are {x.dtype}, expected float32.")
    hold(x.isfinite().all(), "Its observations hold NaN or infinity.")


def observations_vary_within_the_summary(given: World) -> None:
    """The summary's range holds what the observations are, and their deviation is not 0."""
    summary = given.summary
    hold(summary.std > 0, "All of its elements are equal: there is nothing to learn.")
    if given.kind.elements == "numbers":
        x = _some(given)
        inside = summary.low <= float(x.min()) and float(x.max()) <= summary.high
        hold(inside, f"Observations lie outside the summary's range [{summary.low:g}, {summary.high:g}].")


def factors_belong_to_the_observations(given: World) -> None:
    """Each observation has a row of factors; each factor has a name of its own, a kind, and more than one value."""
    assert given.factors is not None
    shape = (len(given), len(given.factor_names))
    hold(given.factors.shape == shape, f"The factors have shape {given.factors.shape}, expected {shape}.")
    hold(
        len(set(given.factor_names)) == shape[1],
        f"Two factors share a name: {', '.join(given.factor_names)}.",
    )
    strange = sorted(set(given.factor_kinds) - {"categorical", "continuous"})
    hold(not strange, f"Unknown kinds of factors: {', '.join(strange)}.")
    for name, size in zip(given.factor_names, given.factor_sizes, strict=True):
        hold(size > 1, f"The factor {name!r} has one value, so nothing can be told of it.")


def a_model_trains_on_it(given: World) -> None:
    """A small autoencoder trains on it for two steps, and encodes all of a few observations."""
    net = "lstm:width=8" if given.kind.elements == "words" else "mlp:width=8"
    model = Autoencoder("vae", 2, net=net, steps=2, batch=4, device="cpu").fit(given)
    few = given.split(LOOKED_AT / len(given))[1] if len(given) > 2 * LOOKED_AT else given
    codes = model.transform(few)
    hold(np.isfinite(codes).all(), "After two steps of training the codes hold NaN or infinity.")
