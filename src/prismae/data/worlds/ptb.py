"""The world `ptb`, from its three usual files."""

from __future__ import annotations

from typing import Literal

from prismae.data._base import World
from prismae.data.files import find, place
from prismae.data.kinds import Texts
from prismae.data.text import Vocabulary, read_sentences
from prismae.errors import InputError

Split = Literal["train", "valid", "test"]


def load(split: Split = "train") -> World:
    """Sentences of the Wall Street Journal (Penn Treebank): 42,068 to train on, 3,370 and 3,761 to validate and test.

    The usual files (Mikolov et al. 2010: lower case, 10,000 words with ``<unk>``, ``N`` for numbers),
    ``ptb.train.txt`` and so on, plain or gzipped, are read from the data folder; they are licensed by the LDC and not
    downloaded. Observations [42068, 83] numbers of words; the vocabulary is that of the training sentences.
    """
    return World(
        name="ptb",
        data=(vocabulary := Vocabulary.of(_read("train"))).encode(_read(split)),
        source="Penn Treebank",
        kind=Texts(vocabulary),
    )


def _read(split: Split) -> list[list[str]]:
    name = f"ptb.{split}.txt"
    path = find("ptb", name) or find("ptb", f"{name}.gz")
    if path is None:
        raise InputError(
            f"{name} is not in the data folder: the Penn Treebank is licensed by the LDC; put your copy, plain or "
            f"gzipped, at {place('ptb', name)}."
        )
    return read_sentences(path)
