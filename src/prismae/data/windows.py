"""Recordings in memory: long ones cut into windows, and several of unequal lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from prismae._text import listed
from prismae.data.labels import Found, labels_of
from prismae.errors import InputError
from prismae.settings import Reading


@dataclass(frozen=True)
class Recording:
    """Values [c, length] of c channels, evenly spaced in time, and what they are called."""

    x: NDArray
    name: str


def cut_arrays(found: Found, reading: Reading, name: str, *, new: bool = False) -> Found:
    """Windows of the array of a file or of memory: [length], [c, length], [length, c], or such recordings [n, …]."""
    x, notices = found.whole(), list(found.notices)
    if x.ndim == 3:
        if reading.series not in ("channels-first", "channels-last"):
            raise InputError(
                f"{name}: recordings of shape {x.shape} have their channels first or last: say "
                "series='channels-first' or 'channels-last' (--series)."
            )
        recordings = [
            Recording(one_recording(each, reading.series, name), f"recording {i}") for i, each in enumerate(x)
        ]
    elif x.ndim == 2 and reading.series == "rows":
        recordings = [Recording(each[None], f"recording {i}") for i, each in enumerate(x)]
    else:
        recordings = [Recording(one_recording(x, reading.series, name), "")]
        if x.ndim == 2 and reading.series is None:
            length = recordings[0].x.shape[1]
            notices.append(
                f"taken for one recording of {_channels_in(recordings[0])} and {length:,} points (else --series)"
            )
    columns: dict[str, Any] = {}
    if found.labels is not None:
        columns = found.labels.columns()
    return found_of(
        recordings,
        reading,
        name,
        columns,
        rate=found.rate,
        names=found.channel_names,
        notices=notices,
        new=new,
    )


def found_of(
    recordings: Sequence[Recording],
    reading: Reading,
    name: str,
    columns: Mapping[str, Any],
    *,
    rate: float | None = None,
    names: Sequence[str] | None = None,
    notices: Sequence[str] = (),
    new: bool = False,
) -> Found:
    """Windows of recordings, or the recordings as they are; labels have a value for each of them, or for each point."""
    said = list(notices)
    rate = (rate or reading.rate) if new else (reading.rate or rate)
    lengths = [each.x.shape[1] for each in recordings]
    if reading.window is None:
        if len(recordings) == 1 and not new:
            times = f" ({lengths[0] / rate:g} s)" if rate else ""
            raise InputError(
                f"{name} is one recording of {_channels_in(recordings[0])} and {lengths[0]:,} points{times}: say "
                "into windows of how many points it is cut, such as --window 1000."
            )
        x = np.full((len(recordings), len(recordings[0].x), max(lengths)), np.nan)
        for row, each in zip(x, recordings, strict=True):
            row[:, : each.x.shape[1]] = each.x
        if min(lengths) < max(lengths):
            said.append(
                f"series are {min(lengths):,} to {max(lengths):,} points long: what shorter ones lack is missing "
                "(--window cuts them into equal parts)"
            )
        called = [each.name for each in recordings]
        of = np.arange(len(recordings))
        middles = of
    else:
        window, stride = reading.window, reading.stride or reading.window
        if max(lengths) < window:
            raise InputError(
                f"{name}: the longest recording has {max(lengths):,} points, fewer than a window of {window:,}."
            )
        parts, called, owners, places = [], [], [], []
        for i, each in enumerate(recordings):
            if lengths[i] < window:
                continue
            parts.append(np.moveaxis(sliding_window_view(each.x, window, axis=1)[:, ::stride], 1, 0))
            starts = np.arange(len(parts[-1])) * stride
            called += [_at(each.name, int(start), rate) for start in starts]
            owners += [i] * len(starts)
            places += (starts + window // 2).tolist()
        x = parts[0] if len(parts) == 1 else np.concatenate(parts)
        of, middles = np.array(owners), np.array(places)
        short = [each.name for each, length in zip(recordings, lengths, strict=True) if length < window]
        if short:
            said.append(f"{len(short)} recordings are shorter than a window and left out: {listed(short)}")
        left = sum((length - window) % stride for length in lengths if length >= window)
        said.append(
            f"{len(x):,} windows of {window:,} points, one every {stride:,}"
            + (f"; {left:,} of {sum(lengths):,} points at the ends fill none" if left else "")
        )
        if stride < window:
            said.append("windows overlap, so that those held out share points with those that are trained on")
        elif stride > window:
            said.append(f"between windows {stride - window:,} points each are left out")
    taken = {}
    for column, values in columns.items():
        series = pd.Series(values).reset_index(drop=True)
        if len(series) == len(recordings) > 1 or len(recordings) == len(series) == 1:
            taken[column] = series.iloc[of].reset_index(drop=True)
        elif len(recordings) == 1 and len(series) == lengths[0]:
            taken[column] = series.iloc[middles].reset_index(drop=True)
            said.append(f"factor {column!r} of a window is that of the point in its middle")
        else:
            raise InputError(
                f"{name}: factor {column!r} has {len(series)} values, expected one for each of {len(recordings)} "
                "recordings."
            )
    labels = labels_of(taken, len(x), name, new=new)
    c = x.shape[1]
    return Found(
        np.array(x[:, 0]) if c == 1 else x,  # windows are views of the recording
        labels,
        channel_names=tuple(names) if names is not None and c > 1 else None,
        names=np.array(called) if any(called) else None,
        notices=tuple(said),
        series="channels-first",
        rate=rate,
    )


def _channels_in(recording: Recording) -> str:
    c = len(recording.x)
    return "1 channel" if c == 1 else f"{c} channels"


def _at(name: str, start: int, rate: float | None) -> str:
    """What the window that begins at a point is called."""
    return f"{name} {start / rate:g} s".strip() if rate else f"{name} @{start}".strip()


def one_recording(x: NDArray, layout: str | None, name: str) -> NDArray:
    """One recording [c, length] of an array, of whose dimensions the longer is time if `layout` is None."""
    x = np.squeeze(x) if x.ndim > 2 else x
    if x.ndim == 2 and 1 in x.shape:
        x = x.reshape(-1)
    if x.ndim == 1:
        return x[None]
    if x.ndim != 2:
        raise InputError(
            f"{name}: an array of shape {x.shape} is no recording, expected [length], [c, length] or [length, c]."
        )
    last = layout == "channels-last" or (layout is None and x.shape[0] > x.shape[1])
    return x.T if last else x
