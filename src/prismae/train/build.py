"""From names to the autoencoder of a run: network and likelihood, chosen by the data where left to "auto"."""

from __future__ import annotations

from inspect import Parameter, signature
from math import prod
from typing import Any

from prismae.data import Summary
from prismae.errors import InputError, unknown_name
from prismae.methods import Method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.conv import conv
from prismae.nets.conv1d import conv1d
from prismae.nets.conv5 import conv5
from prismae.nets.likelihood import LIKELIHOODS
from prismae.nets.lstm import lstm
from prismae.nets.mlp import mlp
from prismae.nets.text import TextAutoencoderNet

NETS = {"mlp": mlp, "conv": conv, "conv5": conv5, "conv1d": conv1d}
TEXT_NETS = {"lstm": lstm}
FEW, NARROW = 100, 256  # elements of an observation below which the MLP has that width


def choose_net(net: str, method: Method, shape: tuple[int, ...], words: int = 0) -> str:
    """The network's name: as given, else the method's own choice, else by the observations' shape.

    That is conv for images, conv1d for series of several channels, lstm for texts, and mlp for the rest and what is
    too small for these, a narrow one for fewer than 100 elements (most tables). A name may have settings,
    ``lstm:width=128,word-dropout=0.3``. `words` is the size of the vocabulary of texts, which only have lstm; 0 for
    anything else.
    """
    nets: dict[str, Any] = TEXT_NETS if words else NETS
    if net != "auto":
        name, _ = _settings(net)
        if name not in nets:
            if name in (NETS | TEXT_NETS):
                raise InputError(
                    f"Network {name!r} is {'not ' * bool(words)}for texts, expected one of {', '.join(nets)}, auto."
                )
            raise unknown_name("network", name, [*nets, "auto"])
        return net
    if words:
        return "lstm"
    if method.net != "auto":
        return method.net
    if len(shape) == 2 and shape[1] >= 16:
        return "conv1d"
    if len(shape) == 3 and min(shape[1:]) >= 8:
        return "conv"
    return "mlp" if prod(shape) >= FEW else f"mlp:width={NARROW}"


def choose_likelihood(
    likelihood: str, method: Method, shape: tuple[int, ...], summary: Summary, words: int = 0
) -> str:
    """The likelihood's name: as given, else the method's own, else bernoulli for images in [0, 1], else gaussian.

    Texts, of a vocabulary of `words`, have "categorical" and nothing else has.
    """
    if likelihood not in ("auto", *LIKELIHOODS):
        raise unknown_name("likelihood", likelihood, [*LIKELIHOODS, "auto"])
    chosen = method.likelihood if likelihood == "auto" else likelihood
    if words and chosen == "auto":
        return "categorical"
    if (chosen == "categorical") != bool(words):
        needed = "texts have 'categorical' only" if words else "'categorical' is for texts"
        own = f": {method.name()} is defined with it" if method.likelihood == chosen else ""
        raise InputError(f"Likelihood {chosen!r} cannot be taken, since {needed}{own}.")
    if chosen == "auto":
        return "bernoulli" if len(shape) == 3 and summary.low >= 0 and summary.high <= 1 else "gaussian"
    if likelihood == "auto":
        return chosen
    if method.likelihood not in ("auto", likelihood):
        raise InputError(
            f"{method.name()} is defined with likelihood {method.likelihood!r}, got {likelihood!r}."
        )
    if likelihood == "bernoulli" and (summary.low < 0 or summary.high > 1):
        raise InputError(
            f"Likelihood 'bernoulli' needs data in [0, 1], but they range from {summary.low:g} to {summary.high:g}: "
            "scale the data, or take 'gaussian'."
        )
    return likelihood


def build(
    method: Method,
    shape: tuple[int, ...],
    summary: Summary,
    *,
    n_latents: int,
    net: str,
    likelihood: str,
    words: int = 0,
) -> AutoencoderNet:
    """A new autoencoder for observations of `shape`; its weights come from torch's current generator.

    `net` and `likelihood` are names, not "auto"; `words` is the size of the vocabulary of texts, 0 for anything else.
    """
    name, settings = _settings(net)
    net_of: Any = (TEXT_NETS if words else NETS)[name]
    encoder, decoder = net_of(words or shape, method.n_outputs(n_latents), n_latents, **settings)
    given: dict[str, Any] = {
        "posterior": method.posterior,
        "likelihood": LIKELIHOODS[likelihood](),
        "mean": summary.mean,
        "std": summary.std,
        "parts": method.modules(n_latents),
    }
    if words:
        return TextAutoencoderNet(encoder, decoder, longest=shape[0], **given)
    return AutoencoderNet(encoder, decoder, **given)


def _settings(net: str) -> tuple[str, dict[str, Any]]:
    """Name and settings of a network: ``lstm:width=128`` → ("lstm", {"width": 128})."""
    name, _, text = net.partition(":")
    known = NETS | TEXT_NETS
    if not text or name not in known:
        return name, {}
    options = {
        each.name.replace("_", "-"): type(each.default)
        for each in signature(known[name]).parameters.values()
        if each.kind is Parameter.KEYWORD_ONLY
    }
    found = {}
    for pair in text.split(","):
        option, _, value = (piece.strip() for piece in pair.partition("="))
        if option not in options:
            raise unknown_name(f"setting of network {name!r}", option, options)
        try:
            found[option.replace("-", "_")] = options[option](value)
        except ValueError:
            kind = "a whole number" if options[option] is int else "a number"
            raise InputError(f"Network {name!r}: {option} is {value!r}, expected {kind}.") from None
    return name, found
