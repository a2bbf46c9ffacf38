"""The autoencoder of texts: a decoder that reads the words before, and so can write word by word."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from prismae._words import BOS, EOS, PAD, UNK, lengths, trimmed
from prismae.errors import InputError
from prismae.latent.gaussian import widened
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import squared_errors
from prismae.nets.lstm import LSTMDecoder

TOGETHER = 32  # sentences whose errors are measured at once: for each word there are logits of all words


class TextAutoencoderNet(AutoencoderNet):
    """An autoencoder whose decoder is given the words that come before: p(x | z) = prod_t p(x_t | x_<t, z).

    Observations are int64 numbers of words [batch, t], 0 behind each end, as `prismae.data.Tokens` draws them.
    """

    decoder: LSTMDecoder
    max_norm = 5.0  # recurrent networks have steps in their loss, from which a gradient may throw them far

    def __init__(self, *args: Any, longest: int, **given: Any) -> None:
        super().__init__(*args, **given)
        self.longest = longest  # words of a sentence that is written

    def nll(self, x: Tensor, z: Tensor) -> Tensor:
        """Negative log-likelihood of sentences x [batch, t] at z: [batch], nats, each word given those before it."""
        return self.likelihood.nll(widened(self.decoder(z, x)), x)

    def decode(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        raise InputError("A decoder of texts has no output for codes alone: see `generate` and `nll`.")

    @torch.no_grad()
    def generate(self, z: Tensor, x: Tensor | None = None, *, temperature: float = 0.0) -> Tensor:
        """Sentences for codes [batch, m]: numbers of words [batch, t], 0 behind each end.

        Parameters
        ----------
        temperature
            0: the likeliest word at each place (greedy). Else words are drawn from torch's generator, with
            probabilities to the power of 1 / temperature. Neither padding, start nor the unknown word is written.
        """
        words = torch.full((len(z), 1), BOS, device=z.device)
        state, ended = self.decoder.first_state(z), torch.zeros(len(z), dtype=torch.bool, device=z.device)
        written = []
        for _ in range(self.longest):
            logits, state = self.decoder.step(z, words, state)
            logits = logits[:, 0].float()
            logits[:, [PAD, BOS, UNK]] = -torch.inf
            if temperature > 0:
                words = torch.multinomial(torch.softmax(logits / temperature, -1), 1)
            else:
                words = logits.argmax(-1, keepdim=True)
            written.append(words[:, 0].masked_fill(ended, PAD))
            ended = ended | (words[:, 0] == EOS)
            if ended.all():
                break
        return trimmed(torch.stack(written, 1))

    def change(self, x: Tensor, z: Tensor, other: Tensor) -> Tensor:
        """Squared change of the words' probabilities between codes z and others, each word given those before it,
        summed over each sentence: [batch, 1], in the unit of the errors of `errors`."""
        p, q = (torch.softmax(widened(self.decoder(each, x)), -1) for each in (z, other))
        each = (p - q).square().sum(-1).masked_fill(x == PAD, 0.0)
        return each.sum(1, keepdim=True) / (1 - 1 / p.shape[-1])

    def errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Errors at mean codes, each word given the true ones before it.

        Returns
        -------
        mse
            Squared error of the probabilities against words written one-hot, per word, in units of their variance:
            about 1 for a model that knows nothing, at most about 2.
        nats
            Negative log-likelihood per sentence.
        """
        parts = [self._summed(part) for part in x[lengths(x).argsort(stable=True)].split(TOGETHER)]
        squared, nats = torch.stack([each.sum(1) for each in parts]).sum(0)
        return squared / self._unit / lengths(x).sum(), nats / len(x)

    def looked(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return *self.errors(x), self.encode(x).mean

    def row_errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        order = lengths(x).argsort(stable=True)
        squared, nats = torch.cat([self._summed(part) for part in x[order].split(TOGETHER)], 1)[
            :, order.argsort()
        ]
        return squared / self._unit / lengths(x), nats

    @property
    def _unit(self) -> float:
        """The variance of a word written one-hot, of words that are all alike."""
        return 1 - 1 / self.decoder.out.out_features

    def _summed(self, x: Tensor) -> Tensor:
        """[2, batch] both errors, summed over the words of sentences."""
        ids = trimmed(x)
        logits = widened(self.decoder(self.encode(ids).mean, ids))
        return torch.stack([squared_errors(logits, ids), self.likelihood.error(logits, ids)])

    def error_of_mean(self, x: Tensor) -> float:
        """1: the unit of `errors` is that of a model for which all words are alike."""
        return 1.0
