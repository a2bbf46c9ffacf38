"""Series of several channels: where their channels stand in an array, their names, and the scale of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from prismae.data.offset import TOO_FINE, rounded_away
from prismae.errors import InputError
from prismae.settings import Layout

LAYOUTS: tuple[Layout, ...] = ("channels-first", "channels-last")


@dataclass(frozen=True)
class ChannelScheme:
    """How series of several channels became those of a world: each channel with mean 0 and standard deviation 1.

    Channels may have units of their own, so a scale for all of them would hide those of small numbers.

    Parameters
    ----------
    means, stds
        c numbers each, over all observations and points of a channel. The deviation of a constant channel is 0: its
        values come back as the constant.
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
        """The scheme of series [n, c, length], with names of their channels; `name` is what messages call them.

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
        return cls.of(means, stds, ranges, names=names, name=name)

    @classmethod
    def of(
        cls,
        means: Sequence[float],
        stds: Sequence[float],
        ranges: Sequence[tuple[float, float]],
        *,
        names: Sequence[str] | None = None,
        name: str = "The array",
    ) -> Self:
        """The scheme of channels of which that is known; NaN where a channel has no values. Raises what `fit` does."""
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
            if np.isnan(mean):
                faults.append(f"{which} has no values, so leave it out")
            elif low != high and (std == 0 or rounded_away(abs(mean), std, bits=53)):
                faults.append(f"{which} {TOO_FINE}")
        if faults:
            raise InputError(f"{name}: {'; '.join(faults)}.")
        return cls(tuple(means), tuple(stds), called)

    def scaled(self, x: NDArray) -> NDArray[np.float32]:
        """Series [n, c, length] in the user's units as the network sees them."""
        made = np.empty(x.shape, np.float32)
        for i, (mean, std) in enumerate(zip(self.means, self.stds, strict=True)):
            made[:, i] = (x[:, i].astype(np.float64) - mean) / (std or 1.0)
        return made

    def constant(self) -> tuple[str, ...]:
        """What the channels are called that are constant."""
        names = self.names or tuple(f"channel {i + 1}" for i in range(len(self.means)))
        return tuple(name for name, std in zip(names, self.stds, strict=True) if std == 0)

    def check(self, x: NDArray, name: str) -> None:
        """Refuse series [n, c, length] of another number of channels; `name` is what the message calls them."""
        if x.shape[1] != len(self.means):
            raise InputError(f"{name} has {x.shape[1]} channels, expected {len(self.means)} as in the fit.")

    def in_units(self, x: NDArray) -> NDArray[np.floating]:
        """Series [n, c, length] of a network in the user's units: float32, or float64 if that would round too much."""
        made = x * np.array(self.stds)[:, None] + np.array(self.means)[:, None]
        far = any(rounded_away(abs(mean), std) for mean, std in zip(self.means, self.stds, strict=True))
        return made if far else made.astype(np.float32)

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
