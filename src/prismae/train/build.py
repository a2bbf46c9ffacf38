"""From names to the autoencoder of a run: network and likelihood, chosen by the data where left to "auto"."""

from __future__ import annotations

from prismae.data import Summary
from prismae.errors import InputError, unknown_name
from prismae.methods import Method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.conv import conv
from prismae.nets.conv1d import conv1d
from prismae.nets.conv5 import conv5
from prismae.nets.likelihood import LIKELIHOODS
from prismae.nets.mlp import mlp

NETS = {"mlp": mlp, "conv": conv, "conv5": conv5, "conv1d": conv1d}


def choose_net(net: str, method: Method, shape: tuple[int, ...]) -> str:
    """The network's name: as given, else the method's own choice, else conv for images and mlp for the rest."""
    if net != "auto":
        if net not in NETS:
            raise unknown_name("network", net, [*NETS, "auto"])
        return net
    if method.net != "auto":
        return method.net
    return "conv" if len(shape) == 3 and min(shape[1:]) >= 8 else "mlp"


def choose_likelihood(likelihood: str, method: Method, shape: tuple[int, ...], summary: Summary) -> str:
    """The likelihood's name: as given, else the method's own, else bernoulli for images in [0, 1], else gaussian."""
    if likelihood == "auto":
        likelihood = method.likelihood
    if likelihood == "auto":
        return "bernoulli" if len(shape) == 3 and summary.low >= 0 and summary.high <= 1 else "gaussian"
    if likelihood not in LIKELIHOODS:
        raise unknown_name("likelihood", likelihood, [*LIKELIHOODS, "auto"])
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
    method: Method, shape: tuple[int, ...], summary: Summary, *, n_latents: int, net: str, likelihood: str
) -> AutoencoderNet:
    """A new autoencoder for observations of `shape`; its weights come from torch's current generator.

    `net` and `likelihood` are names, not "auto".
    """
    encoder, decoder = NETS[net](shape, method.n_outputs(n_latents), n_latents)
    return AutoencoderNet(
        encoder,
        decoder,
        method.posterior,
        LIKELIHOODS[likelihood](),
        mean=summary.mean,
        std=summary.std,
        parts=method.modules(n_latents),
    )
