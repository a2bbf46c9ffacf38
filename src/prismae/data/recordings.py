"""Recordings in files: audio, and folders of files of which each is a recording."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from os import SEEK_CUR
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prismae._text import listed
from prismae.data.array_files import read_arrays
from prismae.data.files import files_below
from prismae.data.image_folder import LABELS, labels_in
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.points import channels_of
from prismae.data.table_files import is_table, read_file
from prismae.data.windows import Recording, found_of, one_recording
from prismae.errors import InputError, in_a_sentence
from prismae.settings import Reading

AUDIO = (".wav", ".wave")
FILES = (".npy", ".mat")  # that a folder may hold, each a recording, beside audio and tables

_NAMED = 5


def is_audio(path: Path) -> bool:
    """Whether a path's suffix, in capitals or not, is that of an audio file that is read."""
    return path.suffix.lower() in AUDIO


def read_audio(path: Path, reading: Reading, *, new: bool = False) -> Found:
    """The recording of a .wav file, cut into windows."""
    recording, rate = _audio(path)
    return found_of([Recording(recording.x, "")], reading, path.name, {}, rate=rate, new=new)


def read_recordings(path: Path, reading: Reading, *, new: bool = False) -> Found:
    """The recordings of a folder, one in each file: .wav, tables of which each row is a point in time, .npy or .mat.

    Arrays that seem to be images, or of which axes are said, are taken for that.

    Where there are several sorts of files, the most frequent is taken, and the others are counted. Labels are those of
    a folder of images.

    Raises
    ------
    InputError
        For a folder without such files, files that cannot be read (all are named), and recordings of other channels or
        another sampling rate than the others.
    """
    files = files_below(path)
    sorts: dict[str, list[Path]] = {}
    for file in files:
        if (sort := _sort(file)) and is_recording(file):
            sorts.setdefault(sort, []).append(file)
    taken = max(sorts.values(), key=len)
    if (
        _sort(taken[0]) == "array"
        and (reading.window, reading.series, reading.rate) == (None, None, None)
        and (images := _images(path, taken, reading, new=new)) is not None
    ):
        return images
    if reading.axes is not None:
        raise InputError(f"{path} is a folder of recordings, so axes cannot be given: leave that out.")
    asked = (reading.window, reading.series_id, reading.time, reading.rate, reading.series)
    if asked == (None,) * 5 and is_table(taken[0]) and all("=" in each.parent.name for each in taken):
        raise InputError(
            f"{path} holds parts of one table in folders key=value, which are put together where they are Parquet: "
            "write them as .parquet, or put them together in one file. A window (--window) reads each as a recording."
        )
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
                values, names, rate, more = channels_of(table, reading, name)
                said += [each for each in (*notices, *more) if each not in said]
                recording = Recording(values.T, name)
            else:
                found = read_arrays(file, None, (), new=True)
                recording = Recording(one_recording(found.whole(), reading.series, name), name)
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
        parts = " Parts of one table have to be put together in one file." if is_table(taken[0]) else ""
        raise InputError(
            f"{path}: {len(failed)} of {len(taken)} recordings cannot be read{leave}. {reasons}{parts}"
        )
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
    return found_of(
        recordings,
        reading,
        path.name,
        columns,
        rate=rates[0],
        names=names if len(recordings[0].x) == len(names) > 1 else None,
        notices=notices,
        new=new,
    )


def _images(path: Path, files: Sequence[Path], reading: Reading, *, new: bool) -> Found | None:
    """The observations of files that each hold an image or a volume: where axes are said, or the arrays are of one
    shape that is square, of bytes or of three dimensions; None for others.

    Raises
    ------
    InputError
        For arrays of several shapes that are no recordings, by their dimensions or since axes are said.
    """
    arrays: list[NDArray] = []
    for file in files:
        try:
            x = read_arrays(file, None, (), new=True).whole()
        except InputError:
            return None  # all that are damaged are named where they are read as recordings
        plain = x.ndim == 3 or (
            x.ndim == 2 and min(x.shape) > 1 and (x.shape[0] == x.shape[1] or x.dtype == np.uint8)
        )
        if not (plain or reading.axes):
            return None
        arrays.append(x)
    shapes = {x.shape: file.name for x, file in zip(arrays[::-1], files[::-1], strict=True)}
    if len(shapes) > 1:
        if reading.axes is None and any(len(shape) < 3 for shape in shapes):
            return None
        several = listed([f"{shape} ({name})" for shape, name in shapes.items()])
        raise InputError(
            f"{path} holds arrays of several shapes, {several}: expected one, by cutting or scaling."
        )
    names = [file.relative_to(path).as_posix() for file in files]
    columns = labels_in(path, list(files), names, {})
    if reading.factors:
        wanted = chosen(reading.factors, columns, f"label of {path.name}", new=new)
        columns = {each: columns[each] for each in wanted}
    labels = labels_of(columns, len(files), path.name, new=new)
    said = f"each of the {len(files)} {files[0].suffix} files is taken for one image (else --series)"
    return Found(np.stack(arrays), labels, names=np.array(names), notices=(said,))


def holds_recordings(path: Path) -> bool:
    """Whether a folder holds files that may be recordings."""
    return any(map(is_recording, path.rglob("*")))


def is_recording(path: Path) -> bool:
    """Whether a file of a folder may be a recording, by its name."""
    return _sort(path) is not None and path.name != LABELS


def _audio(path: Path) -> tuple[Recording, float]:
    from scipy.io import wavfile

    broken = (OSError, EOFError, ValueError, ArithmeticError, UnboundLocalError, struct.error, UserWarning)
    with in_a_sentence(f"{path} is damaged or no .wav file that can be read", *broken):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
            rate, values = wavfile.read(path)
        if values.dtype.kind == "i":  # SciPy moves samples of 3, 5, 6 and 7 bytes up, to fill the next type
            values = values >> 8 * (values.dtype.itemsize - _sample_bytes(path))
    if values.size == 0:
        raise InputError(f"{path} holds no sound.")
    return Recording(np.atleast_2d(values.T), path.name), float(rate)


def _sample_bytes(path: Path) -> int:
    """Bytes of one sample of one channel of a .wav file, as its head says."""
    with path.open("rb") as file:
        order = ">" if file.read(12)[:4] == b"RIFX" else "<"
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        while name != b"fmt ":
            file.seek(size + size % 2, SEEK_CUR)
            name, size = struct.unpack(f"{order}4sI", file.read(8))
        _, channels, _, _, block, _ = struct.unpack(f"{order}HHIIHH", file.read(16))
    return int(block) // int(channels)


def _sort(file: Path) -> str | None:
    if is_audio(file):
        return "audio"
    if is_table(file):
        return "table"
    return "array" if file.suffix.lower() in FILES else None
