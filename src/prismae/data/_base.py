"""World: data, with its factors of variation where they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.kinds import Kind, plain_kind
from prismae.data.storage import Storage
from prismae.data.summary import Summary
from prismae.errors import InputError

FactorKind = Literal["categorical", "continuous"]

_NAMED = 6  # factors that a description names


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
    value_names
        What the values 0, 1, 2 … of a factor are called, by the factor's name: classes of animals, names of folders.
        Factors whose values are numbers are not in it.
    source
        Where the observations come from, as results should say it: "rendered dSprites".
    kind
        What the observations are, and how they became the numbers in `data`: `prismae.data.Images`, `Series`, `Table`
        or `Texts`. None: by their shape, [c, h, w] images, [c, length] series, and vectors the rows of a table; texts
        and series [length] say it.
    names
        [n] what each observation is called where it comes from: its number there, counted from 0 (of a part of a world,
        in the whole), the name of a table's row, or the path of an image in its folder. None: by its number here.
    columns
        What was understood of each column of a table, a line each.
    notices
        What a user should know of how own data were read: a sentence each.
    """

    name: str
    data: Storage
    factors: NDArray | None = None
    factor_names: tuple[str, ...] = ()
    factor_kinds: tuple[FactorKind, ...] = ()
    source: str = ""
    kind: Kind = None  # type: ignore[assignment]  # `__post_init__` finds one
    names: NDArray | None = None
    columns: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = list[str]()
        if not hasattr(self.data, "extremes"):
            faults.append(
                f"its data are {type(self.data).__name__}, expected a storage, such as "
                "prismae.data.storage.Dense(tensor)"
            )
        names, kinds = self.factor_names, self.factor_kinds
        if len(set(names)) < len(names):
            faults.append(f"two of its factors have one name: {', '.join(names)}")
        if len(kinds) != len(names):
            faults.append(
                f"it has {len(names)} factor names and {len(kinds)} factor kinds, expected as many of each"
            )
        strange = sorted({kind for kind in kinds if kind not in get_args(FactorKind)})
        if strange:
            faults.append(
                f"its factor kinds are {', '.join(map(repr, strange))}, expected {' or '.join(get_args(FactorKind))}"
            )
        if self.factors is not None:
            kind = np.asarray(self.factors).dtype.kind
            if not isinstance(self.factors, np.ndarray) or kind not in "biuf":
                faults.append(
                    f"its factors are {type(self.factors).__name__} of {np.asarray(self.factors).dtype}, expected an "
                    "array of numbers, which value_names can name"
                )
            elif not faults and self.factors.shape != (len(self.data), len(names)):
                faults.append(
                    f"its factors have shape {self.factors.shape}, expected {(len(self.data), len(names))}"
                )
        if faults:
            raise InputError(f"World {self.name!r}: {'; '.join(faults)}.")
        if self.kind is None:
            object.__setattr__(self, "kind", plain_kind(self.data))
        for name, called in self.value_names.items():
            if self.factors is None or name not in self.factor_names:
                raise InputError(f"World {self.name!r} names values of {name!r}, which is no factor of it.")
            values = self.factors[:, self.factor_names.index(name)]
            if not ((values >= 0) & (values < len(called))).all():
                raise InputError(
                    f"World {self.name!r} names {len(called)} values of the factor {name!r}, expected a name for each "
                    "of 0, 1, 2 … up to its largest."
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
    def factor_sizes(self) -> tuple[int, ...]:
        """How many different values each factor takes."""
        if self.factors is None:
            return ()
        return tuple(len(np.unique(column)) for column in self.factors.T)

    def named(self, factor: str) -> NDArray:
        """[n] values of a factor, by their names where they have some."""
        assert self.factors is not None
        values = self.factors[:, self.factor_names.index(factor)]
        called = self.value_names.get(factor)
        return values if called is None else np.array(called)[values.astype(np.int64)]

    @cached_property
    def summary(self) -> Summary:
        """Statistics of the observations: mean and deviation of at most 20,000, evenly spaced; the range of all.

        The elements of texts are those of words written one-hot, 0 and 1.
        """
        return self.kind.summary(self.data)

    def describe(self) -> str:
        """What there is, in three lines: observations with shape and memory, their range, the factors.

        For own tables, further lines say what each column was understood as, and what else a user should know.
        """
        factors = [
            f"{name} ({size} values{', continuous' if kind == 'continuous' else ''})"
            for name, size, kind in zip(self.factor_names, self.factor_sizes, self.factor_kinds, strict=True)
        ]
        more = len(factors) - _NAMED
        listed = ", ".join(factors[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return "\n".join(
            [
                f"{self.source or self.name}: {len(self):,} observations of shape {'x'.join(map(str, self.shape))}"
                f"{self.kind.noted()}, {_memory(self.data.nbytes)}",
                self.kind.values(self.data, self.summary),
                f"factors: {listed or 'none known'}",
                *(["columns:"] if self.columns else []),
                *(f"  {line}" for line in self.columns),
                *(f"note: {sentence}" for sentence in self.notices),
            ]
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
        kept, part = self.take(np.sort(order[held:])), self.take(np.sort(order[:held]))
        kind, of_kept, of_part = self.kind.parted(kept.data, part.data)
        return replace(kept, data=of_kept, kind=kind), replace(part, data=of_part, kind=kind)

    def take(self, rows: NDArray[np.int64]) -> World:
        """The world of some of its observations, by their indices; each is called as it was."""
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
