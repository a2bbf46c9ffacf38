"""Whether latents act on a decoder's activations by themselves or together, by second differences."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STEP = 0.1  # of each latent's deviation
PROBES = 2  # directions of each kind
LEAST = 1e-10  # added to what is divided by


def mixed_curvature(decoder: nn.Module, z: Tensor, beside: Tensor | None = None) -> Tensor:
    """Normalised Hessian penalty of a decoder at codes z [batch, m]: a scalar, the sum over its layers of activations.

    For each layer Var(v'Hv) over random signs v, which is 2 sum of H_ij² over i ≠ j, over the same with normal v, which
    is 2 sum of H_ij² over all: 0 where latents add up, 1 where they only multiply. H is taken in units of each latent's
    deviation over the batch. Hsu et al. 2024, arXiv:2404.10282, Sec. 3.3, after Peebles et al. 2020, arXiv:2008.10599.
    Second differences are computed in full precision. `beside` [batch, g] is what the decoder sees behind the codes.
    """
    with torch.autocast(z.device.type, enabled=False):
        unit = STEP * z.detach().std(0, correction=0)
        signs = torch.randint(0, 2, (PROBES, *z.shape), device=z.device).to(z.dtype) * 2 - 1
        moves = unit * torch.cat([signs, torch.randn(PROBES, *z.shape, dtype=z.dtype, device=z.device)])
        places = torch.cat([z.unsqueeze(0), z + moves, z - moves])
        if beside is not None:
            places = torch.cat([places, beside.expand(len(places), -1, -1)], -1)
        total = z.new_zeros(())
        for layer in activations(decoder, places.flatten(0, 1)):
            at, up, down = layer.view(len(places), -1).split([1, 2 * PROBES, 2 * PROBES])
            bend = (up - 2 * at + down) / STEP**2
            together, all_ = (each.var(0, correction=0).mean() for each in bend.chunk(2))
            total = total + together / (all_ + LEAST)
        return total


def activations(decoder: nn.Module, z: Tensor) -> list[Tensor]:
    """What a decoder's activation functions (modules of `torch.nn.modules.activation`) give for codes z [n, m]: its
    hidden layers, [n, ...] each. Of one without such modules the output."""
    found: list[Tensor] = []
    hooks = [
        each.register_forward_hook(lambda module, given, made: found.append(made))
        for each in decoder.modules()
        if type(each).__module__ == "torch.nn.modules.activation"
    ]
    try:
        output = decoder(z)
    finally:
        for hook in hooks:
            hook.remove()
    return found or [output]
