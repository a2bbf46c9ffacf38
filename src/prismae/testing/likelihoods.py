"""What holds for every likelihood: a number for each observation that falls as the output comes nearer to it."""

from __future__ import annotations

from copy import deepcopy
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from prismae.data import World, world
from prismae.data.storage import Dense
from prismae.estimator import Autoencoder, load
from prismae.nets import Likelihood, all_likelihoods
from prismae.testing._hold import Check, hold, run_checks, seeded
from prismae.testing.nets import SENTENCES

SHAPE, WORDS = (2, 4, 4), 9
N = 8


def check_likelihood(given: Likelihood | type[Likelihood]) -> None:
    """Check that a likelihood is one: what every likelihood of prismae is held to.

    Its negative log-likelihood is one finite number for each observation, of that observation alone, a sum over
    elements where it is in nats, and falls where the expected observation comes nearer to the data; and a model with
    it is trained, saved and loaded.

    Raises
    ------
    AssertionError
        A sentence that says what does not hold.
    """
    run_checks(likelihood_checks, given)


def likelihood_checks(likelihood: Likelihood) -> tuple[Check[Likelihood], ...]:
    """The checks for a likelihood, one more where it is in nats: `check(likelihood)` each."""
    checks: tuple[Check[Likelihood], ...] = (
        it_gives_each_observation_a_finite_number,
        it_falls_as_the_expected_observation_comes_nearer,
        a_saved_model_is_loaded_with_it,
    )
    return (*checks, it_is_a_sum_over_elements) if likelihood.nats else checks


def _data(likelihood: Likelihood) -> tuple[Tensor, Tensor]:
    """Observations within the likelihood's support, or sentences; and an output for them."""
    if likelihood.elements == "words":
        return torch.randint(4, WORDS, (N, 5)), torch.randn(N, 5, WORDS)
    low, high = likelihood.support
    x = torch.rand(N, *SHAPE)
    if isfinite(low) and isfinite(high):
        x = low + (high - low) * x
    elif isfinite(low):
        x = low - x.log()
    elif isfinite(high):
        x = high + x.log()
    else:
        x = torch.randn(N, *SHAPE)
    return x, torch.randn(N, *SHAPE)


@seeded
def it_gives_each_observation_a_finite_number(likelihood: Likelihood) -> None:
    """nll is [batch], finite, with a finite gradient for the output, and each number is of its observation alone."""
    x, output = _data(likelihood)
    output.requires_grad_()
    nll = likelihood.nll(output, x)
    hold(tuple(nll.shape) == (N,), f"nll gives {tuple(nll.shape)} for a batch of {N}, expected {(N,)}.")
    hold(nll.isfinite().all(), "nll gives NaN or infinity for observations within the support.")
    (gradient,) = torch.autograd.grad(nll.sum(), output)
    hold(gradient.isfinite().all(), "The gradient of nll holds NaN or infinity.")
    alone = torch.cat([likelihood.nll(output[i : i + 1], x[i : i + 1]) for i in range(N)])
    hold(torch.allclose(alone, nll, rtol=1e-4), "An observation's nll depends on the others of its batch.")


@seeded
def it_is_a_sum_over_elements(likelihood: Likelihood) -> None:
    """In nats the parts of an observation add up; a mean over elements would change what every weight means."""
    x, output = _data(likelihood)
    axis = 1 if likelihood.elements == "words" else -1
    n = x.shape[axis]
    parts = [likelihood.nll(output.narrow(axis, i, 1), x.narrow(axis, i, 1)) for i in range(n)]
    whole = likelihood.nll(output, x)
    hold(
        torch.allclose(torch.stack(parts).sum(0), whole, rtol=1e-4),
        "nll of the parts of an observation does not add up to nll of the whole: it should be a sum over elements, or "
        "say nats = False.",
    )


@seeded
def it_falls_as_the_expected_observation_comes_nearer(likelihood: Likelihood) -> None:
    """An output that descends nll has an expected observation, within the support, that comes nearer to the data."""
    x, output = _data(likelihood)
    own = deepcopy(likelihood)
    output.requires_grad_()
    optimizer = torch.optim.Adam([output], lr=0.05)
    distances = []
    for _ in range(200):
        optimizer.zero_grad()
        nll = own.nll(output, x)
        nll.sum().backward()
        optimizer.step()
        distances.append((float(nll.detach().mean()), _distance(own, output.detach(), x)))
    (first, far), (last, near) = distances[0], distances[-1]
    hold(last < first, f"After 200 steps of descent nll is {last:.3g}, and it began at {first:.3g}.")
    hold(
        near < 0.5 * far,
        f"The expected observation is {near:.3g} from the data after 200 steps of descent, and was {far:.3g} at first: "
        "does `mean` read the output as `nll` does?",
    )


def _distance(likelihood: Likelihood, output: Tensor, x: Tensor) -> float:
    """Mean distance of the expected observation, or share of wrong words."""
    expected = likelihood.mean(output)
    hold(
        expected.shape == output.shape, f"mean gives {tuple(expected.shape)}, expected {tuple(output.shape)}."
    )
    if likelihood.elements == "words":
        return float((expected.argmax(-1) != x).float().mean())
    low, high = likelihood.support
    inside = bool((expected >= low).all() and (expected <= high).all())
    hold(inside, f"mean leaves the support [{low:g}, {high:g}].")
    return float((expected - x).abs().mean())


def a_saved_model_is_loaded_with_it(likelihood: Likelihood) -> None:
    """A model with the likelihood is trained and loaded; the likelihood given is left as it is."""
    before = _weights(likelihood)
    data = _observations(likelihood)
    model = Autoencoder("vae", 3, likelihood=likelihood, steps=2, batch=4, device="cpu").fit(data)
    after = _weights(likelihood)
    hold(
        torch.equal(before, after), "Training changes the likelihood that it is given, expected a copy of it."
    )
    known = all_likelihoods().get(likelihood.name()) is type(likelihood)
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / "run")
        again = load(Path(folder) / "run", likelihood=None if known else likelihood)
    codes = model.transform(data)
    hold(np.array_equal(again.transform(data), codes), "A loaded model gives other codes.")
    same = all(
        np.array_equal(a, b)
        for a, b in zip(again.inverse_transform(codes), model.inverse_transform(codes), strict=True)
    )
    hold(same, "A loaded model decodes the same codes otherwise.")


def _weights(likelihood: Likelihood) -> Tensor:
    parts = likelihood.parameters() if isinstance(likelihood, nn.Module) else ()
    return torch.cat([torch.empty(0), *(each.detach().flatten().clone() for each in parts)])


def _observations(likelihood: Likelihood) -> World:
    if likelihood.elements != "words":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return World("random", Dense(_data(likelihood)[0]))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.txt"
        path.write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
        return world(path)
