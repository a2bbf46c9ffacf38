"""Worlds of a user's own arrays and tensors, checked and laid out for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.channels import LAYOUTS, ChannelScheme, channels_first
from prismae.data.offset import less, offset_of
from prismae.data.storage import BitPacked, Dense, Storage
from prismae.errors import InputError
from prismae.settings import Layout

_CHANNELS = (1, 3, 4)
_SLENDER = 4  # times as long as wide: [n, 12, 1000] may be images of 12x1000 pixels or series of 12 channels


def from_array(
    x: NDArray | Tensor,
    *,
    factors: NDArray | Tensor | None = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    series: Layout | None = None,
    channel_names: Sequence[str] | None = None,
    name: str = "array",
    source: str = "own array",
    copy: bool = True,
    channels: ChannelScheme | None = None,
    new: bool = False,
) -> World:
    """A world of the user's own observations.

    Parameters
    ----------
    x
        Vectors or series [n, d], or images [n, h, w], [n, c, h, w] or [n, h, w, c] with 1, 3 or 4 channels
        (where a shape can be read both ways, the channels come first). Images are stored as [n, c, h, w].
        Images of uint8 are pixels, drawn as value / 255; truth values and uint8 that is only ever 0 or 1 are drawn as
        0 and 1 and kept eight to a byte; every other number becomes float32, after an offset was taken off where
        float32 would round what varies away (see `World`).
    factors
        [n] or [n, k] numbers; NaN is not allowed.
    factor_names
        k names; by default "factor 1" and so on.
    factor_kinds
        k times "categorical" or "continuous"; by default integers are categorical and floats continuous.
    series
        For series of several channels, where the channels stand: "channels-first", [n, c, length], or
        "channels-last", [n, length, c]. They are stored as [n, c, length], each channel scaled to mean 0 and standard
        deviation 1. Without it an array of three dimensions is images.
    channel_names
        c names of such channels; by default "channel 1" and so on.
    name, source
        How results call the world, and where it comes from.
    copy
        Whether x is copied even where it could be kept as it is, so that the world does not change with it.
    channels
        The scale of series of several channels, where it is known already.
    new
        Whether x is for a model that was trained before: then one observation is enough, and nothing needs to vary.

    Raises
    ------
    InputError
        For NaN or infinity, a wrong rank, fewer than two observations, observations that are all equal,
        columns of a table of numbers (not pixels) and channels that are constant, values that are no numbers,
        [n, a, b] of which one is more than four times the other where `series` does not say what they are, and factors
        that do not fit.
    """
    where = f"World {name!r}"
    numbers = _numbers(x, where)
    if series is not None:
        numbers = channels_first(numbers, series, where)
        _check_size(numbers, name, least=1 if new else 2)
        if channels is None:
            channels = ChannelScheme.fit(numbers, names=channel_names, name=where)
        else:
            channels.check(numbers, where)
        storage, offset = _stored(channels.scaled(numbers), name, copy=False, new=new)
    elif channel_names is not None:
        raise InputError(
            f"{where}: channel names are for series of several channels, so say where their channels stand: "
            f"series={' or '.join(map(repr, LAYOUTS))}."
        )
    else:
        images = _images_first(numbers, name, least=1 if new else 2, slender=new)
        storage, offset = _stored(images, name, copy, new=new)
    known: NDArray | None = None
    names: tuple[str, ...] = ()
    kinds: tuple[FactorKind, ...] = ()
    if factors is not None:
        known, names, kinds = _factors(factors, factor_names, factor_kinds, len(storage), name)
    elif factor_names is not None or factor_kinds is not None:
        raise InputError(f"World {name!r}: factor names or kinds were given without factors.")
    return replace(World(name, storage, known, names, kinds, source), channels=channels, offset=offset)


def as_observations(
    x: NDArray | Tensor,
    shape: tuple[int, ...],
    *,
    pixels: bool,
    series: Layout | None = None,
    channels: ChannelScheme | None = None,
    offset: float = 0.0,
    start: int = 0,
) -> Tensor:
    """New observations for a model of observations of `shape`: float32 [n, *shape], n may be 1.

    `pixels` says whether uint8 means pixels of 0 to 255, as `World.pixels` does; `series` where the channels of series
    stand, and `channels` how they are scaled; `offset` is taken off, as `World.offset` was; `start` is the row at which
    x begins in what the user gave, for messages.

    Raises
    ------
    InputError
        For NaN or infinity, values that are no numbers, and another shape.
    """
    new = _numbers(x, "New observations", start)
    if series is None:
        new = _images_first(new, "new observations", least=1, slender=True)
    else:
        new = channels_first(new, series, "New observations")
    if new.shape[1:] != shape:
        raise InputError(f"Observations have shape {new.shape[1:]}, expected {shape} as in the fit.")
    if channels is not None:
        return torch.from_numpy(channels.scaled(new))
    values = torch.from_numpy(less(new, offset))
    return values / 255 if pixels and new.dtype == np.uint8 else values


def _numbers(x: NDArray | Tensor, what: str, start: int = 0) -> NDArray:
    """`x` as a NumPy array of truth values, integers or floats, all of it finite and in float32's range."""
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    if x.dtype.kind not in "buif":
        raise InputError(f"{what}: values of type {x.dtype} cannot be used, expected numbers.")
    if x.dtype.kind != "f":
        return x
    if x.ndim == 0:
        return x
    bad = np.empty(x.shape, np.bool_)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
        for start_of in range(0, len(x), 1024):
            part = slice(start_of, start_of + 1024)
            bad[part] = ~np.isfinite(x[part].astype(np.float32, copy=False))
    if bad.any():
        first = [int(i) for i in np.unravel_index(bad.argmax(), bad.shape)]
        first[0] += start
        count = int(bad.sum())
        are = "1 value is" if count == 1 else f"{count} values are"
        raise InputError(
            f"{what}: {are} NaN or infinite, the first at index {first}; "
            "expected finite numbers of float32's range."
        )
    return x


def _images_first(x: NDArray, name: str, *, least: int = 2, slender: bool = False) -> NDArray:
    """Observations [n, d] or [n, c, h, w], of whichever accepted shape `x` is; `slender` ones may be images too."""
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"World {name!r}: observations of shape {x.shape} cannot be used, "
            "expected [n, d] vectors or series, or [n, h, w], [n, c, h, w] or [n, h, w, c] images."
        )
    _check_size(x, name, least)
    if x.ndim == 3:
        if max(x.shape[1:]) > _SLENDER * min(x.shape[1:]) and not slender:
            likely = "channels-first" if x.shape[1] < x.shape[2] else "channels-last"
            raise InputError(
                f"World {name!r}: observations of shape {x.shape[1:]} may be series of several channels or slender "
                f"images: expected series={likely!r} (--series {likely}) for series, or [n, 1, h, w] for images."
            )
        return x[:, None]
    if x.ndim == 4 and x.shape[1] not in _CHANNELS:
        if x.shape[3] not in _CHANNELS:
            raise InputError(
                f"World {name!r}: images of shape {x.shape[1:]}, expected 1, 3 or 4 channels, first or last."
            )
        return np.moveaxis(x, 3, 1)
    return x


def _check_size(x: NDArray, name: str, least: int) -> None:
    if len(x) < least or x.size == 0:
        count = "two" if least == 2 else "one"
        raise InputError(
            f"World {name!r}: observations of shape {x.shape}, expected at least {count} and none empty."
        )


def _stored(x: NDArray, name: str, copy: bool, *, new: bool) -> tuple[Storage, float]:
    """Observations as they are kept, and the offset that was taken off them."""
    if not new and all((row == x[0]).all() for row in x):  # row by row: it ends at the first other one
        raise InputError(
            f"World {name!r}: all {len(x)} observations are equal, so there is nothing to learn."
        )
    always = True if copy else None  # None: only where the array cannot be kept as it is
    binary = x.dtype == np.bool_ or (x.dtype == np.uint8 and x.max() <= 1)
    if binary:
        bits = np.packbits(x.reshape(len(x), -1), axis=1)
        return BitPacked(torch.from_numpy(bits), x.shape[1:]), 0.0
    if x.dtype == np.uint8 and x.ndim > 2:  # vectors of bytes are numbers: they come back in their units
        return Dense(torch.from_numpy(np.array(x, order="C", copy=always))), 0.0
    if x.ndim == 2 and x.dtype != np.uint8 and not new:
        _refuse_constant_columns(x, name)
    offset = offset_of(x)
    if offset:
        return Dense(torch.from_numpy(less(x, offset))), offset
    return Dense(torch.from_numpy(np.array(x, dtype=np.float32, order="C", copy=always))), 0.0


def _refuse_constant_columns(x: NDArray, name: str) -> None:
    constant = np.flatnonzero((x == x[0]).all(axis=0))
    if len(constant):
        listed = ", ".join(map(str, constant[:5])) + (" …" if len(constant) > 5 else "")
        are = "is" if len(constant) == 1 else "are"
        raise InputError(
            f"World {name!r}: {len(constant)} of {x.shape[1]} columns {are} constant ({listed}); "
            "expected every column to vary, so leave these out."
        )


def _factors(
    given: NDArray | Tensor,
    names: Sequence[str] | None,
    kinds: Sequence[FactorKind] | None,
    n: int,
    world: str,
) -> tuple[NDArray, tuple[str, ...], tuple[FactorKind, ...]]:
    factors = _numbers(given, f"World {world!r}: factors")
    factors = factors.astype(np.float32) if factors.dtype.kind == "f" else factors
    if factors.ndim == 1:
        factors = factors[:, None]
    if factors.ndim != 2 or len(factors) != n or factors.shape[1] == 0:
        raise InputError(f"World {world!r}: factors of shape {factors.shape}, expected [{n}] or [{n}, k].")
    k = factors.shape[1]
    names = tuple(names) if names is not None else tuple(f"factor {i + 1}" for i in range(k))
    kind: FactorKind = "continuous" if factors.dtype.kind == "f" else "categorical"
    kinds = tuple(kinds) if kinds is not None else (kind,) * k
    if len(names) != k or len(kinds) != k or len(set(names)) != k:
        raise InputError(
            f"World {world!r}: factors [n, {k}] with the names {', '.join(names)} and "
            f"the kinds {', '.join(kinds)}, expected {k} different names and {k} kinds."
        )
    if not set(kinds) <= {"categorical", "continuous"}:
        raise InputError(
            f"World {world!r}: kinds {', '.join(kinds)}, expected 'categorical' or 'continuous'."
        )
    return factors.copy(), names, kinds
