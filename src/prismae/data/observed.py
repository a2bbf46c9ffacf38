"""What arrays hold once they are laid out, in memory or where they stay, and how they are kept for training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data.channels import ChannelScheme, channels_first
from prismae.data.layout import check_size, images_first
from prismae.data.moments import Moments
from prismae.data.offset import SMALLEST, TOO_FINE, less, offset_by, offset_of
from prismae.data.pieces import Pieces, block_of
from prismae.data.rows import WHOLE, Rows
from prismae.data.storage import BitPacked, Dense, Storage
from prismae.errors import InputError
from prismae.settings import Layout


@dataclass(frozen=True)
class Laid:
    """How the dimensions of observations come to lie as a network sees them: [n, d], [n, c, ...] or series [n, length].

    Parameters
    ----------
    series, axes
        Where the channels of series stand, and the axes of what is no series.
    one_channel
        Whether they are series [n, length], which stay as they are.
    new
        Whether they are for a model that was trained before, so that one is enough.
    """

    name: str
    series: Layout | None
    axes: str | None
    one_channel: bool
    new: bool

    @property
    def where(self) -> str:
        """What messages call them."""
        return f"World {self.name!r}"

    def whole(self, x: NDArray) -> NDArray:
        """All observations; refused where they are too few, empty, or can be read in two ways."""
        least = 1 if self.new else 2
        if self.series is None:
            return images_first(x, self.name, least=least, slender=self.new, axes=self.axes)
        made = self(x)
        check_size(made, self.name, least=least)
        return made

    def __call__(self, part: NDArray) -> NDArray:
        """Some of them."""
        if self.one_channel:
            return part
        if self.series is not None:
            return channels_first(part, self.series, self.where)
        return images_first(part, self.name, least=0, slender=True, axes=self.axes)


class Kept(NamedTuple):
    """Observations as they are kept, the offset that was taken off them, and whether they are pixels of 0 to 255."""

    storage: Storage
    offset: float
    pixels: bool


class Observed(ABC):
    """Observations that are laid out.

    `low`, `high` and `count` (of values that are there) are those of each channel, or of each column of vectors.
    """

    layout: Laid
    shape: tuple[int, ...]
    dtype: np.dtype
    said: tuple[str, ...] = ()  # what a user should know of how they are kept

    @property
    def of_bytes(self) -> bool:
        """Whether they are pixels, where they are not only 0 and 1; vectors of bytes are numbers, and come back in
        their units."""
        return self.dtype == np.uint8 and len(self.shape) > 1

    @property
    @abstractmethod
    def low(self) -> NDArray: ...

    @property
    @abstractmethod
    def high(self) -> NDArray: ...

    @property
    @abstractmethod
    def count(self) -> NDArray: ...

    @abstractmethod
    def some(self) -> NDArray:
        """Observations enough to tell what they are."""

    @abstractmethod
    def fit(self, names: Sequence[str] | None = None) -> ChannelScheme:
        """The scheme that scales each of their channels or columns."""

    @abstractmethod
    def kept(self, scheme: ChannelScheme | None) -> Kept:
        """As they are kept, scaled so; refused where all are equal, or differ by less than float32 holds."""

    def _refuse_equal(self, n: int) -> None:
        raise InputError(
            f"{self.layout.where}: all {n} observations are equal, so there is nothing to learn."
        )


class InMemory(Observed):
    """Those of an array; with `copy` it may change afterwards."""

    def __init__(self, x: NDArray, layout: Laid, *, copy: bool) -> None:
        self.layout, self.copy = layout, copy
        self.x = layout.whole(x)
        self.shape, self.dtype = self.x.shape[1:], self.x.dtype

    @cached_property
    def low(self) -> NDArray:
        return np.asarray(np.fmin.reduce(self.x, self._rest))

    @cached_property
    def high(self) -> NDArray:
        return np.asarray(np.fmax.reduce(self.x, self._rest))

    @cached_property
    def count(self) -> NDArray:
        gaps = np.isnan(self.x).sum(self._rest) if self.dtype.kind == "f" else 0
        return np.full(self.x.shape[1], self.x.size // self.x.shape[1]) - gaps

    @property
    def _rest(self) -> tuple[int, ...]:
        return (0, *range(2, self.x.ndim))

    def some(self) -> NDArray:
        return self.x

    def fit(self, names: Sequence[str] | None = None) -> ChannelScheme:
        return ChannelScheme.fit(self.x, names=names, name=self.layout.where)

    def kept(self, scheme: ChannelScheme | None) -> Kept:
        x, always = self.x, True if self.copy else None  # None: only where it cannot be kept as it is
        if scheme is not None:
            scheme.check(x, self.layout.where)
            x, always = scheme.scaled(x), None
        gaps = x.dtype.kind == "f"
        if not self.layout.new and all(
            np.array_equal(row, x[0], equal_nan=gaps) for row in x
        ):  # ends at the first other
            self._refuse_equal(len(x))
        if x.dtype == np.bool_ or (x.dtype == np.uint8 and x.max() <= 1):
            bits = np.packbits(x.reshape(len(x), -1), axis=1)
            return Kept(BitPacked(torch.from_numpy(bits), x.shape[1:]), 0.0, pixels=False)
        if self.of_bytes and scheme is None:
            return Kept(Dense(torch.from_numpy(np.array(x, order="C", copy=always))), 0.0, pixels=True)
        offset = offset_of(x)
        made = less(x, offset) if offset else np.array(x, dtype=np.float32, order="C", copy=always)
        lost = offset is None or np.abs(made).max() < SMALLEST or all((row == made[0]).all() for row in made)
        if lost and not self.layout.new:
            raise InputError(f"{self.layout.where} {TOO_FINE}.")
        return Kept(Dense(torch.from_numpy(made)), offset or 0.0, pixels=False)


class InPieces(Observed):
    """Those of rows that stay where they are: looked at once, and read again when they are drawn."""

    said = (
        f"larger than {WHOLE / 1e9:g} GB, so it stays where it is and is read in pieces, whose rows are shuffled",
    )

    def __init__(self, x: Rows, layout: Laid) -> None:
        self.layout, self.x = layout, x
        self.claimed = layout.whole(np.broadcast_to(np.zeros((), x.dtype), x.shape))  # it takes no memory
        self.shape, self.dtype = self.claimed.shape[1:], x.dtype
        self.seen = seen = Moments.of(x, layout, layout.where)
        self.each = seen.over(tuple(range(1, len(self.shape))))  # of each channel, or column
        self.every = seen.over()
        no_gaps = float(self.every.count) == len(x) * seen.low.size
        if not layout.new and no_gaps and (seen.low == seen.high).all():
            self._refuse_equal(len(x))

    @property
    def low(self) -> NDArray:
        return self.each.low

    @property
    def high(self) -> NDArray:
        return self.each.high

    @property
    def count(self) -> NDArray:
        return self.each.count

    def some(self) -> NDArray:
        return self.layout(self.x[: min(len(self.x), block_of(self.x))])

    def fit(self, names: Sequence[str] | None = None) -> ChannelScheme:
        vectors = len(self.shape) == 1
        return ChannelScheme.of_moments(self.each, names=names, name=self.layout.where, of_vectors=vectors)

    def kept(self, scheme: ChannelScheme | None) -> Kept:
        offset, pixels = 0.0, scheme is None and self.of_bytes and float(self.every.high) > 1
        become: Callable[[NDArray], NDArray]
        if scheme is not None:
            scheme.check(self.claimed, self.layout.where)
            became = self.seen.scaled(*scheme.shift_and_scale(len(self.shape) + 1))
            become = partial(_scaled, self.layout, scheme)
        else:
            low, high, mean = (float(each) for each in (self.every.low, self.every.high, self.every.mean))
            found = offset_by(low, high, mean, self.seen.std, self.dtype)
            if found is None and not self.layout.new:
                raise InputError(f"{self.layout.where} {TOO_FINE}.")
            offset = found or 0.0
            became = self.seen.scaled(np.array(offset), np.array(255.0 if pixels else 1.0))
            become = partial(_pixels, self.layout) if pixels else partial(_numbers, self.layout, offset)
        whole = became.over()
        storage = Pieces(
            self.x, become, self.shape, float(whole.mean), became.std, float(whole.low), float(whole.high)
        )
        return Kept(storage, offset, pixels)


def _scaled(layout: Laid, scheme: ChannelScheme, part: NDArray) -> NDArray:
    return scheme.scaled(layout(part))


def _pixels(layout: Laid, part: NDArray) -> NDArray:
    return np.ascontiguousarray(layout(part))


def _numbers(layout: Laid, offset: float, part: NDArray) -> NDArray:
    return less(layout(part), offset)
