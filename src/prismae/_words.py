"""Sentences as numbers of words: the numbers that are no words, and padding."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

PAD, BOS, EOS, UNK = range(4)  # padding, start and end of a sentence, all unknown words


def lengths(ids: Tensor) -> Tensor:
    """[n] words of sentences [n, t], their ends among them, int64."""
    return (ids != PAD).sum(1)


def trimmed(ids: Tensor) -> Tensor:
    """Sentences [n, t] without the columns behind the longest of them."""
    return ids[:, : int(lengths(ids).max())]


def padded(parts: list[Tensor]) -> list[Tensor]:
    """Sentences [n, t] of several draws, all as wide as the widest."""
    width = max(ids.shape[1] for ids in parts)
    return [pad(ids, (0, width - ids.shape[1]), value=PAD) for ids in parts]
