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
    lacking
        Where observations may lack values (NaN): the places of the elements of a row of which the encoder is told
        whether they are missing, behind the row; () for none. None: observations have all their values.
    shape
        Shape of an observation, where `lacking` is given.
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
        lacking: tuple[int, ...] | None = None,
        shape: tuple[int, ...] = (),
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
        self.lacking = lacking
        self.fill: Tensor
        self.told: Tensor
        if lacking is not None:
            self.register_buffer(
                "fill", torch.full(shape, float(mean))
            )  # the mean of each element of the data
            self.register_buffer("told", torch.tensor(lacking, dtype=torch.int64), persistent=False)

    def standardise(self, x: Tensor) -> Tensor:
        """Data as the likelihood models them."""
        return (x - self.mean) / self.std if self.likelihood.standardised else x

    def encode(self, x: Tensor) -> Any:
        """Posterior over the codes of x [batch, *shape], of the method's kind; its `mean` is [batch, m]."""
        return self.posterior(self.encoded(x), self.parts)

    def encoded(self, x: Tensor) -> Tensor:
        """Output of the encoder as it is, [batch, n_outputs]: for methods that read more than the posterior in it."""
        return widened(self.encoder(self.standardise(x) if self.lacking is None else self.completed(x)))

    def completed(self, x: Tensor) -> Tensor:
        """What the encoder sees of observations that lack values: each element's mean in their place, and, behind a
        row, 1 for each element in `lacking` that is missing."""
        gaps = x.isnan()
        seen = self.standardise(torch.where(gaps, self.fill, x))
        return torch.cat([seen, gaps[:, self.told].to(seen.dtype)], 1) if self.lacking else seen

    def decode(self, z: Tensor) -> Tensor:
        """Output of the decoder for codes [batch, m]: what the likelihood reads, [batch, *shape]."""
        return widened(self.decoder(z))

    def nll(self, x: Tensor, z: Tensor) -> Tensor:
        """Reconstruction term of x under the decoder at z: [batch], in the likelihood's unit."""
        if self.lacking is not None:
            return self.likelihood.nll_of_seen(self.decode(z), self.standardise(x))
        return self.likelihood.nll(self.decode(z), self.standardise(x))

    def generate(self, z: Tensor) -> Tensor:
        """Expected observations for codes [batch, m], in the data's own units: [batch, *shape]."""
        return self._expected(self.decode(z))

    def _expected(self, output: Tensor) -> Tensor:
        expected = self.likelihood.mean(output)
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

        Both are of the values that are not missing.
        """
        output = self.decode(self.encode(x).mean)
        target = self.standardise(x)
        squared = (self.likelihood.mean(output) - target).square()
        unit = 1.0 if self.likelihood.standardised else self.std.square()
        if self.lacking is not None:
            return squared.nanmean() / unit, self.likelihood.error_of_seen(output, target).mean()
        return squared.mean() / unit, self.likelihood.error(output, target).mean()

    def row_errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same errors of each observation of x [batch, *shape]: [batch] and [batch]; of one without values NaN."""
        output = self.decode(self.encode(x).mean)
        mse = (self._expected(output) - x).square().flatten(1).nanmean(1) / self.std.square()
        error = self.likelihood.error if self.lacking is None else self.likelihood.error_of_seen
        return mse, error(output, self.standardise(x))

    def error_of_mean(self, x: Tensor) -> float:
        """The mse that `errors` would find if each reconstruction were the mean observation, as far as x shows it."""
        if self.lacking is None:
            mean, n = x.mean(0), len(x)
            return float(((x - mean) / self.std).square().mean()) * n / max(n - 1, 1)
        seen = (~x.isnan()).sum(0)
        squared = ((x - x.nanmean(0)) / self.std).square() * (seen / (seen - 1).clamp(min=1))
        return float(squared.nanmean())
