"""Scalars that take one of few values, with gradients that pass straight through."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from prismae.latent.gaussian import Discrete


def straight_through(z: Tensor, q: Tensor) -> Tensor:
    """The values q, to the bit, with the gradient of z: that of q goes to z as it is, and none to q."""
    return q.detach() + (z - z.detach())


def nearest(z: Tensor, values: Tensor) -> Discrete:
    """Each latent of z [batch, m] at the nearest of its values [m, levels]; of two that are equally near the first.

    The gradient of the code is z's, straight through; `values` keep theirs.
    """
    with torch.no_grad():
        index = (z.unsqueeze(-1) - values).abs().argmin(-1)
    return Discrete(straight_through(z, picked(values, index)), index, values)


def picked(values: Tensor, index: Tensor) -> Tensor:
    """[batch, m] of values [m, levels] those of the numbers [batch, m]; the gradient reaches what is picked."""
    return values.gather(1, index.T).T


def fixed_grid(z: Tensor, levels: int) -> Discrete:
    """tanh(z) at the nearest of `levels` equally spaced values from -1 to 1; of two that are equally near the upper.

    Finite scalar quantisation, Mentzer et al. 2023, arXiv:2309.15505, in the form that is symmetric for even numbers of
    levels too. The gradient of the code is that of tanh(z).
    """
    bounded = torch.tanh(z)
    with torch.no_grad():
        index = ((bounded + 1) / 2 * (levels - 1) + 0.5).floor().long()
        values = torch.arange(levels, dtype=z.dtype, device=z.device) * (2 / (levels - 1)) - 1
    return Discrete(straight_through(bounded, values[index]), index, values.expand(z.shape[1], -1))


@dataclass(frozen=True)
class Assigned(Discrete):
    """A discrete code that knows how near each value was.

    Parameters
    ----------
    logits
        [batch, m, levels] minus the squared distances, whose softmax are the probabilities of the values.
    """

    logits: Tensor


def assigned(z: Tensor, values: Tensor) -> Assigned:
    """Each latent of z [batch, m] at the nearest of values [levels] that all latents share, and how near all are."""
    logits = -(z.unsqueeze(-1) - values).square()
    index = logits.detach().argmax(-1)
    return Assigned(values[index], index, values.expand(z.shape[1], -1), logits)
