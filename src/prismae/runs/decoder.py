"""The decoder as plain data, so that a page can evaluate it without this package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Bernoulli, Columns, Likelihood

POINTWISE = {nn.ReLU: "relu", nn.SELU: "selu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}


def describe_decoder(net: AutoencoderNet) -> dict[str, Any]:
    """How `AutoencoderNet.generate` comes from the arrays in weights.safetensors.

    Returns
    -------
    dict
        ``layers``, in order: {"kind": "linear", "weight", "bias"} (names of arrays; bias None if there is none);
        {"kind": "conv-transpose", "weight", "bias", "stride", "padding", "output_padding"} (one number for each
        axis of a series or an image); {"kind": "reshape", "shape"}; "relu", "selu", "tanh", "sigmoid". Any other
        layer has its class's name as kind, for readers to see what they cannot compute. The last layers are the
        likelihood's mean ("sigmoid", or {"kind": "columns", ...} with what `Columns.as_data` says) and the world's
        scale: {"kind": "affine", "scale", "shift"}. Where something is given, the
        first puts it behind the codes, {"kind": "beside", "places", "values", "means", "stds"}: the usual values, which
        less their means are divided by their deviations; and the last puts it into the observation, {"kind": "put",
        "places", "values"}.
    """
    layers = [*_layers(net.decoder, "ae.decoder")]
    told: dict[str, Any] = {}
    if net.given:
        told = {"places": list(net.given), "values": net.typical.tolist()}
        means, stds = net.given_mean.tolist(), net.given_std.tolist()
        layers.insert(0, {"kind": "beside", **told, "means": means, "stds": stds})
    likelihood = net.likelihood
    if type(likelihood).mean is Bernoulli.mean:
        layers.append({"kind": "sigmoid"})
    elif type(likelihood) is Columns:
        layers.append({"kind": "columns", **likelihood.as_data()})
    elif type(likelihood).mean is not Likelihood.mean:
        layers.append({"kind": type(likelihood).__name__})
    if likelihood.standardised:
        layers.append({"kind": "affine", "scale": float(net.std), "shift": float(net.mean)})
    if net.given:
        layers.append({"kind": "put", **told})
    return {"layers": layers}


def _layers(module: nn.Module, name: str) -> Iterator[dict[str, Any]]:
    """The layers of a sequence, or the one layer that a module is; `name` is where its arrays are kept."""
    if type(module) is nn.Sequential:
        for inner, child in module.named_children():
            yield from _layers(child, f"{name}.{inner}")
    elif type(module) in POINTWISE:
        yield {"kind": POINTWISE[type(module)]}
    elif isinstance(module, nn.Linear):
        yield {"kind": "linear"} | _arrays(module, name)
    elif isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d) and _plain(module):
        steps = {key: list(getattr(module, key)) for key in ("stride", "padding", "output_padding")}
        yield {"kind": "conv-transpose"} | _arrays(module, name) | steps
    elif isinstance(module, nn.Unflatten) and module.dim == 1:
        yield {"kind": "reshape", "shape": [int(size) for size in module.unflattened_size]}
    elif isinstance(module, nn.Flatten) and module.start_dim == 1:
        yield {"kind": "reshape", "shape": [-1]}
    else:
        yield {"kind": type(module).__name__}


def _arrays(module: nn.Module, name: str) -> dict[str, str | None]:
    return {"weight": f"{name}.weight", "bias": None if module.bias is None else f"{name}.bias"}


def _plain(module: nn.ConvTranspose1d | nn.ConvTranspose2d) -> bool:
    return module.groups == 1 and set(module.dilation) == {1}
