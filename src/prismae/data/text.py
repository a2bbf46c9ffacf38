"""Texts: sentences in files, the vocabulary of those that are trained on, and how sentences lie in memory."""

from __future__ import annotations

import gzip
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from prismae._words import EOS, PAD, UNK, lengths, trimmed
from prismae.data.files import of_one_byte
from prismae.data.packed_text import encoding_of
from prismae.errors import InputError, in_a_sentence

SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
LONGEST = 256  # words of a sentence, its end among them
LONGEST_LINE = 1024  # characters of a line, where these are the tokens
WORDS = 10_000  # of a vocabulary, beside the special ones
SUFFIXES = (".txt", ".txt.gz")
_MOST_BYTES = 400_000_000  # of a file, unpacked

Sentences = Sequence[Sequence[str]]

_WORD = re.compile(r"<\w+>|\w+(?:[-'’.]\w+)*|[^\w\s]")  # a marker such as <unk>, a word, or a sign
_ALONE = (
    "\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han, Hiragana
)
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_MUCH = 0.2  # share of a text in such a script from which a user is told
_LOOKED_AT = 1_000_000  # characters of it
_FOREIGN = 0.3  # share of bytes beyond ASCII from which a text is not of a Latin script


@dataclass(frozen=True)
class Vocabulary:
    """The words that are known, by their number; 0 to 3 are padding, start, end and all unknown words."""

    words: tuple[str, ...]
    characters: bool = False  # whether the words are characters, which stand side by side

    @classmethod
    def of(cls, sentences: Sentences, most: int = WORDS, *, characters: bool = False) -> Self:
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
        return cls((*SPECIAL, *ordered[:most]), characters)

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
            texts.append(("" if self.characters else " ").join(self.words[word] for word in row[:end]))
        return texts

    def split(self, text: str) -> list[str]:
        """The words of a text that `decode` wrote."""
        return split_characters(text) if self.characters else text.split()


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
        Vocabulary(words, vocabulary.characters),
        Tokens(number[kept.values.long()]),
        Tokens(number[held.values.long()]),
    )


def split_words(line: str) -> list[str]:
    """Words and signs of a line, in lower case: ``"It's here."`` → it's, here, ".".

    A mark belongs to the letter before it, and each Han or Hiragana character is a word, as in Unicode's word
    boundaries (UAX #29); of scripts without spaces that need a dictionary (Thai) a run of letters is one.
    """
    line = line.replace("_UNK", SPECIAL[UNK]).lower()
    return (_WORD if line.isascii() else _unicode()[0]).findall(line)


def split_characters(line: str) -> list[str]:
    """The characters of a line as they are, each with the marks behind it."""
    return list(line) if line.isascii() else _unicode()[1].findall(line)


@cache
def _unicode() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is a word, and what a character, of any text."""
    places = (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0))
    marks = "".join(chr(i) for i in places if unicodedata.category(chr(i))[0] == "M") + "\u200c\u200d"
    letter = rf"(?:[^\W{_ALONE}][{marks}]*)"
    word = rf"<\w+>|[{_ALONE}][{marks}]*|{letter}+(?:[-'’.]{letter}+)*|[^\w\s][{marks}]*"
    return re.compile(word), re.compile(rf".[{marks}]*", re.DOTALL)


def read_lines(path: Path) -> tuple[list[str], list[str]]:
    """The lines of a text file, gzipped or not, and what a user should know of how it was read.

    Lines end with a line feed and nothing else. UTF-8, UTF-16 with a mark at its start, and else Latin-1 or
    what Windows made of it.

    Raises
    ------
    InputError
        For a file that cannot be read, is empty, or is no text.
    """
    with (
        in_a_sentence(f"{path} cannot be read", OSError, EOFError, zlib.error),
        gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file,
    ):
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InputError(f"{path} holds over {_MOST_BYTES / 1e6:.0f} MB of text, expected less.")
    notices: list[str] = []
    try:
        text = data.decode(encoding_of(data[:_LOOKED_AT])).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if sum(byte > 127 for byte in data[:_LOOKED_AT]) > _FOREIGN * len(data[:_LOOKED_AT]):
            raise InputError(
                f"{path}, line {line} is no UTF-8 text, nor one in Latin-1: convert it to UTF-8."
            ) from None
        encoding = of_one_byte([data])
        text = data.decode(encoding)
        called = {"latin-1": "Latin-1", "cp1252": "Windows-1252"}[encoding]
        notices.append(f"line {line} is no UTF-8 text, so all is read as {called} (else convert it to UTF-8)")
    if "\0" in text:
        raise InputError(f"{path} is no text: expected a sentence in each line.")
    if "\n" not in text:  # as computers of the last century ended lines
        text = text.replace("\r", "\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = lines[:-1] if lines[-1] == "" else lines
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} is empty, expected a sentence in each line.")
    return lines, [*notices, *_of_tabs(lines), *_of_scripts(text[:_LOOKED_AT])]


def _of_tabs(lines: list[str]) -> list[str]:
    """What is to be said of lines that tabs part, as if each were a row of a table."""
    full = [line for line in lines if line.strip()]
    parted = sum("\t" in line.strip() for line in full)
    if parted <= _MUCH * len(full):
        return []
    return [
        f"{parted:,} of {len(full):,} lines have tabs, as between a label and a text: all of a line is one sentence "
        "(take out what is none of it; --sep tab reads columns)"
    ]


def _of_scripts(text: str) -> list[str]:
    """What is to be said of scripts that have no spaces between words."""
    letters = max(len(re.findall(r"\w", text)), 1)
    if len(re.findall(f"[{_ALONE}]", text)) > _MUCH * letters:
        return [
            "Chinese and Japanese have no spaces between words: each of their characters counts as a word "
            "(--tokens characters takes those of other scripts too)"
        ]
    if len(re.findall(f"[{_SPACELESS}]", text)) > _MUCH * letters:
        return [
            "the text has no spaces between words, so that a run of letters counts as one: --tokens characters takes "
            "its characters"
        ]
    return []


def read_sentences(path: Path) -> list[list[str]]:
    """The sentences of a text file whose words stand apart by spaces already, one in each line; see `read_lines`."""
    lines, _ = read_lines(path)
    return as_sentences(lines, str(path), tokenised=True)


def as_sentences(
    lines: Iterable[str],
    where: str,
    *,
    tokenised: bool = False,
    characters: bool = False,
    skip_empty: bool = False,
) -> list[list[str]]:
    """Lines as sentences of words.

    Parameters
    ----------
    where
        Names the file in messages.
    tokenised
        Whether their words stand apart by spaces already, and are to be taken as they are; else `split_words`.
    characters
        Whether each character is taken for a word.
    skip_empty
        Whether lines without any are left out.

    Raises
    ------
    InputError
        For empty lines, and sentences of over 255 words, or lines of over 1,023 characters.
    """
    split = split_characters if characters else str.split if tokenised else split_words
    most, what = (LONGEST_LINE, "characters") if characters else (LONGEST, "words")
    sentences, long = [], []
    for number, words in enumerate((split(line) if line.strip() else [] for line in lines), start=1):
        if not words and not skip_empty:
            raise InputError(f"{where}, line {number} is empty: expected a sentence in each line.")
        if len(words) >= most:
            long.append((number, len(words)))
        if words:
            sentences.append(words)
    if long:
        more = f", and {len(long) - 1} lines more are as long" if len(long) > 1 else ""
        raise InputError(
            f"{where}, line {long[0][0]} has {long[0][1]} {what}, expected at most {most - 1}{more}: "
            "put each sentence in a line of its own."
        )
    return sentences
