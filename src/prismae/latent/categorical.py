"""Categorical posteriors over few values, alone and beside Gaussian ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from prismae.latent.gaussian import Gaussian, Point


@dataclass(frozen=True)
class Joint(Point):
    """A code whose first columns say, in groups, which of few categories an observation is of; the others are Gaussian.

    Parameters
    ----------
    mean
        [batch, groups x categories + k] 1 for each group's most probable category and 0 for its others, then the means.
    logits
        [batch, groups, categories] of the categories.
    gaussian
        The k other latents.
    """

    logits: Tensor
    gaussian: Gaussian

    @classmethod
    def of(cls, logits: Tensor, gaussian: Gaussian) -> Joint:
        """The code of logits [batch, groups, categories] and a Gaussian."""
        certain = one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
        return cls(torch.cat([certain.flatten(1), gaussian.mean], 1), logits, gaussian)

    def drawn(self, temperature: float) -> Tensor:
        """One reparameterised draw [batch, m]: relaxed shares of the categories (`relaxed`), then the Gaussian's."""
        return torch.cat([relaxed(self.logits, temperature).flatten(1), self.gaussian.rsample()], 1)


def kl_to_even(logits: Tensor) -> Tensor:
    """KL of softmax(logits) [..., levels] to even shares, in nats: [...]; log(levels) where one is certain."""
    log_p = torch.log_softmax(logits, -1)
    return (log_p.exp() * log_p).sum(-1) + torch.log(log_p.new_tensor(float(logits.shape[-1])))


def relaxed(logits: Tensor, temperature: float) -> Tensor:
    """One relaxed draw (Gumbel-softmax) of shares [..., levels]; towards temperature 0 one of them is 1, with the
    frequencies of softmax(logits). Jang et al. 2017, arXiv:1611.01144."""
    even = torch.rand_like(logits).clamp_min(torch.finfo(logits.dtype).tiny)
    gumbel = -torch.log(-torch.log(even).clamp_max(-torch.finfo(logits.dtype).tiny))
    return torch.softmax((logits + gumbel) / temperature, -1)
