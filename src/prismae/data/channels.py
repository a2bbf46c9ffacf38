"""Channels of series and images, columns of vectors: where they stand in an array, their names, the scale of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from prismae.data.moments import Moments
from prismae.data.offset import TOO_FINE, rounded_away, some_rows
from prismae.errors import InputError
from prismae.settings import Layout

LAYOUTS: tuple[Layout, ...] = ("channels-first", "channels-last")


@dataclass(frozen=True)
class ChannelScheme:
    """How each channel became one with mean 0 and standard deviation 1.

    The channels are those of series, images and volumes [n, c, ...], and the columns of vectors [n, c].

    Channels may have units of their own, so a scale for all of them would hide those of small numbers.

    Parameters
    ----------
    means, stds
        c numbers each, over all observations and points of a channel. The deviation of a constant channel is 0: its
        values come back as the constant. Many columns of vectors have one deviation for all, see `with_one_scale`.
    names
        c names; empty: they are called "channel 1" and so on.

    Examples
    --------
    >>> series = np.stack([np.arange(8.0).reshape(2, 4), 1000 * np.ones((2, 4)) + np.eye(2, 4)], axis=1)
    >>> scheme = ChannelScheme.fit(series)
    >>> scheme.means
    (3.5, 1000.25)
    >>> bool(np.allclose(scheme.in_units(scheme.scaled(series)), series, atol=1e-3))
    True
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]
    names: tuple[str, ...] = ()

    @classmethod
    def fit(cls, x: NDArray, *, names: Sequence[str] | None = None, name: str = "The array") -> Self:
        """The scheme of observations [n, c, ...], with names of their channels; `name` is what messages call them.

        Raises
        ------
        InputError
            For a channel that has no values, and names that are not as many as the channels, empty or twice the same.
        """
        channels = [x[:, i] for i in range(x.shape[1])]
        seen = [not np.isnan(channel).all() for channel in channels]
        ranges = [
            (np.nanmin(channel), np.nanmax(channel)) if some else (np.nan, np.nan)
            for channel, some in zip(channels, seen, strict=True)
        ]
        means = [_mean(channel) if some else np.nan for channel, some in zip(channels, seen, strict=True)]
        stds = [_std(channel) if some else np.nan for channel, some in zip(channels, seen, strict=True)]
        return cls._of(means, stds, ranges, names, name, of_vectors=x.ndim == 2)

    @classmethod
    def of_moments(
        cls,
        each: Moments,
        *,
        names: Sequence[str] | None = None,
        name: str = "The array",
        of_vectors: bool = False,
    ) -> Self:
        """The scheme of channels, or columns of vectors, of which that is known. Raises what `fit` does."""
        stds = np.where(each.low == each.high, 0.0, np.sqrt(each.squares / np.maximum(each.count, 1)))
        means = np.where(each.count == 0, np.nan, each.mean)
        ranges = list(zip(each.low.tolist(), each.high.tolist(), strict=True))
        return cls._of(means.tolist(), stds.tolist(), ranges, names, name, of_vectors=of_vectors)

    @classmethod
    def _of(
        cls,
        means: Sequence[float],
        stds: Sequence[float],
        ranges: Sequence[tuple[float, float]],
        names: Sequence[str] | None,
        name: str,
        *,
        of_vectors: bool,
    ) -> Self:
        """That of these numbers, which are NaN where a channel has no values."""
        called = tuple(str(each).strip() for each in names or ())
        if names is not None and (
            len(called) != len(means) or len(set(called)) < len(called) or "" in called
        ):
            raise InputError(
                f"{name} has the channel names {', '.join(map(repr, called))}, "
                f"expected {len(means)} that differ, one for each channel."
            )
        faults = []
        for i, (mean, std, (low, high)) in enumerate(zip(means, stds, ranges, strict=True)):
            which = "channel " + (f"{called[i]!r}" if called else f"{i + 1} of {len(means)}")
            which = f"column {i}, counted from 0," if of_vectors else which
            if np.isnan(mean):
                faults.append(f"{which} has no values, so leave it out")
            elif low != high and (std == 0 or rounded_away(abs(mean), std, bits=53)):
                faults.append(f"{which} {TOO_FINE}")
        if faults:
            raise InputError(f"{name}: {'; '.join(faults)}.")
        return cls(tuple(means), tuple(stds), called)

    def with_one_scale(self, n: NDArray) -> Self:
        """The same with one deviation for all that vary: that of all values about the means of their channels, of which
        channel i has n[i]."""
        varies = np.array(self.stds) > 0
        one = float(np.sqrt(np.square(self.stds) @ n / n[varies].sum()))
        return replace(self, stds=tuple(np.where(varies, one, 0.0).tolist()))

    def scaled(self, x: NDArray) -> NDArray[np.float32]:
        """Observations [n, c, ...] in the user's units as the network sees them."""
        shift, scale = self.shift_and_scale(x.ndim)
        made = np.empty(x.shape, np.float32)
        for rows, part in some_rows(x):
            made[rows] = (part.astype(np.float64) - shift) / scale
        return made

    @property
    def deviations(self) -> str:
        """The deviations in words, as what they were scaled to."""
        some = {std for std in self.stds if std}
        return "one standard deviation for all" if len(some) == 1 < len(self.stds) else "standard deviation 1"

    def constant(self) -> tuple[str, ...]:
        """What the channels are called that are constant."""
        names = self.names or tuple(f"channel {i + 1}" for i in range(len(self.means)))
        return tuple(name for name, std in zip(names, self.stds, strict=True) if std == 0)

    def check(self, x: NDArray, name: str) -> None:
        """Refuse observations [n, c, ...] of another number of channels; `name` is what the message calls them."""
        if x.shape[1] != len(self.means):
            what = "columns" if x.ndim == 2 else "channels"
            raise InputError(f"{name} has {x.shape[1]} {what}, expected {len(self.means)} as in the fit.")

    def in_units(self, x: NDArray) -> NDArray[np.floating]:
        """A network's observations in the user's units: float32, or float64 if that would round too much."""
        shape = (-1, *(1,) * (x.ndim - 2))
        made = x * np.array(self.stds).reshape(shape) + np.array(self.means).reshape(shape)
        far = any(rounded_away(abs(mean), std) for mean, std in zip(self.means, self.stds, strict=True))
        return made if far else made.astype(np.float32)

    def shift_and_scale(self, ndim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What arrays of so many dimensions are lessened by, and then divided by: 1 where a channel is constant."""
        shape = (-1, *(1,) * (ndim - 2))
        scale = np.array([std or 1.0 for std in self.stds])
        return np.array(self.means).reshape(shape), scale.reshape(shape)

    def to_json(self) -> dict[str, Any]:
        """The scheme as lists, for a JSON file."""
        named = {"names": list(self.names)} if self.names else {}
        return {"means": list(self.means), "stds": list(self.stds), **named}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The scheme that `to_json` wrote."""
        return cls(tuple(data["means"]), tuple(data["stds"]), tuple(data.get("names", ())))


def _mean(channel: NDArray) -> float:
    if (channel == channel.flat[0]).all():  # exactly, whatever the rounding
        return float(channel.flat[0])
    gaps = channel.dtype.kind == "f" and np.isnan(channel).any()
    return float(np.nanmean(channel, dtype=np.float64) if gaps else channel.mean(dtype=np.float64))


def _std(channel: NDArray) -> float:
    gaps = channel.dtype.kind == "f" and np.isnan(channel).any()
    if np.nanmax(channel) == np.nanmin(channel):
        return 0.0
    return float(np.nanstd(channel, dtype=np.float64) if gaps else channel.std(dtype=np.float64))


def channels_first(x: NDArray, layout: str, name: str) -> NDArray:
    """Series [n, c, length] of an array [n, c, length] or [n, length, c], as `layout` says.

    Raises
    ------
    InputError
        For an array of other than three dimensions.
    """
    if layout not in LAYOUTS:
        raise InputError(f"{name}: series {layout!r}, expected {' or '.join(map(repr, LAYOUTS))}.")
    if x.ndim != 3:
        wanted = "[n, c, length]" if layout == "channels-first" else "[n, length, c]"
        raise InputError(f"{name}: series {layout!r} are arrays {wanted}, got the shape {x.shape}.")
    return x if layout == "channels-first" else np.moveaxis(x, 2, 1)
