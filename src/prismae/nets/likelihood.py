"""How a decoder's output is compared with the data: p(x | z), up to what the name says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf, log, pi
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prismae._discovery import entry_name, kebab, subclasses
from prismae._words import PAD
from prismae.errors import InputError, unknown_name
from prismae.nets._base import Elements

Number = tuple[str, float, float]  # what a column's numbers are, their mean and their deviation
COUNTS = frozenset({"count", "poisson"})  # what these are called where they are counts


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
            "missing or given: expected another, or data without gaps and given columns."
        )

    def nll_of_seen(self, output: Tensor, x: Tensor) -> Tensor:
        """Negative log-likelihood of those elements of x that are no NaN: [batch]."""
        seen = ~x.isnan()
        return (self.each(output, x.nan_to_num(nan=0.0)) * seen).flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """Expected observation."""
        return output

    def set_columns(  # noqa: B027
        self, numbers: Sequence[Number], categories: Sequence[int], d: int, mean: float, std: float
    ) -> None:
        """Hear of what the d elements of an observation are, before the training and after a model is read.

        Parameters
        ----------
        numbers
            For each column of numbers of a table, what they are ("number", "count", "poisson", "truth"), the mean and
            deviation that were taken off them. Empty for all other data.
        categories
            How many categories each further column of the table has, an element for each.
        mean, std
            With which observations are standardised.
        """

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


class Poisson(Likelihood, nn.Module):
    """Counts, 0, 1, 2, …, as they are in an array; the output is the logarithm of each one's rate over the mean of all.
    Nats, summed over elements. Counts in a table are for `Columns`.
    """

    support = (0.0, inf)
    most = 15.0  # of that logarithm

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.shift: Tensor
        self.scale: Tensor
        self.rate: Tensor
        self._keep(0.0, 1.0)

    def set_columns(
        self, numbers: Sequence[Number], categories: Sequence[int], d: int, mean: float, std: float
    ) -> None:
        self._keep(mean, std)

    def _keep(self, mean: float, std: float) -> None:
        """Keep how standardised values become counts."""
        kept = {"shift": mean, "scale": std, "rate": mean if mean > 0 else 1.0}
        for name, value in kept.items():
            self.register_buffer(name, torch.tensor(float(value)), persistent=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return self.each(output, x).flatten(1).sum(1)

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        return -_poisson((x * self.scale + self.shift).clamp(min=0), self._log_rate(output))

    def mean(self, output: Tensor) -> Tensor:
        return (self._log_rate(output).exp() - self.shift) / self.scale

    def _log_rate(self, output: Tensor) -> Tensor:
        return self.rate.log() + output.clamp(-self.most, self.most)


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


class Columns(Likelihood, nn.Module):
    """Columns of a table, each by what it is. Nats, which add up over the columns.

    Numbers are Gaussian with a learned deviation for each column (`GaussianLearned` has one for all), at least e^-6 of
    the data's. A column of categories is categorical, with the outputs of its categories as logits. Columns of 0 and 1
    are Bernoulli. Counts are Poisson where their variance is their mean, as far as so many rows can tell, and else
    negative binomial with a learned dispersion for each column; the output is the logarithm of the rate over the
    column's mean (as for genes by Lopez et al. 2018, doi:10.1038/s41592-018-0229-2; there are no excess zeros here). Of
    data that are no table all elements are numbers. Expected are probabilities and rates.
    """

    least, most = -6.0, 15.0  # of logarithms: of deviations and dispersions, and of rates over means

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.log_scale = nn.Parameter(torch.zeros(1))
        self.widths: tuple[int, ...] = ()
        self.sorts: frozenset[str] = frozenset()
        self.scale: Tensor
        self.shift: Tensor
        self.rate: Tensor
        self.counts: Tensor
        self.poisson: Tensor
        self.truths: Tensor
        self.mean_of_all: Tensor
        self.std_of_all: Tensor
        self._keep([("number", 0.0, 1.0)], 0.0, 1.0)

    def set_columns(
        self, numbers: Sequence[Number], categories: Sequence[int], d: int, mean: float, std: float
    ) -> None:
        self.widths = tuple(categories)
        d -= sum(self.widths)
        self.log_scale = nn.Parameter(torch.zeros(d))
        if numbers or categories:
            self._keep(numbers, mean, std)
        else:
            self._keep([("number", 0.0, 1.0)] * d, 0.0, 1.0)

    def _keep(self, numbers: Sequence[Number], mean: float, std: float) -> None:
        """Keep how standardised values become counts, 0 and 1, or numbers with mean 0 and deviation 1."""
        self.sorts = frozenset(sort for sort, _, _ in numbers)
        own = [(1.0, 0.0) if sort == "number" else (scale, shift) for sort, shift, scale in numbers]
        kept = {
            "scale": torch.tensor([scale * std for scale, _ in own]),
            "shift": torch.tensor([scale * mean + shift for scale, shift in own]),
            "rate": torch.tensor([max(shift, 1e-6) if sort in COUNTS else 1.0 for sort, shift, _ in numbers]),
            "counts": torch.tensor([sort in COUNTS for sort, _, _ in numbers], dtype=torch.bool),
            "poisson": torch.tensor([sort == "poisson" for sort, _, _ in numbers], dtype=torch.bool),
            "truths": torch.tensor([sort == "truth" for sort, _, _ in numbers], dtype=torch.bool),
            "mean_of_all": torch.tensor(float(mean)),
            "std_of_all": torch.tensor(float(std)),
        }
        for name, tensor in kept.items():
            self.register_buffer(name, tensor, persistent=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        return self.each(output, x).flatten(1).sum(1)

    def each(self, output: Tensor, x: Tensor) -> Tensor:
        return self._each(output, x, self.log_scale.clamp(min=self.least))

    def error(self, output: Tensor, x: Tensor) -> Tensor:
        """Numbers count as `Gaussian` has them: with deviations for each run, runs would not compare."""
        return self._each(output, x, self._unit()).flatten(1).sum(1)

    def error_of_seen(self, output: Tensor, x: Tensor) -> Tensor:
        seen = ~x.isnan()
        return (self._each(output, x.nan_to_num(nan=0.0), self._unit()) * seen).flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        o, logits = self._parts(output)
        if "truth" in self.sorts:
            o = torch.where(self.truths, torch.sigmoid(o), o)
        if self.sorts & COUNTS:
            o = torch.where(self.counts, self.rate * o.clamp(-self.most, self.most).exp(), o)
        expected = [(o - self.shift) / self.scale]
        expected += [(torch.softmax(each, 1) - self.mean_of_all) / self.std_of_all for each in logits]
        return torch.cat(expected, 1).view_as(output)

    def as_data(self) -> dict[str, Any]:
        """The way from outputs to what is expected, `mean`, as plain data.

        To column i of numbers what its letter in `sorts` says (c of a count, t of a truth value, n of others), with its
        `rate` (without one it is the `shift`), `shift` and `scale`; to the categories behind them, in columns of
        `widths`, a softmax, scaled.
        """
        rate = self.rate.expand_as(self.shift)
        pairs = zip(self.counts.expand_as(self.shift), self.truths.expand_as(self.shift), strict=True)
        numbers = {"shift": self.shift, "scale": self.scale}
        if not torch.equal(rate, self.shift):  # as it is where all are counts, scaled by their means
            numbers["rate"] = rate
        return {
            "sorts": "".join("c" if count else "t" if truth else "n" for count, truth in pairs),
            **{name: [float(f"{value:.5g}") for value in each.tolist()] for name, each in numbers.items()},
            "widths": list(self.widths),
            "mean": float(self.mean_of_all),
            "std": float(self.std_of_all),
            "most": self.most,
        }

    def _unit(self) -> Tensor:
        scale = self.log_scale.clamp(min=self.least)
        return torch.where(self.counts, scale, torch.zeros_like(scale))

    def _parts(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The elements [batch, d] of columns of numbers, and those of each column of categories."""
        x = x.flatten(1)
        first = x.shape[1] - sum(self.widths)
        return x[:, :first], x[:, first:].split(self.widths, 1) if self.widths else ()

    def _each(self, output: Tensor, x: Tensor, log_scale: Tensor) -> Tensor:
        (o, logits), (given, one_hot) = self._parts(output), self._parts(x)
        value = given * self.scale + self.shift
        found = 0.5 * ((o - value).square() * torch.exp(-2 * log_scale) + log(2 * pi)) + log_scale
        if "truth" in self.sorts:
            bernoulli = F.binary_cross_entropy_with_logits(o, value.clamp(0, 1), reduction="none")
            found = torch.where(self.truths, bernoulli, found)
        if self.sorts & COUNTS:
            k = torch.where(self.counts, value, torch.zeros_like(value)).round().clamp(min=0)
            log_rate = self.rate.log() + o.clamp(-self.most, self.most)
            found = torch.where(self.counts, -_negative_binomial(k, log_rate, -log_scale), found)
            if "poisson" in self.sorts:
                found = torch.where(self.poisson, -_poisson(k, log_rate), found)
        terms = [found]
        for each, known in zip(logits, one_hot, strict=True):
            p = known * self.std_of_all + self.mean_of_all
            terms.append(-p * torch.log_softmax(each, 1))
        return torch.cat(terms, 1).view_as(x)


def _poisson(k: Tensor, log_rate: Tensor) -> Tensor:
    """Log-probability of counts k of mean exp(log_rate)."""
    return k * log_rate - log_rate.exp() - torch.lgamma(k + 1)


def _negative_binomial(k: Tensor, log_rate: Tensor, log_size: Tensor) -> Tensor:
    """Log-probability of counts k of mean exp(log_rate) and variance mean + mean^2 / size."""
    size = log_size.exp()
    log_both = torch.logaddexp(log_size, log_rate)
    ways = torch.lgamma(k + size) - torch.lgamma(size) - torch.lgamma(k + 1)
    return ways + size * (log_size - log_both) + k * (log_rate - log_both)


def squared_errors(logits: Tensor, x: Tensor) -> Tensor:
    """[batch] sum over the words x_t of a sentence and all words w of (p(w) - [w is x_t])^2 (Brier 1950)."""
    p = torch.softmax(logits, -1)
    hit = p.gather(-1, x.unsqueeze(-1)).squeeze(-1)
    return (p.square().sum(-1) - 2 * hit + 1).masked_fill(x == PAD, 0.0).sum(1)


def all_likelihoods() -> dict[str, type[Likelihood]]:
    """Every likelihood by its command-line name: those of this folder, then those of other packages."""
    return subclasses("prismae.nets", cast(Any, Likelihood), "prismae.likelihoods", frozen=False)


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
