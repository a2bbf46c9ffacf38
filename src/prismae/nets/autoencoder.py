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
        Shape of an observation, where `lacking` or `given` is.
    given
        The places of the elements of a row that are given: the decoder sees them behind the codes, and does not rebuild
        them.
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
        given: tuple[int, ...] = (),
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
        self.given = given
        self.places: Tensor
        self.given_mean: Tensor
        self.given_std: Tensor
        self.typical: Tensor
        if given:
            self.register_buffer("places", torch.tensor(given, dtype=torch.int64), persistent=False)
            for name, value in (
                ("given_mean", 0.0),
                ("given_std", 1.0),
                ("typical", 0.0),
            ):  # [g], of the data
                self.register_buffer(name, torch.full((len(given),), value))

    @property
    def partial(self) -> bool:
        """Whether some elements of observations are not rebuilt: they may be missing, or are given."""
        return self.lacking is not None or bool(self.given)

    def know(self, mean: Tensor, std: Tensor, typical: Tensor) -> None:
        """Hear of each element [*shape] of the data its mean, deviation and most usual value: of those that are given
        they are kept."""
        for name, value in (("given_mean", mean), ("given_std", std), ("typical", typical)):
            getattr(self, name).copy_(value.flatten()[self.places])
        self.given_std.masked_fill_(self.given_std == 0, 1.0)

    def to_rebuild(self, x: Tensor) -> Tensor:
        """Observations x [batch, *shape], and NaN for what is given of them."""
        if not self.given:
            return x
        return x.index_fill(1, self.places, torch.nan)

    def told_of(self, x: Tensor) -> Tensor:
        """What is given of observations x [batch, *shape], each element with mean 0 and deviation 1: [batch, g]."""
        return (x[:, self.places] - self.given_mean) / self.given_std

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

    def decode(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        """Output of the decoder for codes [batch, m]: what the likelihood reads, [batch, *shape].

        Where something is given, it is that of observations x [batch, *shape]; None: what is usual in the data.
        """
        beside = self.beside(z, x)
        return widened(self.decoder(z if beside is None else torch.cat([z, beside], 1)))

    def beside(self, z: Tensor, x: Tensor | None) -> Tensor | None:
        """What the decoder sees behind codes z [batch, m]: see `decode`. None where nothing is given."""
        if not self.given:
            return None
        if x is None:
            return ((self.typical - self.given_mean) / self.given_std).to(z.dtype).expand(len(z), -1)
        return self.told_of(x).to(z.dtype)

    def nll(self, x: Tensor, z: Tensor) -> Tensor:
        """Reconstruction term of x under the decoder at z: [batch], in the likelihood's unit."""
        target = self.standardise(self.to_rebuild(x))
        nll = self.likelihood.nll_of_seen if self.partial else self.likelihood.nll
        return nll(self.decode(z, x), target)

    def generate(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        """Expected observations for codes [batch, m], in the data's own units: [batch, *shape].

        Where something is given, it is that of observations x [batch, *shape], and comes back as it is; None: what is
        usual in the data.
        """
        expected = self._expected(self.decode(z, x))
        if not self.given:
            return expected
        told = self.typical.expand(len(z), -1) if x is None else x[:, self.places]
        return expected.index_copy(1, self.places, told.to(expected.dtype))

    def _expected(self, output: Tensor) -> Tensor:
        expected = self.likelihood.mean(output)
        return expected * self.std + self.mean if self.likelihood.standardised else expected

    def change(self, x: Tensor, z: Tensor, other: Tensor) -> Tensor:
        """Squared change of each element between what codes z and others decode to, for observations x [batch, *shape]:
        [batch, *shape], in units of the world's variance, as the errors of `errors` are."""
        return (self.generate(other, x) - self.generate(z, x)).square() / self.std.square()

    def errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Errors of reconstructions from mean codes, the same two for every method, averaged over the batch.

        Returns
        -------
        mse
            Squared error per element, in units of the world's variance.
        nats
            What the likelihood calls the error of a sample: see `prismae.nets.Likelihood.error`.

        Both are of the values that are neither missing nor given.
        """
        return self.looked(x)[:2]

    def looked(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same errors, and the mean codes [batch, m] that they are of."""
        code = self.encode(x).mean
        output = self.decode(code, x)
        target = self.standardise(self.to_rebuild(x))
        squared = (self.likelihood.mean(output) - target).square()
        unit = 1.0 if self.likelihood.standardised else self.std.square()
        if self.partial:
            return squared.nanmean() / unit, self.likelihood.error_of_seen(output, target).mean(), code
        return squared.mean() / unit, self.likelihood.error(output, target).mean(), code

    def row_errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same errors of each observation of x [batch, *shape]: [batch] and [batch]; of one without values NaN."""
        output, target = self.decode(self.encode(x).mean, x), self.to_rebuild(x)
        mse = (self._expected(output) - target).square().flatten(1).nanmean(1) / self.std.square()
        error = self.likelihood.error_of_seen if self.partial else self.likelihood.error
        return mse, error(output, self.standardise(target))

    def error_of_mean(self, x: Tensor) -> float:
        """The mse that `errors` would find if each reconstruction were the mean observation, as far as x shows it."""
        x = self.to_rebuild(x)
        if not self.partial:
            mean, n = x.mean(0), len(x)
            return float(((x - mean) / self.std).square().mean()) * n / max(n - 1, 1)
        seen = (~x.isnan()).sum(0)
        squared = ((x - x.nanmean(0)) / self.std).square() * (seen / (seen - 1).clamp(min=1))
        return float(squared.nanmean())
