"""From names to the autoencoder of a run: network and likelihood, chosen by the data where left to "auto"."""

from __future__ import annotations

from copy import deepcopy
from math import prod
from typing import Any

import torch
from torch import nn

from prismae._files import memory
from prismae.data import Kind, Summary, World
from prismae.errors import InputError
from prismae.methods import Method
from prismae.nets import Architecture, Net, all_likelihoods, all_nets, net
from prismae.nets._base import FunctionNet, Pair, checked
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Likelihood
from prismae.nets.likelihood import likelihood as as_likelihood
from prismae.nets.text import TextAutoencoderNet
from prismae.settings import Training
from prismae.train.answers import check_said

LARGE = (
    100_000  # elements of an observation from which a network may have more weights than there is memory for
)
COPIES = 4  # of each weight in a training: itself, its gradient, and Adam's two moments


def choices(method: Method, world: World, training: Training) -> tuple[Net, Likelihood]:
    """The network and the likelihood of a training on `world`, also where they are left to "auto"."""
    check_said(method)
    net = choose_net(training.net, method, world.kind, world.shape)
    return net, choose_likelihood(training.likelihood, method, world.kind, world.summary)


def choose_net(chosen: str | Net | Architecture, method: Method, kind: Kind, shape: tuple[int, ...]) -> Net:
    """The network: as given, else the method's own choice where it is for such data, else the kind's default.

    Raises
    ------
    InputError
        For a network of words where observations are numbers, and the other way round.
    """
    if (
        isinstance(chosen, str) and chosen == "auto"
    ):  # an array, which is neither, compares element by element
        own = method.net if method.net != "auto" else kind.default_net(shape)
        found = net(own)
        return found if found.elements == kind.elements else net(kind.default_net(shape))
    found = net(chosen)
    if found.elements != kind.elements and not isinstance(found, FunctionNet):
        fit = [name for name, cls in all_nets().items() if cls.elements == kind.elements]
        raise InputError(
            f"Network {found.name()!r} is for {found.elements}, and the observations are {kind.elements}: "
            f"expected one of {', '.join(fit)}, auto."
        )
    return found


def choose_likelihood(given: str | Likelihood, method: Method, kind: Kind, summary: Summary) -> Likelihood:
    """The likelihood: as given, else the method's own, else the kind's default for data of that range.

    Raises
    ------
    InputError
        Where the method is defined with another one, it is for words and observations are numbers or the other way
        round, or the data are outside its support.
    """
    own = method.likelihood
    if isinstance(given, str) and given == "auto":
        given = kind.default_likelihood(summary) if own == "auto" else own
    found = as_likelihood(given)
    if found.elements != kind.elements:
        fit = [name for name, cls in all_likelihoods().items() if cls.elements == kind.elements]
        mend = f"expected {' or '.join(fit)}"
        if own == found.name():
            mend = f"{method.name()} is defined with it, so take another method"
        raise InputError(
            f"Likelihood {found.name()!r} is for {found.elements}, and the observations are {kind.elements}: "
            f"{mend}."
        )
    if own not in ("auto", found.name()):
        raise InputError(f"{method.name()} is defined with likelihood {own!r}, got {found.name()!r}.")
    low, high = found.support
    if own == "auto" and (summary.low < low or summary.high > high):
        raise InputError(
            f"Likelihood {found.name()!r} needs data in [{low:g}, {high:g}], but they range from {summary.low:g} to "
            f"{summary.high:g}: scale the data, or take {'columns' if kind.columns else 'gaussian'!r}."
        )
    return found


def _check_memory(net: Net, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> None:
    """Refuse a network that this machine cannot train, before any of its weights takes memory."""
    with torch.device("meta"):
        weights = sum(
            each.numel() for player in net.build(shape, n_outputs, n_latents) for each in player.parameters()
        )
    needed, there = 4 * COPIES * weights, memory()
    if needed > there:
        raise InputError(
            f"Network {net.described()!r} has {weights:,} weights for observations of {prod(shape):,} values and takes "
            f"{needed / 1e9:,.1f} GB to train, where this machine has {there / 1e9:,.1f} GB: cut series into windows "
            "(--window), scale images (--size), or choose another network (--net conv1d, --net conv)."
        )


def choose_lr(given: float | None, method: Method, kind: Kind) -> float:
    """The learning rate: as given, else the method's own, else the kind's default where it has none."""
    if given is not None:
        return given
    return kind.default_lr() if type(method).optimizer is Method.optimizer else method.optimizer().lr


def build(
    method: Method,
    kind: Kind,
    shape: tuple[int, ...],
    summary: Summary,
    *,
    n_latents: int,
    net: str | Net | Architecture,
    likelihood: str | Likelihood,
) -> AutoencoderNet:
    """A new autoencoder for observations of `shape`; its weights come from torch's current generator.

    `net` and `likelihood` are not "auto".

    Raises
    ------
    InputError
        Where the network is not for observations of that shape, or has more weights than the machine has memory for,
        or a network of one's own does not map observations to the method's outputs and codes back to them.
    """
    chosen, words = choose_net(net, method, kind, shape), kind.elements == "words"
    if prod(shape) >= LARGE and not isinstance(chosen, FunctionNet):
        _check_memory(chosen, shape, method.n_outputs(n_latents), n_latents)
    own_net = type(chosen).__module__.partition(".")[0] != __name__.partition(".")[0] and not words

    def built(shape: tuple[int, ...], n_latents: int) -> Pair:
        outputs = method.n_outputs(m)
        pair = chosen.build(shape, outputs, n_latents)
        return checked(chosen, pair, shape, outputs, n_latents) if own_net else pair

    m = n_latents
    encoder, decoder = built((*shape, kind.outputs) if words else shape, m)
    if kind.lacking:  # its encoder is told, behind a row, which of these are missing
        encoder, _ = built((shape[0] + len(kind.lacking),), m)
    if kind.known:  # its decoder sees, behind a code, what is given
        _, decoder = built(shape, m + len(kind.known))
    own = deepcopy(as_likelihood(likelihood))  # its parameters are this run's
    parts = method.modules(n_latents)
    if not isinstance(parts, nn.ModuleDict):
        raise InputError(
            f"{method.name()}: `modules` gives {type(parts).__name__}, expected a torch.nn.ModuleDict."
        )
    own.set_columns(*kind.column_sorts(), d=prod(shape), mean=summary.mean, std=summary.std)
    given: dict[str, Any] = {
        "posterior": method.posterior,
        "likelihood": own,
        "mean": summary.mean,
        "std": summary.std,
        "parts": parts,
    }
    if words:
        return TextAutoencoderNet(encoder, decoder, longest=shape[0], **given)
    return AutoencoderNet(encoder, decoder, lacking=kind.lacking, shape=shape, given=kind.known, **given)
