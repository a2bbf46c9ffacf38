"""LSTM encoder and decoder for texts."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import torch
from torch import Tensor, nn

from prismae._words import BOS, PAD, UNK, lengths
from prismae.fields import BelowOne, Count, Fraction
from prismae.nets._base import Elements, Net

WIDTH = 256
INIT = 0.1  # weights of that width start uniform within this


class LSTMEncoder(nn.Module):
    """Sentences [batch, t] → outputs [batch, n_outputs], from the state at each sentence's end."""

    def __init__(self, words: int, n_outputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PAD)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.out = nn.Linear(width, n_outputs)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.lstm(self.dropout(self.embedding(ids)))
        return self.out(states[torch.arange(len(ids), device=ids.device), lengths(ids) - 1])


class LSTMDecoder(nn.Module):
    """Codes [batch, m] → logits of each next word; the code is the first state, and part of every input."""

    def __init__(self, words: int, n_latents: int, width: int, dropout: float, word_dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PAD)
        self.dropout = nn.Dropout(dropout)
        self.word_dropout = word_dropout
        self.start = nn.Linear(n_latents, 2 * width)
        self.lstm = nn.LSTM(width + n_latents, width, batch_first=True)
        self.out = nn.Linear(width, words)

    def forward(self, z: Tensor, ids: Tensor) -> Tensor:
        """Logits [batch, t, words] of the words of ids [batch, t], each given those before it."""
        before = torch.cat([torch.full_like(ids[:, :1], BOS), ids[:, :-1]], 1)
        if self.training and self.word_dropout:
            hidden = torch.rand(before.shape, device=before.device) < self.word_dropout
            before = torch.where(hidden & (before != BOS), UNK, before)
        logits, _ = self.step(z, before, self.first_state(z))
        return logits

    def first_state(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """State and memory, each [1, batch, width], before the first word."""
        state, memory = self.start(z).unsqueeze(0).chunk(2, -1)
        return torch.tanh(state).contiguous(), memory.contiguous()

    def step(
        self, z: Tensor, ids: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Logits [batch, t, words] of the words that follow ids [batch, t], and the state behind them."""
        codes = z.unsqueeze(1).expand(-1, ids.shape[1], -1)
        states, state = self.lstm(torch.cat([self.dropout(self.embedding(ids)), codes], -1), state)
        return self.out(self.dropout(states)), state


@dataclass(frozen=True)
class LSTM(Net):
    """Encoder and decoder of one LSTM layer each, for sentences, after Bowman et al. 2016.

    Weights start uniform in [-0.1, 0.1] at width 256, as in the codes of Kim et al. 2018 and He et al. 2019; at others
    within 0.1 sqrt(256 / width), which is ours: signals that fade on their way through a narrow network reach no code.
    """

    elements: ClassVar[Elements] = "words"

    width: Count = WIDTH  # of embeddings and states
    dropout: BelowOne = 0.5  # of embeddings and of the decoder's states before the words are read from them
    word_dropout: Fraction = (
        0.0  # share of words that the decoder sees as <unk> in training, so that it asks the code
    )

    def build(
        self, shape: tuple[int, ...], n_outputs: int, n_latents: int
    ) -> tuple[LSTMEncoder, LSTMDecoder]:
        words = shape[-1]
        players = (
            LSTMEncoder(words, n_outputs, self.width, self.dropout),
            LSTMDecoder(words, n_latents, self.width, self.dropout, self.word_dropout),
        )
        bound = INIT * sqrt(WIDTH / self.width)
        for player in players:
            for parameter in player.parameters():
                nn.init.uniform_(parameter, -bound, bound)
            with torch.no_grad():
                player.embedding.weight[PAD].zero_()
        return players
