"""What each latent tells of an observation, in nats: by its posterior, its channel, its values, or by what it moves.

One quantity in several forms, one for each kind of code: how much narrower than all codes together is what is known of
one code. Those of real codes agree where all can be had, in the linear-Gaussian model (probabilistic PCA), where a
latent of variance 1 along an eigenvector of variance lambda, with a residual variance of r^2 an element, tells
0.5 log(lambda / r^2) nats.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from prismae.latent.gaussian import Discrete, Gaussian


def posterior_information(q: Gaussian) -> Tensor:
    """Mean KL of posteriors [n, m] to the Gaussian that is nearest to them all, for each latent: [m], nats.

    That Gaussian has the mean and the variance of the aggregate posterior, V = E[sigma^2] + Var[mu], so the KL is
    0.5 (log V - E[log sigma^2]). It is the mutual information of observation and code, plus the KL of the aggregate
    from its Gaussian: an upper bound, and equal where the aggregate is one. No prior comes into it: unlike the KL to
    N(0, 1) it has no offset where codes lie off 0, and holds for a prior that is a mixture.
    """
    mean, log_var = q.mean.double(), q.log_var.double()
    total = log_var.exp().mean(0) + mean.var(0, correction=0)
    return (0.5 * (total.log() - log_var.mean(0))).clamp(min=0)


def discrete_information(q: Discrete) -> Tensor:
    """Entropy of the value that each latent takes over observations, for each latent: [m], nats.

    A value is a function of the observation, so this is their mutual information.
    """
    shares = torch.stack([column.bincount(minlength=q.levels) for column in q.index.T]).double() / len(
        q.index
    )
    return -torch.xlogy(shares, shares).sum(1)


def channel_information(spread: Tensor, noise: Tensor) -> Tensor:
    """Capacity of Gaussian channels, of codes' deviations [m] and the noise's deviations [m]: [m], nats."""
    return 0.5 * torch.log1p((spread / noise).square())


def decoded_information(moved: Tensor, error: Tensor) -> Tensor:
    """What the decoder shows of a code that has no density: [m], nats. Our own reading.

    The capacity of a channel whose signal is the variance that a latent alone makes in the decoded data, summed over
    elements, `moved` [m], and whose noise is the residual error: `error`, the mean squared one of one element. So it is
    what could be read of the latent from data that carry this error, all other latents being known.
    """
    return 0.5 * torch.log1p(moved / error)


def variance_of_each(change: Callable[[Tensor, Tensor], Tensor], z: Tensor, order: Tensor) -> Tensor:
    """The variance in the decoded data that is due to each latent alone, the others being as they are: [m, *elements].

    Half of the mean squared change of the decoded data when a latent takes the value that it has for another
    observation: the estimator of Jansen (1999) for Sobol's total effect. For a linear decoder with columns w_i it is
    Var[z_i] w_i^2.

    Parameters
    ----------
    change
        Squared change of each element [n, *elements] between what two codes [n, m] decode to.
    z
        [n, m] codes.
    order
        [n] a permutation; each observation takes the value of the one that follows it there.
    """
    other = torch.empty_like(order)
    other[order] = order.roll(-1)
    found = []
    for i in range(z.shape[1]):
        moved = z.clone()
        moved[:, i] = z[other, i]
        found.append(0.5 * change(z, moved).mean(0))
    return torch.stack(found)


def effect(variances: Tensor, variance: float) -> Tensor:
    """How far each latent moves the element that it moves most, in standard deviations of the data's elements: [m].

    `variances` are those of `variance_of_each`, `variance` is the mean variance of the data's elements.
    """
    return (variances.flatten(1).amax(1) / variance).sqrt()
