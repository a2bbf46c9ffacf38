"""World: data, with its factors of variation where they are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod, sqrt
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae._words import UNK
from prismae.data.channels import ChannelScheme
from prismae.data.storage import Dense, Storage, spaced
from prismae.data.tables import TableScheme
from prismae.data.text import Tokens, Vocabulary, restricted
from prismae.errors import InputError

FactorKind = Literal["categorical", "continuous"]

_NAMED = 6  # factors that a description names
_AT_A_TIME = 1 << 24  # elements in double precision, 128 MB


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation, least and greatest element of a world's observations, over all elements."""

    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True)
class World:
    """Observations that fit in memory, and the factors behind them.

    Parameters
    ----------
    name
        Name of the world, in kebab-case.
    data
        The observations: [n, c, h, w] images, [n, length] series or vectors, [n, c, length] series of several
        channels, or texts as `Tokens`.
    factors
        [n, k] class index of each factor (or its value, for continuous factors of own data); None if unknown.
    factor_names, factor_kinds
        k names and k kinds, "categorical" or "continuous".
    source
        Where the observations come from, as results should say it: "rendered dSprites".
    table
        How the columns of a table became those of the observations; None for anything but a table.
    channels
        How series of several channels were scaled; None for anything else.
    vocabulary
        The words of texts; None for anything but texts.
    offset
        What was taken off every element before it became float32; 0 but for own numbers that lie so far from zero
        that float32 would round away what varies.
    names
        [n] what each observation is called where it comes from: its number there, counted from 0 (of a part of a world,
        in the whole), or the path of an image in its folder. None: by its number here.
    """

    name: str
    data: Storage
    factors: NDArray | None = None
    factor_names: tuple[str, ...] = ()
    factor_kinds: tuple[FactorKind, ...] = ()
    source: str = ""
    table: TableScheme | None = None
    channels: ChannelScheme | None = None
    vocabulary: Vocabulary | None = None
    offset: float = 0.0
    names: NDArray | None = None

    def __post_init__(self) -> None:
        if self.factors is not None and self.factors.shape != (len(self.data), len(self.factor_names)):
            raise InputError(
                f"World {self.name!r}: the factors have shape {self.factors.shape}, "
                f"expected {(len(self.data), len(self.factor_names))}."
            )
        if len(self.factor_kinds) != len(self.factor_names):
            raise InputError(
                f"World {self.name!r} has {len(self.factor_names)} factor names and "
                f"{len(self.factor_kinds)} factor kinds, expected as many of each."
            )

    def __len__(self) -> int:
        return len(self.data)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one observation."""
        return self.data.shape

    @property
    def called(self) -> NDArray:
        """[n] what each observation is called, see `names`."""
        return np.arange(len(self)) if self.names is None else self.names

    @property
    def pixels(self) -> bool:
        """Whether observations are kept as pixels of 0 to 255, drawn as value / 255."""
        return isinstance(self.data, Dense) and self.data.values.dtype == torch.uint8

    @property
    def n_words(self) -> int:
        """Size of the vocabulary of texts; 0 for anything else."""
        return 0 if self.vocabulary is None else len(self.vocabulary)

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many different values each factor takes."""
        if self.factors is None:
            return ()
        return tuple(len(np.unique(column)) for column in self.factors.T)

    @cached_property
    def summary(self) -> Summary:
        """Statistics of the observations: mean and deviation of at most 20,000, evenly spaced; the range of all.

        The elements of texts are those of words written one-hot, 0 and 1.
        """
        if self.vocabulary is not None:
            share = 1 / len(self.vocabulary)
            return Summary(share, sqrt(share * (1 - share)), 0.0, 1.0)
        rows = spaced(len(self), 20_000).to(self.data.device)
        shift = self.data[rows[:1]].double().mean().cpu()  # so that squares of large values do not cancel
        size, total, squares = 0, 0.0, 0.0
        for part in torch.split(rows, max(1, min(1024, _AT_A_TIME // prod(self.shape)))):
            x = self.data[part].cpu().double() - shift
            size, total, squares = size + x.numel(), total + float(x.sum()), squares + float(x.square().sum())
        mean = total / size
        std = sqrt(max(squares - size * mean**2, 0.0) / max(size - 1, 1))
        return Summary(float(shift) + mean, std, *self.data.extremes())

    def describe(self) -> str:
        """What there is, in three lines: observations with shape and memory, their range, the factors."""
        columns = ""
        if self.table is not None:
            numeric, categorical = len(self.table.scaling), len(self.table.categories)
            columns = f" (of {numeric} numeric and {categorical} categorical columns)"
        if self.channels is not None:
            named = f": {', '.join(self.channels.names)};" if self.channels.names else ","
            columns = f" (series of {len(self.channels.means)} channels{named} each scaled)"
        factors = [
            f"{name} ({size} values{', continuous' if kind == 'continuous' else ''})"
            for name, size, kind in zip(self.factor_names, self.factor_sizes, self.factor_kinds, strict=True)
        ]
        more = len(factors) - _NAMED
        listed = ", ".join(factors[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return "\n".join(
            [
                f"{self.source or self.name}: {len(self):,} observations of shape {'x'.join(map(str, self.shape))}"
                f"{columns}, {_memory(self.data.nbytes)}",
                self._values(),
                f"factors: {listed or 'none known'}",
            ]
        )

    def _values(self) -> str:
        if isinstance(self.data, Tokens) and self.vocabulary is not None:
            lengths, unknown = self.data.lengths, int((self.data.values == UNK).sum())
            return (
                f"{int(lengths.sum()):,} words, {len(self.vocabulary):,} different ones, {unknown:,} unknown; "
                f"sentences of {int(lengths.min())} to {int(lengths.max())} words, their ends among them"
            )
        found = self.summary
        low, high, mean = (value + self.offset for value in (found.low, found.high, found.mean))
        digits = ".10g" if self.offset else ".4g"
        return (
            f"values {low:{digits}} to {high:{digits}}{' (from bytes)' if self.pixels else ''}, "
            f"mean {mean:{digits}}, standard deviation {found.std:.4g}"
        )

    def split(self, fraction: float, seed: int = 0) -> tuple[World, World]:
        """The world without a random part of its observations, and that part, both in the world's order.

        The words of texts that only the held-out part has become unknown ones.

        Parameters
        ----------
        fraction
            Fraction of the observations that are held out, in (0, 1).
        seed
            Seed of the draw: the same part for the same seed.

        Raises
        ------
        InputError
            For another fraction, or one that leaves fewer than two observations on either side.
        """
        held = round(fraction * len(self)) if 0 < fraction < 1 else 0
        if min(held, len(self) - held) < 2:
            raise InputError(
                f"World {self.name!r}: {fraction:g} of {len(self)} observations cannot be held out, "
                "expected a fraction that leaves at least two on either side."
            )
        order = np.random.default_rng(seed).permutation(len(self))
        kept, part = self._rows(np.sort(order[held:])), self._rows(np.sort(order[:held]))
        if isinstance(kept.data, Tokens) and isinstance(part.data, Tokens) and self.vocabulary is not None:
            vocabulary, of_kept, of_part = restricted(self.vocabulary, kept.data, part.data)
            kept = replace(kept, data=of_kept, vocabulary=vocabulary)
            part = replace(part, data=of_part, vocabulary=vocabulary)
        return kept, part

    def _rows(self, rows: NDArray[np.int64]) -> World:
        factors = None if self.factors is None else self.factors[rows]
        taken = self.data.take(torch.from_numpy(rows).to(self.data.device))
        return replace(self, data=taken, factors=factors, names=self.called[rows])

    def to(self, device: torch.device | str) -> World:
        """The same world with its observations on `device`."""
        return replace(self, data=self.data.to(device))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Tensor, NDArray | None]:
        """Draw n observations [n, *shape] with replacement, and their factors [n, k]."""
        rows = rng.integers(len(self), size=n)
        return self.data[torch.from_numpy(rows)], None if self.factors is None else self.factors[rows]

    def codes_table(
        self, encode: Callable[[Tensor], Tensor], batch: int | None = None
    ) -> NDArray[np.float32]:
        """Encode every observation once: [n, m], in the world's order; metrics look codes up in it."""
        if (
            batch is None
        ):  # on a CPU what a convolution makes of 64 images still fits the cache: 2 to 3 times as fast
            batch = 64 if self.data.device.type == "cpu" else 1024
        parts = []
        with torch.no_grad():
            for rows in torch.split(torch.arange(len(self), device=self.data.device), batch):
                parts.append(encode(self.data[rows]).float().cpu())
        return torch.cat(parts).numpy()


def _memory(n: float) -> str:
    """A number of bytes, as people read it."""
    for unit in ("bytes", "kB", "MB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} GB"
