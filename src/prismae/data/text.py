"""Texts: sentences in files, the vocabulary of those that are trained on, and how sentences lie in memory."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from prismae._words import EOS, PAD, UNK, lengths, trimmed
from prismae.errors import InputError

SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
LONGEST = 256  # words of a sentence, its end among them
WORDS = 10_000  # of a vocabulary, beside the special ones
SUFFIXES = (".txt", ".txt.gz")
_MOST_BYTES = 400_000_000  # of a file, unpacked

Sentences = Sequence[Sequence[str]]

_WORD = re.compile(r"<\w+>|\w+(?:[-'’.]\w+)*|[^\w\s]")  # a marker such as <unk>, a word, or a sign


@dataclass(frozen=True)
class Vocabulary:
    """The words that are known, by their number; 0 to 3 are padding, start, end and all unknown words."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sentences, most: int = WORDS) -> Self:
        """The `most` frequent words of the sentences, the frequent first, equals in alphabetical order.

        Raises
        ------
        InputError
            For sentences that are all of one and the same word.
        """
        counts = Counter(word for sentence in sentences for word in sentence)
        counts.pop(SPECIAL[UNK], None)
        if len(counts) < 2:
            raise InputError(
                f"The texts have a vocabulary of {len(counts)} word{'s' * (len(counts) != 1)}, expected at least two."
            )
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        return cls((*SPECIAL, *ordered[:most]))

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, sentences: Sentences) -> Tokens:
        """Sentences as numbers, each with its end."""
        number = {word: i for i, word in enumerate(self.words)}
        rows = [torch.tensor([*(number.get(word, UNK) for word in each), EOS]) for each in sentences]
        return Tokens(pad_sequence(rows, batch_first=True).int())

    def decode(self, ids: Tensor) -> list[str]:
        """Sentences [n, t] of numbers as texts, each up to its end."""
        texts = []
        for row in ids.tolist():
            end = next((t for t, word in enumerate(row) if word in (PAD, EOS)), len(row))
            texts.append(" ".join(self.words[word] for word in row[:end]))
        return texts


@dataclass(frozen=True)
class Tokens:
    """Sentences [n, longest] as numbers of words (int32), each with its end, and zeros behind it.

    They are drawn as int64 and only as long as the longest of the draw, so that no network works on padding
    that the batch does not need.
    """

    values: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape[1:])

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def lengths(self) -> Tensor:
        """[n] words of each sentence, its end among them, int64."""
        return lengths(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return trimmed(self.values.index_select(0, indices).long())

    @property
    def nbytes(self) -> int:
        return self.values.nbytes

    def extremes(self) -> tuple[float, float]:
        """The least and greatest element of words written one-hot."""
        return 0.0, 1.0

    def take(self, rows: Tensor) -> Tokens:
        return Tokens(self.values[rows])

    def to(self, device: torch.device | str) -> Tokens:
        return Tokens(self.values.to(device))


def restricted(vocabulary: Vocabulary, kept: Tokens, held: Tokens) -> tuple[Vocabulary, Tokens, Tokens]:
    """The vocabulary of `kept` alone, and both texts in it: what only `held` has becomes unknown."""
    known = torch.zeros(len(vocabulary), dtype=torch.bool)
    known[kept.values.unique().long()] = True
    known[: len(SPECIAL)] = True
    number = torch.where(known, known.cumsum(0) - 1, UNK).int()
    words = tuple(word for word, stays in zip(vocabulary.words, known.tolist(), strict=True) if stays)
    return (
        Vocabulary(words),
        Tokens(number[kept.values.long()]),
        Tokens(number[held.values.long()]),
    )


def split_words(line: str) -> list[str]:
    """Words and signs of a line, in lower case: ``"It's here."`` → it's, here, "."."""
    return _WORD.findall(line.replace("_UNK", SPECIAL[UNK]).lower())


def read_sentences(path: Path, *, tokenised: bool = False) -> list[list[str]]:
    """The sentences of a text file, one in each line.

    Parameters
    ----------
    path
        A UTF-8 file, also gzipped.
    tokenised
        Whether its words stand apart by spaces already, and are to be taken as they are; else `split_words`.

    Raises
    ------
    InputError
        For a file that cannot be read or is no UTF-8 text, an empty file or line, and a sentence of over 255 words.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    if len(data) > _MOST_BYTES:
        raise InputError(f"{path} holds over {_MOST_BYTES / 1e6:.0f} MB of text, expected less.")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line} is no UTF-8 text: expected a file in that encoding.") from None
    if not lines:
        raise InputError(f"{path} is empty, expected a sentence in each line.")
    return as_sentences(lines, str(path), tokenised=tokenised)


def as_sentences(lines: Iterable[str], where: str, *, tokenised: bool = False) -> list[list[str]]:
    """Lines as sentences of words; `where` names the file in messages. See `read_sentences`."""
    split = str.split if tokenised else split_words
    sentences = [split(line) for line in lines]
    for number, words in enumerate(sentences, start=1):
        if not words:
            raise InputError(f"{where}, line {number} is empty: expected a sentence in each line.")
        if len(words) >= LONGEST:
            raise InputError(
                f"{where}, line {number} has {len(words)} words, expected at most {LONGEST - 1}: "
                "put each sentence in a line of its own."
            )
    return sentences
