"""What all checks share: how they say what does not hold, and the few data that they train on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

import numpy as np
import torch

from prismae.data import World, world
from prismae.data.kinds import Table
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.metrics import Metric

T = TypeVar("T")
P = ParamSpec("P")
Scores = dict[str, float]
Check = Callable[[T], None]
N, M = 32, 4  # observations of `few_digits`, and codes
TOLERANCE = 0.02  # how ties and draws may move a score


def hold(condition: object, sentence: str) -> None:
    """Raise AssertionError with the sentence unless the condition holds, also where Python leaves `assert` out."""
    if not condition:
        raise AssertionError(sentence)


def close(found: Scores, expected: Scores, what: str, tolerance: float = TOLERANCE) -> None:
    """Hold scores to the expected ones; `what` is what the sentence says they are of."""
    for name, value in expected.items():
        label = f" ({name})" if name else ""
        hold(
            np.isclose(found[name], value, rtol=1e-6, atol=tolerance, equal_nan=True),
            f"{what}: the score{label} is {found[name]:.6g}, expected {value:.6g}.",
        )


def declared(metric: Metric, name: str) -> Scores:
    """The declared scores of known codes or images, by short name."""
    known = metric.known[name]
    return {"": known} if isinstance(known, int | float) else dict(known)


@contextmanager
def refused(error: type[Exception], sentence: str) -> Iterator[None]:
    """Raise AssertionError with the sentence unless the block raises the error, with one line to read."""
    try:
        yield
    except error as raised:
        hold("\n" not in str(raised), f"An error should be one sentence, got {raised}")
        return
    raise AssertionError(sentence)


@contextmanager
def held() -> Iterator[None]:
    """What is refused with a sentence does not hold."""
    try:
        yield
    except InputError as error:
        raise AssertionError(str(error)) from error


def seeded(check: Callable[P, None]) -> Callable[P, None]:
    """The check with random numbers of its own, the same each time; the generator of the process stays as it is."""

    @wraps(check)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            check(*args, **kwargs)

    return run


def run_checks(checks: Callable[[T], Iterable[Check[T]]], given: T | type[T]) -> None:
    """Run the checks for a thing, or for one of a class with its defaults; what fails says which of them it was."""
    with held():
        subject = given() if isinstance(given, type) else given
    for check in checks(subject):
        try:
            with held():
                check(subject)
        except Exception as error:
            error.add_note(f"In the check {check.__name__!r} of {subject}.")
            raise


@lru_cache(maxsize=1)
def few_digits() -> World:
    """32 images of 8 x 8 in [0, 1], of the world "digits"; as factors a grid of 4 x 8, so that pairs can be drawn."""
    return World(
        "few digits",
        Dense(world("digits").data[torch.arange(N)]),
        factors=np.indices((4, N // 4)).reshape(2, -1).T,
        factor_names=("row", "column"),
        factor_kinds=("categorical", "categorical"),
    )


@lru_cache(maxsize=1)
def few_rows() -> World:
    """The same as rows of a table, with a further column of 0 and 1, "64", that is given."""
    data = few_digits()
    known = (torch.arange(N) % 2).float().unsqueeze(1)
    x = torch.cat([x_of(data).flatten(1), known], 1)
    return replace(data, name="few rows", data=Dense(x), kind=Table(given=("64",)))


def x_of(data: World) -> torch.Tensor:
    """All observations of a small world."""
    return data.data[torch.arange(len(data))]
