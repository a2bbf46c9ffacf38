"""How a decoder's output is compared with the data: p(x | z), up to what the name says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import log, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prismae._words import PAD


class Likelihood(ABC):
    """Reads the decoder's output; `standardised` says whether it models (x - mean) / std of the world."""

    standardised: bool = True

    @abstractmethod
    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Negative log-likelihood of x [batch, *shape] given the decoder's output: [batch]."""

    def mean(self, output: Tensor) -> Tensor:
        """Expected observation."""
        return output


class Bernoulli(Likelihood):
    """Independent Bernoulli pixels in [0, 1]; the output is logits. Nats, summed over elements."""

    standardised = False

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(output, x, reduction="none").flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)


class Gaussian(Likelihood):
    """Gaussian of unit variance on standardised data. Nats, summed over elements."""

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return 0.5 * ((output - x).square() + log(2 * pi)).flatten(1).sum(1)


class LearnedGaussian(Likelihood, nn.Module):
    """Gaussian on standardised data with one learned standard deviation for all elements. Nats, summed over elements.

    Its logarithm is trained with the autoencoder, and so weighs reconstruction against the other terms by itself:
    at its optimum the variance is the mean squared error (Rybkin et al. 2021, arXiv:2006.13202).
    """

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        squared = (output - x).square() * torch.exp(-2 * self.log_scale)
        return (0.5 * (squared + log(2 * pi)) + self.log_scale).flatten(1).sum(1)


class MSE(Likelihood):
    """Mean squared error per element of standardised data: not nats, but what some papers' weights assume."""

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return (output - x).square().flatten(1).mean(1)


class Categorical(Likelihood):
    """Words: the output is logits [batch, t, words]. Nats, summed over each sentence; padding counts nothing."""

    standardised = False

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        each = F.cross_entropy(output.flatten(0, 1), x.flatten(), ignore_index=PAD, reduction="none")
        return each.view_as(x).sum(1)


def squared_errors(logits: Tensor, x: Tensor) -> Tensor:
    """[batch] sum over the words x_t of a sentence and all words w of (p(w) - [w is x_t])^2 (Brier 1950)."""
    p = torch.softmax(logits, -1)
    hit = p.gather(-1, x.unsqueeze(-1)).squeeze(-1)
    return (p.square().sum(-1) - 2 * hit + 1).masked_fill(x == PAD, 0.0).sum(1)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "gaussian-learned": LearnedGaussian,
    "mse": MSE,
    "categorical": Categorical,
}
