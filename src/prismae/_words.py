"""Sentences as numbers of words: the numbers that are no words, and padding."""

from __future__ import annotations

from torch import Tensor

PAD, BOS, EOS, UNK = range(4)  # padding, start and end of a sentence, all unknown words


def lengths(ids: Tensor) -> Tensor:
    """[n] words of sentences [n, t], their ends among them, int64."""
    return (ids != PAD).sum(1)


def trimmed(ids: Tensor) -> Tensor:
    """Sentences [n, t] without the columns behind the longest of them."""
    return ids[:, : int(lengths(ids).max())]
