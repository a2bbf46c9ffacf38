"""Texts: sentences of words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, Literal, NoReturn, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae._words import UNK, padded
from prismae.data.kinds._base import PART, Kind
from prismae.data.rows import Rows
from prismae.data.storage import Storage
from prismae.data.summary import Summary
from prismae.data.text import SPECIAL, Tokens, Vocabulary, restricted
from prismae.errors import InputError


@dataclass(frozen=True)
class Texts(Kind):
    """Sentences, as numbers of words.

    Parameters
    ----------
    vocabulary
        The words that are known.
    """

    vocabulary: Vocabulary

    elements: ClassVar[Literal["numbers", "words"]] = "words"

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return None

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.name(), "pixels": False, **self.scheme_json()}

    def scheme_json(self) -> dict[str, Any]:
        tokens = {"tokens": "characters"} if self.vocabulary.characters else {}
        return {"vocabulary": list(self.vocabulary.words), **tokens}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        return cls(Vocabulary(tuple(about["vocabulary"]), about.get("tokens") == "characters"))

    def values(self, data: Storage, summary: Summary) -> str:
        assert isinstance(data, Tokens)
        lengths, unknown = data.lengths, int((data.values == UNK).sum())
        what = "characters" if self.vocabulary.characters else "words"
        known = len(self.vocabulary) - len(SPECIAL)
        return (
            f"{int(lengths.sum()):,} {what}, {known:,} different ones, {unknown:,} unknown; "
            f"sentences of {int(lengths.min())} to {int(lengths.max())} {what}, their ends among them"
        )

    def units(self) -> str:
        return "numbers of words as `vocabulary` says"

    def summary(self, data: Storage) -> Summary:
        """The elements are those of words written one-hot, 0 and 1."""
        share = 1 / len(self.vocabulary)
        return Summary(share, sqrt(share * (1 - share)), 0.0, 1.0)

    def default_net(self, shape: tuple[int, ...]) -> str:
        return "lstm"

    def default_likelihood(self, summary: Summary) -> str:
        return "categorical"

    @property
    def outputs(self) -> int:
        return len(self.vocabulary)

    def lengths(self, data: Storage) -> Tensor | None:
        assert isinstance(data, Tokens)
        return data.lengths

    def parted(self, kept: Storage, held: Storage) -> tuple[Self, Storage, Storage]:
        assert isinstance(kept, Tokens)
        assert isinstance(held, Tokens)
        vocabulary, of_kept, of_held = restricted(self.vocabulary, kept, held)
        return type(self)(vocabulary), of_kept, of_held

    def alike(self, kind: Kind) -> bool:
        return kind == self

    def parts(self, X: NDArray | Rows | pd.DataFrame, shape: tuple[int, ...]) -> NoReturn:
        raise InputError(
            "The observations are not what was fitted: expected texts, as the World of a .txt file with one in each "
            "line, prismae.world('new.txt')."
        )

    def parts_of(self, data: Storage, kind: Kind, shape: tuple[int, ...], name: str) -> Iterator[Tensor]:
        if not isinstance(kind, Texts):
            self.parts(np.empty(0), shape)
        if kind.vocabulary.characters != self.vocabulary.characters:
            tokens = "characters" if self.vocabulary.characters else "words"
            raise InputError(f"{name} is not made of what was fitted: expected tokens='{tokens}'.")
        if kind != self:  # what is new is unknown
            texts = kind.vocabulary.decode(data[torch.arange(len(data))])
            sentences = [kind.vocabulary.split(text) for text in texts]
            data = self.vocabulary.encode(sentences)
        for rows in torch.arange(len(data), device=data.device).split(PART):
            yield data[rows].cpu()

    def joined(self, parts: list[Tensor]) -> Tensor:
        return torch.cat(padded(parts))

    def stored(self, x: Tensor) -> Storage:
        return Tokens(x.int())

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        return np.array(self.vocabulary.decode(torch.from_numpy(x)), dtype=object)
