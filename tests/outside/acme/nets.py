"""A network: an architecture and its settings."""

from dataclasses import dataclass
from math import prod

from torch import nn

from prismae.fields import Count
from prismae.nets import Net


@dataclass(frozen=True)
class TwoLayers(Net):
    """One hidden layer each way, for observations of any shape."""

    width: Count = 32

    def build(self, shape: tuple[int, ...], n_outputs: int, n_latents: int) -> tuple[nn.Module, nn.Module]:
        size = prod(shape)
        there = [nn.Flatten(), nn.Linear(size, self.width), nn.SiLU(), nn.Linear(self.width, n_outputs)]
        back = [nn.Linear(n_latents, self.width), nn.SiLU(), nn.Linear(self.width, size)]
        return nn.Sequential(*there), nn.Sequential(*back, nn.Unflatten(1, shape))
