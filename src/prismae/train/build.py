"""From names to the autoencoder of a run: network and likelihood, chosen by the data where left to "auto"."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from prismae.data import Summary, World
from prismae.errors import InputError
from prismae.methods import Method
from prismae.nets import Architecture, Net, all_nets, default_net, net
from prismae.nets._base import FunctionNet
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Likelihood
from prismae.nets.likelihood import likelihood as as_likelihood
from prismae.nets.text import TextAutoencoderNet
from prismae.settings import Training


def choices(method: Method, world: World, training: Training) -> tuple[Net, Likelihood]:
    """The network and the likelihood of a training on `world`, also where they are left to "auto"."""
    net = choose_net(training.net, method, world.shape, world.n_words)
    return net, choose_likelihood(training.likelihood, method, world.shape, world.summary, world.n_words)


def choose_net(
    chosen: str | Net | Architecture, method: Method, shape: tuple[int, ...], words: int = 0
) -> Net:
    """The network: as given, else the method's own choice, else by the observations' shape (`default_net`).

    `words` is the size of the vocabulary of texts, which have networks of their own; 0 for anything else.
    """
    if chosen == "auto":
        return net(method.net) if method.net != "auto" and not words else default_net(shape, texts=words > 0)
    found = net(chosen)
    if found.texts != (words > 0) and not isinstance(found, FunctionNet):
        fit = [name for name, cls in all_nets().items() if cls.texts == (words > 0)]
        raise InputError(
            f"Network {found.name()!r} is {'not ' * (words > 0)}for texts, expected one of {', '.join(fit)}, auto."
        )
    return found


def choose_likelihood(
    given: str | Likelihood, method: Method, shape: tuple[int, ...], summary: Summary, words: int = 0
) -> Likelihood:
    """The likelihood: as given, else the method's own, else bernoulli for images in [0, 1], else gaussian.

    Texts, of a vocabulary of `words`, have "categorical" and nothing else has.

    Raises
    ------
    InputError
        Where the method is defined with another one, or the data are outside its support.
    """
    own = method.likelihood
    if given == "auto":
        given = own
        if own == "auto":
            bounded = len(shape) == 3 and summary.low >= 0 and summary.high <= 1
            given = "categorical" if words else "bernoulli" if bounded else "gaussian"
    found = as_likelihood(given)
    if found.texts != (words > 0):
        needed = "texts have 'categorical' only" if words else f"{found.name()!r} is for texts"
        defined = f": {method.name()} is defined with it" if own == found.name() else ""
        raise InputError(f"Likelihood {found.name()!r} cannot be taken, since {needed}{defined}.")
    if own not in ("auto", found.name()):
        raise InputError(f"{method.name()} is defined with likelihood {own!r}, got {found.name()!r}.")
    low, high = found.support
    if own == "auto" and (summary.low < low or summary.high > high):
        raise InputError(
            f"Likelihood {found.name()!r} needs data in [{low:g}, {high:g}], but they range from {summary.low:g} to "
            f"{summary.high:g}: scale the data, or take 'gaussian'."
        )
    return found


def build(
    method: Method,
    shape: tuple[int, ...],
    summary: Summary,
    *,
    n_latents: int,
    net: str | Net | Architecture,
    likelihood: str | Likelihood,
    words: int = 0,
) -> AutoencoderNet:
    """A new autoencoder for observations of `shape`; its weights come from torch's current generator.

    `net` and `likelihood` are not "auto"; `words` is the size of the vocabulary of texts, 0 for anything else.

    Raises
    ------
    InputError
        Where the network is not for observations of that shape, or a network of one's own does not map them to the
        method's outputs and codes back to them.
    """
    chosen = choose_net(net, method, shape, words)
    encoder, decoder = chosen.build(
        (*shape, words) if words else shape, method.n_outputs(n_latents), n_latents
    )
    given: dict[str, Any] = {
        "posterior": method.posterior,
        "likelihood": deepcopy(as_likelihood(likelihood)),  # its parameters are this run's
        "mean": summary.mean,
        "std": summary.std,
        "parts": method.modules(n_latents),
    }
    if words:
        return TextAutoencoderNet(encoder, decoder, longest=shape[0], **given)
    return AutoencoderNet(encoder, decoder, **given)
