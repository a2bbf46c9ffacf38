"""Worlds of a user's own arrays and tensors, checked and laid out for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.apart import COLUMNS, scheme_of
from prismae.data.channels import LAYOUTS, ChannelScheme
from prismae.data.doubts import doubts_of_array
from prismae.data.kinds import Images, Kind, Numbers, Series, Table, Volumes
from prismae.data.layout import axes_of, numbers, taken_for
from prismae.data.observed import InMemory, InPieces, Laid, Observed
from prismae.data.rows import Rows, SparseRows, refuse_empty_space, whole_or_rows
from prismae.data.storage import Storage
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
    if channel_names is not None and series is None:
        raise InputError(
            f"{where}: channel names are for series of several channels, so say where their channels stand: "
            f"series={' or '.join(map(repr, LAYOUTS))}."
        )
    x = whole_or_rows(x) if isinstance(x, Rows) else x
    if isinstance(x, Rows):
        numbers(np.empty((0, *x.shape[1:]), x.dtype), where)
        if isinstance(x, SparseRows):
            refuse_empty_space(x, where)
    else:
        x = numbers(x, where, gaps=True)
    storage, kind, notices = _observations(x, name, series, axes, channel_names, like, copy=copy, new=new)
    known: NDArray | None = None
    names: tuple[str, ...] = ()
    kinds: tuple[FactorKind, ...] = ()
    if factors is not None:
        known, names, kinds = _factors(factors, factor_names, factor_kinds, len(storage), name)
    elif factor_names is not None or factor_kinds is not None:
        raise InputError(f"World {name!r}: factor names or kinds were given without factors.")
    return World(name, storage, known, names, kinds, source, kind, notices=notices)


def _observations(
    x: NDArray | Rows,
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
    found: tuple[str, ...] = ()
    if series is None:
        axes, found = _axes(x.shape, name, axes, like)
    one_channel = x.ndim == 2 and series in LAYOUTS and channel_names is None
    layout = Laid(name, series, axes, one_channel=one_channel, new=new)
    seen: Observed = InPieces(x, layout) if isinstance(x, Rows) else InMemory(x, layout, copy=copy)
    of_vectors = series is None and len(seen.shape) == 1
    if of_vectors and not new:
        _refuse_empty(seen.count == 0, name)
    scheme = None if one_channel else _scheme_like(like, series)
    notices: tuple[str, ...] = ()
    if series is not None and not one_channel:
        scheme = scheme or seen.fit(channel_names)
        notices = _of_constant(scheme)
    elif series is None and like is None and not new and not seen.of_bytes:
        scheme, notices = scheme_of(seen.low, seen.high, seen.count, seen.fit, of_vectors=of_vectors)
    storage, offset, pixels = seen.kept(scheme)
    kind: Images | Table | Series
    if series is not None:
        kind = Series(pixels=pixels, offset=offset, channels=scheme, layout=series)
    else:
        kind = _plain(seen.shape, axes, pixels=pixels, offset=offset, channels=scheme)
    if isinstance(kind, Table) and not new:
        kind, constant = _of_columns(kind, seen.low, seen.high, seen.count < len(storage))
        notices = (*constant, *notices)
    if not new:
        of_table = of_vectors and seen.shape[0] <= COLUMNS  # spectra and curves have one unit
        notices = (*notices, *doubts_of_array(seen.some(), of_table=of_table))
    values = len(storage) * prod(seen.shape)
    if missing := values - int(seen.count.sum()):
        kind = replace(kind, lacking=kind.lacking or ())
        notices = (*notices, f"{missing:,} of {values:,} values are missing (NaN)")
    return storage, kind, (*found, *notices, *seen.said)


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


def _of_constant(scheme: ChannelScheme) -> tuple[str, ...]:
    """What a user should know of channels that are constant."""
    constant = scheme.constant()
    are = "is" if len(constant) == 1 else "are"
    return (f"{', '.join(constant)} {are} constant, and rebuilt as the constant",) if constant else ()


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
