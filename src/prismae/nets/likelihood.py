"""How a decoder's output is compared with the data: p(x | z), up to what the name says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf, log, pi
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prismae._discovery import entry_name, kebab, subclasses
from prismae._words import PAD
from prismae.errors import InputError, unknown_name
from prismae.nets._base import Elements


class Likelihood(ABC):
    """Reads the decoder's output.

    Its name on the command line is the class's in kebab-case; those of other packages are found by entry points of
    group ``prismae.likelihoods``. One with parameters of its own, which are trained, is a `torch.nn.Module` too.
    """

    standardised: ClassVar[bool] = True  # whether it models (x - mean) / std of the world, or x as it is
    support: ClassVar[tuple[float, float]] = (-inf, inf)  # the range that the world's elements must lie in
    nats: ClassVar[bool] = True  # whether `nll` is a negative log-likelihood, summed over elements
    elements: ClassVar[Elements] = "numbers"  # what observations are made of; "words": they are sentences

    @classmethod
    def name(cls) -> str:
        """Name on the command line."""
        return entry_name(cls, "prismae.likelihoods") or kebab(cls.__name__)

    def described(self) -> str:
        """What a run's settings call it."""
        return self.name()

    @abstractmethod
    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Negative log-likelihood of x [batch, *shape] given the decoder's output: [batch]."""

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        """What single elements add to `nll`: [batch, *shape]. Needed where values may be missing."""
        raise InputError(
            f"Likelihood {self.name()!r} does not say what single elements add, so it cannot be used where values are "
            "missing: expected another, or data without gaps."
        )

    def nll_of_seen(self, output: Tensor, x: Tensor) -> Tensor:
        """Negative log-likelihood of those elements of x that are no NaN: [batch]."""
        seen = ~x.isnan()
        return (self.each(output, x.nan_to_num(nan=0.0)) * seen).flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Expected observation."""
        return output

    def error(self, output: Tensor, x: Tensor) -> Tensor:
        """What runs are compared by, [batch], nats: `nll`, or where that has no nats a Gaussian's of unit variance."""
        return self.nll(output, x) if self.nats else _unit_gaussian(self.mean(output), x)

    def error_of_seen(self, output: Tensor, x: Tensor) -> Tensor:
        """`error` of those elements of x that are no NaN: [batch]."""
        return self.nll_of_seen(output, x) if self.nats else Gaussian().nll_of_seen(self.mean(output), x)


class Bernoulli(Likelihood):
    """Independent Bernoulli pixels in [0, 1]; the output is logits. Nats, summed over elements."""

    standardised = False
    support = (0.0, 1.0)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return self.each(output, x).flatten(1).sum(1)

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(output, x, reduction="none")

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)


class Gaussian(Likelihood):
    """Gaussian of unit variance on standardised data. Nats, summed over elements."""

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return _unit_gaussian(output, x)

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        return 0.5 * ((output - x).square() + log(2 * pi))


class GaussianLearned(Likelihood, nn.Module):
    """Gaussian on standardised data with one learned standard deviation for all elements. Nats, summed over elements.

    Its logarithm is trained with the autoencoder, and so weighs reconstruction against the other terms by itself:
    at its optimum the variance is the mean squared error (Rybkin et al. 2021, arXiv:2006.13202).
    """

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return self.each(output, x).flatten(1).sum(1)

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        squared = (output - x).square() * torch.exp(-2 * self.log_scale)
        return 0.5 * (squared + log(2 * pi)) + self.log_scale

    def error(self, output: Tensor, x: Tensor) -> Tensor:
        """That of `Gaussian`: with a scale for each run, runs would not compare."""
        return _unit_gaussian(output, x)

    def error_of_seen(self, output: Tensor, x: Tensor) -> Tensor:
        return Gaussian().nll_of_seen(output, x)


class MSE(Likelihood):
    """Mean squared error per element of standardised data: not nats, but what some papers' weights assume."""

    nats = False

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return (output - x).square().flatten(1).mean(1)

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        return (output - x).square()

    def nll_of_seen(self, output: Tensor, x: Tensor) -> Tensor:
        return super().nll_of_seen(output, x) / (~x.isnan()).flatten(1).sum(1).clamp(min=1)


class Categorical(Likelihood):
    """Words: the output is logits [batch, t, words]. Nats, summed over each sentence; padding counts nothing."""

    standardised = False
    elements = "words"

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        each = F.cross_entropy(output.flatten(0, 1), x.flatten(), ignore_index=PAD, reduction="none")
        return each.view_as(x).sum(1)


def _unit_gaussian(mean: Tensor, x: Tensor) -> Tensor:
    """[batch] nats of x under Gaussians of unit variance, summed over elements."""
    return 0.5 * ((mean - x).square() + log(2 * pi)).flatten(1).sum(1)


def squared_errors(logits: Tensor, x: Tensor) -> Tensor:
    """[batch] sum over the words x_t of a sentence and all words w of (p(w) - [w is x_t])^2 (Brier 1950)."""
    p = torch.softmax(logits, -1)
    hit = p.gather(-1, x.unsqueeze(-1)).squeeze(-1)
    return (p.square().sum(-1) - 2 * hit + 1).masked_fill(x == PAD, 0.0).sum(1)


def all_likelihoods() -> dict[str, type[Likelihood]]:
    """Every likelihood by its command-line name: those of this folder, then those of other packages."""
    return subclasses("prismae.nets", cast(Any, Likelihood), "prismae.likelihoods")


def likelihood(given: str | Likelihood) -> Likelihood:
    """The likelihood that is meant, by name or as it is; never "auto".

    Raises
    ------
    InputError
        For an unknown name, and anything else.
    """
    if isinstance(given, Likelihood):
        return given
    known = all_likelihoods()
    if not isinstance(given, str):
        raise InputError(
            f"A likelihood should be a name ({', '.join(known)} or auto) or a prismae.nets.Likelihood, got {given!r}."
        )
    if given not in known:
        raise unknown_name("likelihood", given, [*known, "auto"])
    return known[given]()
