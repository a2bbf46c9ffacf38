"""The autoencoder that every method trains: encoder, decoder, posterior and likelihood."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from prismae.latent.gaussian import Posterior, widened
from prismae.nets.likelihood import Likelihood


class AutoencoderNet(nn.Module):
    """Encoder and decoder, with the reading of their outputs.

    Parameters
    ----------
    encoder, decoder
        Networks [batch, *shape] → parameters of the posterior, and codes [batch, m] → [batch, *shape].
    posterior
        Reads the encoder's output, with the `parts`; a method's.
    likelihood
        Reads the decoder's output.
    mean, std
        Mean and standard deviation of the world's elements, with which data are standardised unless the likelihood
        models them as they are.
    parts
        Further networks that belong to the method (a learned prior, say); trained with the autoencoder.
    """

    max_norm: float = inf  # to which gradients are clipped in training

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        posterior: Callable[[Tensor, nn.ModuleDict], Posterior],
        likelihood: Likelihood,
        mean: float,
        std: float,
        parts: nn.ModuleDict | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.parts = parts if parts is not None else nn.ModuleDict()
        self.posterior = posterior
        self.likelihood = likelihood
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(float(mean)))
        self.register_buffer("std", torch.tensor(float(std)))

    def standardise(self, x: Tensor) -> Tensor:
        """Data as the likelihood models them."""
        return (x - self.mean) / self.std if self.likelihood.standardised else x

    def encode(self, x: Tensor) -> Any:
        """Posterior over the codes of x [batch, *shape], of the method's kind; its `mean` is [batch, m]."""
        return self.posterior(self.encoded(x), self.parts)

    def encoded(self, x: Tensor) -> Tensor:
        """Output of the encoder as it is, [batch, n_outputs]: for methods that read more than the posterior in it."""
        return widened(self.encoder(self.standardise(x)))

    def decode(self, z: Tensor) -> Tensor:
        """Output of the decoder for codes [batch, m]: what the likelihood reads, [batch, *shape]."""
        return widened(self.decoder(z))

    def nll(self, x: Tensor, z: Tensor) -> Tensor:
        """Reconstruction term of x under the decoder at z: [batch], in the likelihood's unit."""
        return self.likelihood.nll(self.decode(z), self.standardise(x))

    def generate(self, z: Tensor) -> Tensor:
        """Expected observations for codes [batch, m], in the data's own units: [batch, *shape]."""
        expected = self.likelihood.mean(self.decode(z))
        return expected * self.std + self.mean if self.likelihood.standardised else expected

    def change(self, x: Tensor, z: Tensor, other: Tensor) -> Tensor:
        """Squared change of each element between what codes z and others decode to, for observations x [batch, *shape]:
        [batch, *shape], in units of the world's variance, as the errors of `errors` are."""
        return (self.generate(other) - self.generate(z)).square() / self.std.square()

    def errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Errors of reconstructions from mean codes, the same two for every method, averaged over the batch.

        Returns
        -------
        mse
            Squared error per element, in units of the world's variance.
        nats
            What the likelihood calls the error of a sample: see `prismae.nets.Likelihood.error`.
        """
        output = self.decode(self.encode(x).mean)
        target = self.standardise(x)
        squared = (self.likelihood.mean(output) - target).square().mean()
        unit = 1.0 if self.likelihood.standardised else self.std.square()
        return squared / unit, self.likelihood.error(output, target).mean()

    def error_of_mean(self, x: Tensor) -> float:
        """The mse that `errors` would find if each reconstruction were the mean observation, as far as x shows it."""
        n = len(x)
        return float(((x - x.mean(0)) / self.std).square().mean()) * n / max(n - 1, 1)
