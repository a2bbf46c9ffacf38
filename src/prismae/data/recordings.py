"""Recordings: long series cut into windows, series of unequal lengths, audio files, tables of points in time."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from prismae.data.array_files import read_arrays
from prismae.data.columns import Column, listed
from prismae.data.image_folder import LABELS, labels_in
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.table_files import is_table, read_file
from prismae.data.tables import checked_names, look
from prismae.errors import InputError, unknown_name
from prismae.settings import Reading

AUDIO = (".wav", ".wave")
FILES = (".npy", ".mat")  # that a folder may hold, each a recording, beside audio and tables
EVEN = 0.01  # of a step: by how much steps in time may differ and still count as even
SECONDS = re.compile(r"(?i)\W*(t|time|s|secs?|seconds?|zeit)\b[\s_\[(]*(s|secs?|seconds?)?\W*")
MILLISECONDS = re.compile(r"(?i).*(\b|_)(ms|msecs?|milliseconds?)\W*")

_NAMED = 5


@dataclass(frozen=True)
class Recording:
    """Values [c, length] of c channels, evenly spaced in time, and what they are called."""

    x: NDArray
    name: str


def is_audio(path: Path) -> bool:
    """Whether a path's suffix, in capitals or not, is that of an audio file that is read."""
    return path.suffix.lower() in AUDIO


def read_audio(path: Path, reading: Reading, *, new: bool = False) -> Found:
    """The recording of a .wav file, cut into windows."""
    recording, rate = _audio(path)
    return _found([Recording(recording.x, "")], reading, path.name, {}, rate=rate, new=new)


def read_recordings(path: Path, reading: Reading, *, new: bool = False) -> Found:
    """The recordings of a folder, one in each file: .wav, tables of which each row is a point in time, .npy or .mat.

    Where there are several sorts of files, the most frequent is taken, and the others are counted. Labels are those of
    a folder of images.

    Raises
    ------
    InputError
        For a folder without such files, files that cannot be read (all are named), and recordings of other channels or
        another sampling rate than the others.
    """
    files = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    sorts: dict[str, list[Path]] = {}
    for file in files:
        if (sort := _sort(file)) and is_recording(file):
            sorts.setdefault(sort, []).append(file)
    taken = max(sorts.values(), key=len)
    recordings: list[Recording] = []
    rates: list[float | None] = []
    channels: dict[tuple[str, ...], str] = {}
    failed: dict[str, str] = {}
    said: list[str] = []
    for file in taken:
        name = file.relative_to(path).as_posix()
        names: tuple[str, ...] = ()
        rate = None
        try:
            if is_audio(file):
                recording, rate = _audio(file)
            elif is_table(file):
                table, notices = read_file(file, reading)
                values, names, rate, more = _channels(table, reading, name)
                said += [each for each in (*notices, *more) if each not in said]
                recording = Recording(values.T, name)
            else:
                found = read_arrays(file, None, (), new=True)
                recording = Recording(_one(found.whole(), reading.series, name), name)
                rate = found.rate
        except InputError as error:
            failed[name] = str(error)
            continue
        recordings.append(Recording(recording.x, name))
        rates.append(rate)
        channels.setdefault(names or (str(len(recording.x)),), name)
    if failed and not (reading.skip_damaged and recordings):
        leave = ": --skip-damaged leaves them out" if recordings else ""
        reasons = " ".join([*failed.values()][:_NAMED])
        raise InputError(f"{path}: {len(failed)} of {len(taken)} recordings cannot be read{leave}. {reasons}")
    if len(channels) > 1:
        ways = "; ".join(f"{name} has {', '.join(each)}" for each, name in [*channels.items()][:_NAMED])
        raise InputError(f"{path} holds recordings of other channels than the others: {ways}.")
    if len(set(rates)) > 1:
        pairs = {rate: each.name for rate, each in zip(rates, recordings, strict=True)}
        ways = ", ".join(
            f"{name} {rate:g} a second" if rate else f"{name} unknown" for rate, name in pairs.items()
        )
        raise InputError(f"{path} holds recordings of several sampling rates, {ways}: expected one.")
    others = len(files) - len(taken) - (path / LABELS).is_file()
    notices = [f"each of the {len(recordings)} {taken[0].suffix} files is taken for one recording", *said]
    if others:
        notices.append(f"{others} other files in the folder are not read")
    if failed:
        notices.append(f"left out, since they cannot be read: {listed(sorted(failed))}")
    called = [each.name for each in recordings]
    columns = labels_in(path, [path / name for name in called], called, failed)
    if reading.factors:
        columns = {
            each: columns[each] for each in chosen(reading.factors, columns, f"label of {path.name}", new=new)
        }
    names = next(iter(channels))
    return _found(
        recordings,
        reading,
        path.name,
        columns,
        rate=rates[0],
        names=names if len(recordings[0].x) == len(names) > 1 else None,
        notices=notices,
        new=new,
    )


def holds_recordings(path: Path) -> bool:
    """Whether a folder holds files that may be recordings."""
    return any(map(is_recording, path.rglob("*")))


def is_recording(path: Path) -> bool:
    """Whether a file of a folder may be a recording, by its name."""
    return _sort(path) is not None and path.name != LABELS


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
            Recording(_one(each, reading.series, name), f"recording {i}") for i, each in enumerate(x)
        ]
    elif x.ndim == 2 and reading.series == "rows":
        recordings = [Recording(each[None], f"recording {i}") for i, each in enumerate(x)]
    else:
        recordings = [Recording(_one(x, reading.series, name), "")]
        if x.ndim == 2 and reading.series is None:
            length = recordings[0].x.shape[1]
            notices.append(
                f"taken for one recording of {_channels_in(recordings[0])} and {length:,} points (else --series)"
            )
    columns: dict[str, Any] = {}
    if found.labels is not None:
        columns = dict(zip(found.labels.names, found.labels.values.T, strict=True))
    return _found(
        recordings,
        reading,
        name,
        columns,
        rate=found.rate,
        names=found.channel_names,
        notices=notices,
        new=new,
    )


def series_of_table(
    table: pd.DataFrame, reading: Reading, name: str, *, notices: Sequence[str] = (), new: bool = False
) -> Found:
    """Series of a table: each row a series, or each row a point in time of one recording, or of several by `id`.

    Raises
    ------
    InputError
        For columns that are not there or hold no numbers, and factors that vary within a series.
    """
    checked_names(table, name)
    asked = [
        each
        for each in (reading.series_id, reading.time, *reading.factors, *reading.drop)
        if each is not None
    ]
    for column in asked:
        if column not in table.columns and not new:
            raise unknown_name(f"column of {name}", column, map(str, table.columns))
    if reading.series == "rows":
        return _rows(table, reading, name, list(notices), new=new)
    if reading.time is not None:
        order = pd.Series(_seconds(table[reading.time], reading.time, name)).argsort(kind="stable")
        table = table.iloc[order]
    values, names, rate, more = _channels(table, reading, name)
    said = [*notices, *more]
    factors = [column for column in reading.factors if column in table.columns]
    if reading.series_id is None:
        if reading.window is None:
            raise InputError(
                f"{name}: one recording of {len(values):,} points has to be cut into windows (--window), or is "
                "several, told apart by a column (--id)."
            )
        columns = {column: table[column].to_numpy() for column in factors}
        return _found(
            [Recording(values.T, "")], reading, name, columns, rate=rate, names=names, notices=said, new=new
        )
    of, ids = pd.factorize(table[reading.series_id].astype(str))
    places = np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of))[:-1])
    recordings = [Recording(values[rows].T, str(each)) for each, rows in zip(ids, places, strict=True)]
    grouped = table.groupby(of)
    varying = [repr(column) for column in factors if grouped[column].nunique(dropna=False).max() > 1]
    if varying:
        raise InputError(
            f"{name}: {listed(varying)} of the factors vary within a series of {reading.series_id!r}, expected one "
            "value for each."
        )
    first: dict[str, Any] = {
        column: table[column].iloc[[rows[0] for rows in places]].reset_index(drop=True) for column in factors
    }
    if reading.time is not None:
        rate, uneven = _common_rate(table[reading.time], places, reading.time, name)
        if uneven:
            said.append(
                f"times in {reading.time!r} are not evenly spaced: points are taken one after the other"
            )
    return _found(recordings, reading, name, first, rate=rate, names=names, notices=said, new=new)


def _rows(table: pd.DataFrame, reading: Reading, name: str, notices: list[str], *, new: bool) -> Found:
    index = reading.index
    rest = table.drop(columns=[each for each in (*reading.factors, *reading.drop) if each in table])
    looked = look(rest, name, categorical=(), numeric=[each for each in reading.numeric if each in rest])
    first = next(iter(looked))
    if index is None and looked[first].role in ("rows", "names"):
        index = first
    texts = [repr(column) for column, each in looked.items() if column != index and not _numeric(each.values)]
    if texts:
        raise InputError(
            f"{name}: {listed(texts)} hold no numbers, and each row is to be a series: --drop, --index."
        )
    columns = [column for column in looked if column != index]
    x = np.stack([looked[column].values.to_numpy(np.float64) for column in columns], axis=1)
    called = None if index is None else table[index].astype(str).to_numpy(dtype=str)
    if called is None and not isinstance(table.index, pd.RangeIndex):
        called = table.index.astype(str).to_numpy(dtype=str)
    factors = {column: table[column] for column in reading.factors if column in table}
    if reading.window is not None:
        recordings = [
            Recording(each[None], str(i if called is None else called[i])) for i, each in enumerate(x)
        ]
        return _found(recordings, reading, name, factors, notices=notices, new=new)
    labels = labels_of(factors, len(x), name, new=new)
    return Found(x, labels, names=called, notices=tuple(notices), series="channels-first", rate=reading.rate)


def _found(
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
    rate = reading.rate or rate
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


def _audio(path: Path) -> tuple[Recording, float]:
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
            rate, values = wavfile.read(path)
    except (
        OSError,
        EOFError,
        ValueError,
        ArithmeticError,
        UnboundLocalError,
        struct.error,
        UserWarning,
    ) as error:
        raise InputError(f"{path} is damaged or no .wav file that can be read ({error}).") from None
    if values.size == 0:
        raise InputError(f"{path} holds no sound.")
    return Recording(np.atleast_2d(values.T), path.name), float(rate)


def _one(x: NDArray, layout: str | None, name: str) -> NDArray:
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


def _channels(
    table: pd.DataFrame, reading: Reading, name: str
) -> tuple[NDArray, tuple[str, ...], float | None, list[str]]:
    """Values [length, c] of the columns of numbers, their names, the sampling rate, and what is to be said."""
    others = (reading.series_id, reading.time, reading.index, *reading.factors, *reading.drop)
    rest = table.drop(columns=[each for each in others if each in table.columns])
    looked = look(rest, name, categorical=(), numeric=[each for each in reading.numeric if each in rest])
    texts = [
        column
        for column, each in looked.items()
        if each.role in ("category", "names", "constant") and not _numeric(each.values)
    ]
    if texts:
        raise InputError(
            f"{name}: {listed(list(map(repr, texts)))} hold no numbers, and each row is to be a point of a series: "
            f"--drop {','.join(texts)}, or --factors."
        )
    said: list[str] = []
    rate = None
    if reading.time is not None:
        rate = _rate(_seconds(table[reading.time], reading.time, name))
        if rate is None and reading.series_id is None:
            said.append(
                f"times in {reading.time!r} are not evenly spaced: points are taken one after the other"
            )
    taken = []
    for column, each in looked.items():
        if column in reading.numeric or each.role not in ("number", "rows", "empty"):
            taken.append(column)
            continue
        times = None if each.role == "empty" else _times(each, rest[column], column)
        steady = None if times is None else _rate(times)
        if each.role == "rows" or steady is not None:
            if reading.time is None and rate is None:
                rate = steady
            also = f": {rate:g} points a second (else --rate)" if rate and reading.time is None else ""
            said.append(f"{column!r} counts or tells the time, and is left out (else --numeric){also}")
        elif each.role == "empty":
            said.append(f"column {column!r} has no values: it is left out")
        else:
            taken.append(column)
    if not taken:
        raise InputError(f"{name}: no column of numbers is left for a series.")
    values = np.stack([looked[column].values.to_numpy(np.float64) for column in taken], axis=1)
    return values, tuple(taken), rate, said


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)


def _times(looked: Column, column: pd.Series, name: str) -> NDArray | None:
    """Seconds of a column that may tell the time: one of dates, or of numbers by its name; None for others."""
    if looked.written.startswith("date"):
        return looked.values.to_numpy(np.float64) * 86_400
    column = looked.values if _numeric(looked.values) else column  # as 0,02 is one
    if _numeric(column):
        if MILLISECONDS.fullmatch(name):
            return column.to_numpy(np.float64) / 1000
        return column.to_numpy(np.float64) if SECONDS.fullmatch(name) else None
    dates = pd.to_datetime(column, errors="coerce", utc=True)
    return None if dates.isna().any() else (dates - dates.iloc[0]).dt.total_seconds().to_numpy()


def _seconds(column: pd.Series, name: str, where: str) -> NDArray:
    """Seconds of the column that the user says is the time."""
    if _numeric(column):
        return column.to_numpy(np.float64) / (1000 if MILLISECONDS.fullmatch(name) else 1)
    dates = pd.to_datetime(column, errors="coerce", utc=True)
    found = None if dates.isna().any() else (dates - dates.iloc[0]).dt.total_seconds().to_numpy()
    if found is None:
        raise InputError(f"{where}: column {name!r} holds no times, expected numbers or dates.")
    return found


def _rate(times: NDArray) -> float | None:
    """Points a second of times [length], or None where they are not evenly spaced."""
    steps = np.diff(times)
    if len(steps) == 0 or not np.isfinite(steps).all() or steps.min() <= 0:
        return None
    step = float(np.median(steps))
    return float(f"{1 / step:.6g}") if np.abs(steps - step).max() <= EVEN * step + 1e-9 else None


def _common_rate(
    column: pd.Series, places: Sequence[NDArray], name: str, where: str
) -> tuple[float | None, bool]:
    """The rate that all series have, and whether some are not evenly spaced."""
    times = _seconds(column, name, where)
    rates = {_rate(times[rows]) for rows in places if len(rows) > 1}
    even = len(rates) == 1 and None not in rates
    return (rates.pop() if even else None), not even


def _sort(file: Path) -> str | None:
    if is_audio(file):
        return "audio"
    if is_table(file):
        return "table"
    return "array" if file.suffix.lower() in FILES else None
