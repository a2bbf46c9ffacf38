"""What holds for every network: shapes there and back, weights that are reached, and that models with it are loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prismae.data import World, world
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.estimator import Autoencoder, load
from prismae.nets import Architecture, Net, all_nets, net
from prismae.nets._base import FunctionNet, checked
from prismae.testing._hold import Check, hold, run_checks, seeded

SHAPES = (
    (1, 28, 28),
    (1, 8, 8),
    (100,),
    (5,),
    (3, 64),
    (1, 8, 9, 10),
)  # images, series or tables, series of channels, volumes
TEXTS = (7, 9)  # longest sentence, words
OUTPUTS, CODES = 6, 3
SENTENCES = (
    "the cat sees the dog",
    "a dog sees a cat",
    "the cat sleeps",
    "a dog runs",
    "the dog sees a cat",
) * 4


def check_net(given: Net | type[Net] | Architecture, shape: tuple[int, ...] | None = None) -> None:
    """Check that a network is one: what every network of prismae is held to.

    Its encoder and decoder map batches there and back, gradients reach all of their weights, which come from torch's
    generator, what it says of itself makes it again, and a model with it is trained, saved and loaded.

    Parameters
    ----------
    given
        The network, its class, or a function (shape, n_outputs, n_latents) → (encoder, decoder).
    shape
        Shape of one observation; without it, the first shape of images, series and tables that it is for. Texts have
        sentences of their own.

    Raises
    ------
    AssertionError
        A sentence that says what does not hold.
    """
    network = net(given() if isinstance(given, type) else given)
    run_checks(lambda each: [partial_of(check, shape) for check in net_checks(each)], network)


def net_checks(network: Net) -> tuple[Callable[..., None], ...]:
    """The checks for a network: `check(network)` or `check(network, shape)` each."""
    checks: tuple[Callable[..., None], ...] = (
        it_maps_observations_to_codes_and_back,
        gradients_reach_every_weight,
        weights_come_from_the_generator,
        a_saved_model_is_loaded_with_it,
    )
    return checks if isinstance(network, FunctionNet) else (*checks, it_reads_what_it_says_of_itself)


def partial_of(check: Callable[..., None], shape: tuple[int, ...] | None) -> Check[Net]:
    """The check for observations of that shape."""
    found = partial(check, shape=shape)
    found.__name__ = check.__name__  # type: ignore[attr-defined]
    return found


def shape_for(network: Net) -> tuple[int, ...]:
    """The first of some usual shapes that a network is for."""
    if network.elements == "words":
        return TEXTS
    for shape in SHAPES:
        try:
            network.build(shape, OUTPUTS, CODES)
        except InputError:
            continue
        return shape
    raise AssertionError(f"{network.name()} is for none of the shapes {SHAPES}: give check_net its shape.")


def _there_and_back(network: Net, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    """Encoder, decoder, and what they make of two observations and two codes."""
    pair: Any = network.build(shape, OUTPUTS, CODES)
    if network.elements != "words":
        pair = checked(network, pair, shape, OUTPUTS, CODES)
    encoder, decoder = pair
    if network.elements == "words":
        ids = torch.randint(4, shape[1], (2, shape[0]))
        return encoder, decoder, encoder(ids), decoder(torch.randn(2, CODES), ids)
    return encoder, decoder, encoder(torch.randn(2, *shape)), decoder(torch.randn(2, CODES))


@seeded
def it_maps_observations_to_codes_and_back(network: Net, shape: tuple[int, ...] | None = None) -> None:
    """The encoder maps [batch, *shape] to [batch, n_outputs], the decoder codes to [batch, *shape]; all finite."""
    shape = shape or shape_for(network)
    *_, codes, back = _there_and_back(network, shape)
    hold(
        tuple(codes.shape) == (2, OUTPUTS),
        f"The encoder makes {tuple(codes.shape)}, expected {(2, OUTPUTS)}.",
    )
    hold(tuple(back.shape) == (2, *shape), f"The decoder makes {tuple(back.shape)}, expected {(2, *shape)}.")
    hold(codes.isfinite().all() and back.isfinite().all(), "A new network gives NaN or infinity.")


@seeded
def gradients_reach_every_weight(network: Net, shape: tuple[int, ...] | None = None) -> None:
    """Every weight of encoder and decoder has a gradient that is not 0 everywhere."""
    encoder, decoder, codes, back = _there_and_back(network, shape or shape_for(network))
    (codes.square().sum() + back.square().sum()).backward()
    for part, module in (("encoder", encoder), ("decoder", decoder)):
        for name, parameter in module.named_parameters():
            reached = parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
            hold(reached, f"No gradient reaches {name} of the {part}.")


@seeded
def weights_come_from_the_generator(network: Net, shape: tuple[int, ...] | None = None) -> None:
    """New weights are drawn from torch's generator: the same for the same seed, others for another."""
    shape = shape or shape_for(network)

    def weights(seed: int) -> Tensor:
        torch.manual_seed(seed)
        parts = network.build(shape, OUTPUTS, CODES)
        return torch.cat([each.detach().flatten() for part in parts for each in part.parameters()])

    hold(torch.equal(weights(1), weights(1)), "The same seed gives different weights.")
    hold(not torch.equal(weights(1), weights(2)), "Different seeds give the same weights.")


def it_reads_what_it_says_of_itself(network: Net, shape: tuple[int, ...] | None = None) -> None:
    """`described()` is what `prismae.nets.net` makes the same network of, where it is found by its name."""
    if all_nets().get(network.name()) is type(network):
        again = net(network.described())
        hold(again == network, f"{network.described()!r} makes {again}, expected {network}.")


def a_saved_model_is_loaded_with_it(network: Net, shape: tuple[int, ...] | None = None) -> None:
    """A model with the network is trained, and loaded with it gives the same codes."""
    data = _observations(network, shape)
    model = Autoencoder("vae", CODES, net=network, steps=2, batch=4, device="cpu").fit(data)
    known = all_nets().get(network.name()) is type(network)
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / "run")
        again = load(Path(folder) / "run", net=None if known else network)
    same = np.array_equal(again.transform(data), model.transform(data))
    hold(same, "A loaded model gives other codes.")


def _observations(network: Net, shape: tuple[int, ...] | None) -> World:
    if network.elements != "words":
        values = torch.rand(8, *(shape or shape_for(network)), generator=torch.Generator().manual_seed(0))
        return World("random", Dense(values))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.txt"
        path.write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
        return world(path)
