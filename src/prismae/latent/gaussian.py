"""Posteriors over codes: a diagonal Gaussian, a point, and one of few values for each latent."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import Literal

import torch
from torch import Tensor

LOWEST, LOW, HIGH, HIGHEST = -15.0, -10.0, 4.0, 6.0  # of a log-variance; between LOW and HIGH it is as it is


def widened(x: Tensor) -> Tensor:
    """A network's output in single precision where a bfloat16 run made it narrower; else as it is, float64 too."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def bounded(log_var: Tensor) -> Tensor:
    """Log-variances as they are from -10 to 4, and bent beyond, so that they stay between -15 and 6.

    For a prior of unit variance that is a standard deviation of at most 20: one of 1,000, in one sample, moves the
    decoder so far that a training does not come back. The bend is y -> r y / (r + y) for what is over, y, and the room
    that is left, r: its slope is 1 at the start and never 0, so that the gradient leads back from any distance, where a
    clamp has none.
    """
    over, under = (log_var - HIGH).clamp(min=0), (LOW - log_var).clamp(min=0)
    up, down = HIGHEST - HIGH, LOW - LOWEST
    return log_var.clamp(LOW, HIGH) + up * over / (up + over) - down * under / (down + under)


@dataclass(frozen=True)
class Gaussian:
    """Diagonal Gaussian N(mean, exp(log_var)); both [batch, m]."""

    mean: Tensor
    log_var: Tensor

    @classmethod
    def from_parameters(cls, parameters: Tensor) -> Gaussian:
        """Read [batch, 2m] network outputs as means and log-variances, `widened`; log-variances are `bounded`."""
        mean, log_var = widened(parameters).chunk(2, dim=-1)
        return cls(mean, bounded(log_var))

    def flatten(self) -> Gaussian:
        """One row of dimensions for each of the batch: from [batch, k, m] to [batch, k m]."""
        return Gaussian(self.mean.flatten(1), self.log_var.flatten(1))

    def rsample(self) -> Tensor:
        """One reparameterised sample per row, [batch, m], from torch's current generator."""
        return self.mean + torch.exp(0.5 * self.log_var) * torch.randn_like(self.mean)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density of z per dimension, [batch, m], in nats."""
        return -0.5 * (self.log_var + log(2 * pi) + (z - self.mean).square() * torch.exp(-self.log_var))

    def kl_to_standard(self) -> Tensor:
        """KL(self || N(0, I)) per dimension, [batch, m], in nats; never negative."""
        return 0.5 * (self.mean.square() + torch.expm1(self.log_var) - self.log_var)

    def kl_to(self, other: Gaussian) -> Tensor:
        """KL(self || other) per dimension, in nats; the shapes may broadcast."""
        shift = (self.mean - other.mean).square() * torch.exp(-other.log_var)
        ratio = self.log_var - other.log_var
        return 0.5 * (shift + torch.expm1(ratio) - ratio)


def free_bits(kl: Tensor, floor: float, per: Literal["dimension", "sample", "batch"]) -> Tensor:
    """KL per dimension [batch, m] to a term whose parts are not below `floor` nats, where they have no gradient.

    "dimension": the batch's mean of each latent has the floor; scalar, the sum over latents. "sample": each sample's
    KL; [batch]. "batch": the mean KL of the batch; scalar.
    """
    if per == "dimension":
        return kl.mean(0).clamp(min=floor).sum()
    if per == "sample":
        return kl.sum(1).clamp(min=floor)
    return kl.sum(1).mean().clamp(min=floor)


def covariance(z: Tensor) -> Tensor:
    """Covariance [m, m] of the columns of z [batch, m], over the batch (divided by batch), in full precision."""
    with torch.autocast(z.device.type, enabled=False):
        return torch.cov(z.T, correction=0)


def cross_covariance(z: Tensor, s: Tensor) -> Tensor:
    """Covariances [m, k] of the columns of z [batch, m] with those of s [batch, k], as `covariance` has them."""
    m = z.shape[1]
    return covariance(torch.cat([z, s.to(z.dtype)], 1))[:m, m:]


@dataclass(frozen=True)
class Point:
    """A code without a density: deterministic autoencoders, and channels whose noise is added elsewhere."""

    mean: Tensor

    def rsample(self) -> Tensor:
        """The code itself, [batch, m]."""
        return self.mean


@dataclass(frozen=True)
class Discrete:
    """A code each of whose latents takes one of few values.

    Parameters
    ----------
    mean
        [batch, m] the values that are taken; how a gradient passes them is the method's choice.
    index
        [batch, m] which of its values each latent takes, int64.
    values
        [m, levels] those that each latent can take.
    """

    mean: Tensor
    index: Tensor
    values: Tensor

    @property
    def levels(self) -> int:
        """How many values a latent can take."""
        return self.values.shape[1]

    def rsample(self) -> Tensor:
        """The code itself, [batch, m]."""
        return self.mean


Posterior = Gaussian | Point | Discrete
