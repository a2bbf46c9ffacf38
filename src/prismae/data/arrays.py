"""Worlds of a user's own arrays and tensors, checked and laid out for training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.apart import COLUMNS, scheme_of
from prismae.data.channels import LAYOUTS, ChannelScheme, channels_first
from prismae.data.doubts import doubts_of_array
from prismae.data.kinds import Images, Kind, Numbers, Series, Table, Volumes
from prismae.data.layout import axes_of, check_size, images_first, numbers, taken_for
from prismae.data.moments import Moments
from prismae.data.offset import SMALLEST, TOO_FINE, less, offset_by, offset_of
from prismae.data.pieces import Pieces, block_of
from prismae.data.rows import WHOLE, Rows, SparseRows, refuse_empty_space, whole_or_rows
from prismae.data.storage import BitPacked, Dense, Storage, of_bytes
from prismae.errors import InputError
from prismae.settings import Layout


def from_array(
    x: NDArray | Tensor | Rows,
    *,
    factors: NDArray | Tensor | None = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    series: Layout | None = None,
    axes: str | None = None,
    channel_names: Sequence[str] | None = None,
    name: str = "array",
    source: str = "own array",
    copy: bool = True,
    like: Kind | None = None,
    new: bool = False,
) -> World:
    """A world of the user's own observations.

    Parameters
    ----------
    x
        Vectors or series of one channel [n, d], images [n, h, w], [n, c, h, w] or [n, h, w, c], or volumes
        [n, d, h, w]. Where `axes` does not say what they are, 1, 3 or 4 channels stand first or last (where a shape can
        be read both ways, first), and other shapes are told by `prismae.data.layout.axes_of`, in a notice. Images are
        stored as [n, c, h, w], volumes as [n, c, d, h, w].
        Images of uint8 are pixels, drawn as value / 255; truth values and uint8 that is only ever 0 or 1 are drawn as
        0 and 1 and kept eight to a byte; every other number becomes float32, after an offset was taken off where
        float32 would round what varies away (see `World`), and columns of vectors and channels that lie far apart were
        scaled (see `prismae.data.apart`), of which a notice tells. NaN is a missing value. `Rows` stay where they are:
        they are looked at once, and read again when they are drawn.
    factors
        [n] or [n, k] numbers; NaN is not allowed.
    factor_names
        k names; by default "factor 1" and so on.
    factor_kinds
        k times "categorical" or "continuous"; by default integers are categorical and floats continuous.
    series
        For series, where the channels stand: "channels-first", [n, c, length], or "channels-last", [n, length, c].
        They are stored as [n, c, length], each channel scaled to mean 0 and standard deviation 1. Series of one
        channel, [n, length], stay as they are. Without it an array of three dimensions is images, and one of two
        vectors, the rows of a table.
    axes
        The dimensions of an observation, as "hwc", "dhw" or "cdhw".
    channel_names
        c names of such channels; by default "channel 1" and so on.
    name, source
        How results call the world, and where it comes from.
    copy
        Whether x is copied even where it could be kept as it is, so that the world does not change with it.
    like
        The kind of data that they are like, where that is known already: series of several channels get its scale.
    new
        Whether x is for a model that was trained before: then one observation is enough, and nothing needs to vary.

    Raises
    ------
    InputError
        For infinity, a wrong rank, fewer than two observations, observations that are all equal, columns and channels
        without any value, values that are no numbers, [n, a, b] of which one is more than four times the other where
        `series` does not say what they are, and factors that do not fit.
    """
    where = f"World {name!r}"
    notices: tuple[str, ...] = ()
    if channel_names is not None and series is None:
        raise InputError(
            f"{where}: channel names are for series of several channels, so say where their channels stand: "
            f"series={' or '.join(map(repr, LAYOUTS))}."
        )
    x = whole_or_rows(x) if isinstance(x, Rows) else x
    if isinstance(x, Rows):
        storage, kind, notices = _in_pieces(x, name, series, axes, channel_names, like, new=new)
    else:
        storage, kind, notices = _in_memory(x, name, series, axes, channel_names, like, copy=copy, new=new)
    known: NDArray | None = None
    names: tuple[str, ...] = ()
    kinds: tuple[FactorKind, ...] = ()
    if factors is not None:
        known, names, kinds = _factors(factors, factor_names, factor_kinds, len(storage), name)
    elif factor_names is not None or factor_kinds is not None:
        raise InputError(f"World {name!r}: factor names or kinds were given without factors.")
    return World(name, storage, known, names, kinds, source, kind, notices=notices)


def _in_memory(
    x: NDArray | Tensor,
    name: str,
    series: Layout | None,
    axes: str | None,
    channel_names: Sequence[str] | None,
    like: Kind | None,
    *,
    copy: bool,
    new: bool,
) -> tuple[Storage, Kind, tuple[str, ...]]:
    """How an array is kept, what it is, and what a user should know of it."""
    where = f"World {name!r}"
    given = numbers(x, where, gaps=True)
    kind: Images | Table | Series
    found: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    if series is None:
        axes, found = _axes(given.shape, name, axes, like)
        laid_out = images_first(given, name, least=1 if new else 2, slender=new, axes=axes)
        vectors = laid_out.ndim == 2
        scheme, low, high, n = _scheme_like(like, series), *_ranges(laid_out)
        if vectors and not new:
            _refuse_empty(n == 0, name)
        if like is None and not new and (vectors or laid_out.dtype != np.uint8):  # bytes of images are pixels
            fit = partial(ChannelScheme.fit, laid_out, name=where)
            scheme, notices = scheme_of(low, high, n, fit, of_vectors=vectors)
        if scheme is None:
            storage, offset = _stored(laid_out, name, copy, new=new)
        else:
            scheme.check(laid_out, where)
            storage, offset = _stored(scheme.scaled(laid_out), name, copy=False, new=new)
        kind = _plain(storage.shape, axes, pixels=of_bytes(storage), offset=offset, channels=scheme)
        if isinstance(kind, Table) and not new:
            kind, constant = _of_columns(kind, low, high, n < len(given))
            notices = (*constant, *notices)
    elif given.ndim == 2 and series in LAYOUTS and channel_names is None:  # of one channel
        check_size(given, name, least=1 if new else 2)
        storage, offset = _stored(given, name, copy, new=new)
        kind = Series(pixels=of_bytes(storage), offset=offset, layout=series)
    else:
        given = channels_first(given, series, where)
        check_size(given, name, least=1 if new else 2)
        scheme = _scheme_like(like, series) or ChannelScheme.fit(given, names=channel_names, name=where)
        scheme.check(given, where)
        storage, offset = _stored(scheme.scaled(given), name, copy=False, new=new)
        kind = Series(offset=offset, channels=scheme, layout=series)
        notices = _of_constant(scheme)
    shown = given if series is not None else laid_out
    notices = (*found, *notices, *(() if new else _doubts(shown, of_vectors=series is None)))
    if given.dtype.kind == "f" and (missing := int(np.isnan(given).sum())):
        kind = replace(kind, lacking=kind.lacking or ())
        notices = (*notices, f"{missing:,} of {given.size:,} values are missing (NaN)")
    return storage, kind, notices


def _in_pieces(
    x: Rows,
    name: str,
    series: Layout | None,
    axes: str | None,
    channel_names: Sequence[str] | None,
    like: Kind | None,
    *,
    new: bool,
) -> tuple[Storage, Kind, tuple[str, ...]]:
    """The same for an array that stays where it is; the rules are those of `_in_memory`."""
    where = f"World {name!r}"
    numbers(np.empty((0, *x.shape[1:]), x.dtype), where)
    if isinstance(x, SparseRows):
        refuse_empty_space(x, where)
    shaped = np.broadcast_to(np.zeros((), x.dtype), x.shape)  # takes no memory
    one_channel = x.ndim == 2 and series in LAYOUTS and channel_names is None
    found: tuple[str, ...] = ()
    if series is None:
        axes, found = _axes(x.shape, name, axes, like)

    def laid_out(part: NDArray) -> NDArray:
        if one_channel:
            return part
        if series is not None:
            return channels_first(part, series, where)
        return images_first(part, name, least=0, slender=True, axes=axes)

    if series is None:
        images_first(shaped, name, least=1 if new else 2, slender=new, axes=axes)
    else:
        laid_out(shaped)
        check_size(shaped, name, least=1 if new else 2)
    shape = laid_out(shaped).shape[1:]
    seen = Moments.of(x, laid_out, where)
    every, of_bytes = seen.over(), x.dtype == np.uint8 and len(shape) > 1
    if not new and (seen.low == seen.high).all() and float(every.count) == x.shape[0] * seen.low.size:
        raise InputError(f"{where}: all {len(x)} observations are equal, so there is nothing to learn.")
    each, vectors = seen.over(tuple(range(1, len(shape)))), len(shape) == 1  # of each channel, or column
    fit = partial(ChannelScheme.of_moments, each, names=channel_names, name=where, of_vectors=vectors)
    scheme = _scheme_like(like, series)
    notices: tuple[str, ...] = ()
    if series is not None and not one_channel:
        scheme = scheme or fit()
        notices = _of_constant(scheme)
    elif series is None and vectors and not new:
        _refuse_empty(seen.count == 0, name)
    if series is None and like is None and not new and not of_bytes:
        scheme, notices = scheme_of(each.low, each.high, each.count, fit, of_vectors=vectors)
    pixels, offset = of_bytes and float(every.high) > 1, 0.0
    if scheme is None:
        found_offset = offset_by(float(every.low), float(every.high), float(every.mean), seen.std, x.dtype)
        if found_offset is None and not new:
            raise InputError(f"{where} {TOO_FINE}.")
        offset = found_offset or 0.0
        became = seen.scaled(np.array(offset), np.array(255.0 if pixels else 1.0))
        become = partial(_pixels if pixels else _numbers, laid_out, offset)
    else:
        scheme.check(laid_out(shaped), where)
        became = seen.scaled(*scheme.shift_and_scale(len(shape) + 1))
        become = partial(_scaled, laid_out, scheme)
    kind: Images | Table | Series
    if series is not None:
        kind = Series(offset=offset, channels=scheme, layout=series)
    else:
        kind = _plain(shape, axes, pixels=pixels, offset=offset, channels=scheme)
    if isinstance(kind, Table) and not new:
        kind, constant = _of_columns(kind, seen.low, seen.high, seen.count < len(x))
        notices = (*constant, *notices)
    if missing := int(x.shape[0] * np.prod(shape) - float(every.count)):
        kind = replace(kind, lacking=kind.lacking or ())
        notices = (*notices, f"{missing:,} of {x.shape[0] * int(np.prod(shape)):,} values are missing (NaN)")
    whole = became.over()
    storage = Pieces(x, become, shape, float(whole.mean), became.std, float(whole.low), float(whole.high))
    said = f"larger than {WHOLE / 1e9:g} GB, so it stays where it is and is read in pieces, whose rows are shuffled"
    doubts = () if new else _doubts(laid_out(x[: min(len(x), block_of(x))]), of_vectors=series is None)
    return storage, kind, (*found, *notices, *doubts, said)


def _axes(
    shape: tuple[int, ...], name: str, axes: str | None, like: Kind | None
) -> tuple[str | None, tuple[str, ...]]:
    """The axes of observations [n, …] that are no series, and what a user should know of them.

    They are those that were said, those of `like`, or what the shape tells.
    """
    if (
        axes is None
        and isinstance(like, Images)
        and like.axes is not None
        and len(like.axes) + 1 == len(shape)
    ):
        axes = like.axes
    if axes is not None:
        return axes, ()
    axes = axes_of(shape, name)
    return axes, () if axes is None else (taken_for(axes, shape[1:]),)


def _plain(
    shape: tuple[int, ...],
    axes: str | None,
    *,
    pixels: bool,
    offset: float,
    channels: ChannelScheme | None,
) -> Images | Table:
    """The kind of observations that a network sees in `shape`."""
    if len(shape) == 1:
        return Table(pixels=pixels, offset=offset, channels=channels)
    sort = Images if len(shape) == 3 else Volumes
    return sort(axes=axes, pixels=pixels, offset=offset, channels=channels)


def _scheme_like(like: Kind | None, series: Layout | None) -> ChannelScheme | None:
    """How observations are scaled that are like those, if they are the same sort of thing."""
    of_series = isinstance(like, Series)
    return like.channels if isinstance(like, Numbers) and of_series == (series is not None) else None


def _ranges(x: NDArray) -> tuple[NDArray, NDArray, NDArray[np.int64]]:
    """The least and the greatest value of each channel, or column of vectors, and how many it has."""
    rest = (0, *range(2, x.ndim))
    gaps = np.isnan(x).sum(rest) if x.dtype.kind == "f" else 0
    n = np.full(x.shape[1], x.size // x.shape[1]) - gaps
    return np.fmin.reduce(x, rest), np.fmax.reduce(x, rest), n


def _scaled(laid_out: Callable[[NDArray], NDArray], scheme: ChannelScheme, part: NDArray) -> NDArray:
    return scheme.scaled(laid_out(part))


def _pixels(laid_out: Callable[[NDArray], NDArray], offset: float, part: NDArray) -> NDArray:
    return np.ascontiguousarray(laid_out(part))


def _numbers(laid_out: Callable[[NDArray], NDArray], offset: float, part: NDArray) -> NDArray:
    return less(laid_out(part), offset)


def _of_constant(scheme: ChannelScheme) -> tuple[str, ...]:
    """What a user should know of channels that are constant."""
    constant = scheme.constant()
    are = "is" if len(constant) == 1 else "are"
    return (f"{', '.join(constant)} {are} constant, and rebuilt as the constant",) if constant else ()


def _stored(x: NDArray, name: str, copy: bool, *, new: bool) -> tuple[Storage, float]:
    """Observations as they are kept, and the offset that was taken off them."""
    gaps = x.dtype.kind == "f"
    if not new and all(
        np.array_equal(row, x[0], equal_nan=gaps) for row in x
    ):  # it ends at the first other one
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
    offset = offset_of(x)
    made = less(x, offset) if offset else np.array(x, dtype=np.float32, order="C", copy=always)
    lost = offset is None or np.abs(made).max() < SMALLEST or all((row == made[0]).all() for row in made)
    if lost and not new:
        raise InputError(f"World {name!r} {TOO_FINE}.")
    return Dense(torch.from_numpy(made)), offset or 0.0


def _doubts(x: NDArray, *, of_vectors: bool) -> tuple[str, ...]:
    """What the values of observations [n, c, …] or vectors may be besides numbers; spectra and curves have one unit."""
    return doubts_of_array(x, of_table=of_vectors and x.ndim == 2 and x.shape[1] <= COLUMNS)


def _refuse_empty(empty: NDArray[np.bool_], name: str) -> None:
    """Refuse vectors of which columns have no values."""
    if empty.any():
        raise InputError(
            f"World {name!r}: {empty.sum()} of {len(empty)} columns have no values ({_some(np.flatnonzero(empty))}): "
            "leave them out."
        )


def _of_columns(
    kind: Table, low: NDArray, high: NDArray, lacking: NDArray[np.bool_]
) -> tuple[Table, tuple[str, ...]]:
    """The kind of vectors with what is known of their columns, which are constant and which lack values, and what of it
    a user should know."""
    notices = []
    constant = np.flatnonzero(low == high)
    if len(constant):
        are = "is" if len(constant) == 1 else "are"
        notices.append(
            f"{len(constant)} of {len(low)} columns {are} constant ({_some(constant)}), and rebuilt as the constant"
        )
    made = replace(
        kind,
        constant={int(i): float(low[i]) for i in constant},
        lacking=tuple(np.flatnonzero(lacking).tolist()) if lacking.any() else None,
    )
    return made, tuple(notices)


def _some(columns: NDArray[np.int64]) -> str:
    return ", ".join(map(str, columns[:5].tolist())) + (" …" if len(columns) > 5 else "")


def _factors(
    given: NDArray | Tensor,
    names: Sequence[str] | None,
    kinds: Sequence[FactorKind] | None,
    n: int,
    world: str,
) -> tuple[NDArray, tuple[str, ...], tuple[FactorKind, ...]]:
    factors = numbers(given, f"World {world!r}: factors")
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
