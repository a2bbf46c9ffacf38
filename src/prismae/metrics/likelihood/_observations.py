"""Reading what a model says of each observation, and scores that are means over observations or words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from prismae.errors import InputError
from prismae.latent.gaussian import Gaussian
from prismae.latent.likelihood import effective_samples, log_mean_exp
from prismae.metrics._base import Learned
from prismae.metrics._inputs import as_array

Floats = NDArray[np.float64]


def as_samples(values: ArrayLike | Tensor, what: str) -> Tensor:
    """Nats of each observation at each of its posterior samples: float64 [n, k] on the CPU."""
    given = as_array(values)
    if given.ndim != 2 or 0 in given.shape:
        raise InputError(f"The {what} have shape {given.shape}, expected [observations, samples].")
    if given.dtype.kind not in "fiu":
        raise InputError(f"The {what} have type {given.dtype}, expected numbers.")
    if np.isnan(given).any():
        raise InputError(f"The {what} hold NaN, expected nats at every sample.")
    return torch.from_numpy(given.astype(np.float64))


def as_posterior(mean: ArrayLike | Tensor, log_var: ArrayLike | Tensor) -> Gaussian:
    """Posteriors of n observations in float64 on the CPU, both [n, m]."""
    given = as_array(mean), as_array(log_var)
    for each, what in zip(given, ("means", "log-variances"), strict=True):
        if each.ndim != 2 or 0 in each.shape:
            raise InputError(
                f"The posteriors' {what} have shape {each.shape}, expected [observations, codes]."
            )
        if each.dtype.kind not in "fiu" or not np.isfinite(each).all():
            raise InputError(f"The posteriors' {what} must be finite numbers.")
    if given[0].shape != given[1].shape:
        raise InputError(
            f"The posteriors' means have shape {given[0].shape} and their log-variances {given[1].shape}, expected the "
            "same."
        )
    return Gaussian(*(torch.from_numpy(each.astype(np.float64)) for each in given))


def as_words(words: ArrayLike | Tensor, n: int) -> Floats:
    """Number of words of each of n texts, [n]."""
    given = as_array(words)
    if given.shape != (n,):
        raise InputError(
            f"The numbers of words have shape {given.shape}, expected one of each of {n} observations."
        )
    if given.dtype.kind not in "fiu" or not (np.isfinite(given) & (given >= 1)).all():
        raise InputError("The numbers of words must be at least 1: the end of a sentence is a word.")
    return given.astype(np.float64)


@dataclass(frozen=True)
class MeanScore(Learned):
    """The mean over observations, the value of each [n] in nats, and settings that follow from what was given."""

    score: float
    each: Floats = field(repr=False)
    settings: dict[str, Any] = field(default_factory=dict)

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": float(rng.choice(self.each, size=len(self.each)).mean())}


@dataclass(frozen=True)
class WordScore(Learned):
    """Nats [n] over words [n] of all observations, or the exponential of that: the perplexity."""

    nats: Floats = field(repr=False)
    words: Floats = field(repr=False)
    perplexity: bool
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, float]:
        return {"": self._of(np.arange(len(self.nats)))}

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": self._of(rng.integers(len(self.nats), size=len(self.nats)))}

    def _of(self, rows: NDArray[np.int64]) -> float:
        rate = float(self.nats[rows].sum() / self.words[rows].sum())
        with np.errstate(over="ignore"):
            return float(np.exp(rate)) if self.perplexity else rate


def mean_score(each: Tensor, **settings: Any) -> MeanScore:
    """The score whose value for each observation [n] is given."""
    values = each.numpy()
    return MeanScore(float(values.mean()), values, settings)


def importance_weighted(log_weights: ArrayLike | Tensor) -> tuple[Tensor, dict[str, Any]]:
    """-log p(x) of each observation [n] by importance sampling, and how many samples stand behind it."""
    weights = as_samples(log_weights, "log-weights")
    said = {"n_samples": weights.shape[1], "effective_samples": float(effective_samples(weights).median())}
    return -log_mean_exp(weights), said


def evidence_bound(
    losses: ArrayLike | Tensor, mean: ArrayLike | Tensor, log_var: ArrayLike | Tensor
) -> tuple[Tensor, dict[str, Any]]:
    """Reconstruction and KL of each observation [n], the negative ELBO, and how many samples stand behind it."""
    at_samples, q = as_samples(losses, "losses"), as_posterior(mean, log_var)
    if len(at_samples) != len(q.mean):
        raise InputError(f"There are losses of {len(at_samples)} observations and {len(q.mean)} posteriors.")
    return at_samples.mean(1) + q.kl_to_standard().sum(1), {"n_samples": at_samples.shape[1]}
