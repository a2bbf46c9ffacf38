"""Own data in a folder of images, or in one file of several; names of subfolders and a table labels.csv are factors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.data.decoded import HEAVY, Decoded, Decoding, cache, decoded, decoded_once
from prismae.data.files import files_below
from prismae.data.images import SUFFIXES, Frame, frames_of, read_frames
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.others import way_of_several
from prismae.data.rows import WHOLE
from prismae.data.stacks import Stack, read_stack, stack_faults, stack_of
from prismae.data.text_tables import read_csv
from prismae.errors import InputError

LABELS = "labels.csv"
HEIC = (".heic", ".heif")  # for which Pillow needs another package, of patented code
FILE = "file"  # the column of labels.csv with the names of the images
FOLDER = "folder"  # the factor that the names of subfolders are, with a number where each level is one

_MOST, _PACKED = (
    16 * 10**9,
    500,
)  # bytes of all, and times those of the files, above both of which nothing is decoded
_NAMED = 5  # of the files that cannot be read


def is_image(path: Path) -> bool:
    """Whether a path's suffix, in capitals or not, is that of an image."""
    return path.suffix.lower() in SUFFIXES


def read_images(
    path: Path,
    factors: Sequence[str] = (),
    size: int | None = None,
    *,
    axes: str | None = None,
    skip_damaged: bool = False,
    new: bool = False,
    keep_numbers: bool = False,
) -> Found:
    """Images [n, 1 or 3, h, w] below a folder, in the order of their paths, or of one file, and their labels.

    With `axes` the arrays [n, *axes] of a folder's TIFF files, of which each is an observation.

    Parameters
    ----------
    path
        The folder, or a file. Image files (`SUFFIXES`) in it and below it are taken; hidden ones are not. Each page of
        a TIFF and each frame of an animation is an image of its own, called ``name.tif#1`` and so on. Images are grey
        where all are, else colour. They are bytes, or, where some have more than 8 bits a pixel or decimal numbers,
        numbers.
    factors
        Names of factors to keep; by default all that there are: the subfolder's name, where there are at least two
        subfolders, as ``folder``; where all images lie equally deep, and folders of more than one level differ, each
        of these levels as ``folder 1``, ``folder 2`` and so on; and each column but ``file`` of ``labels.csv``, where
        the folder has one.
    size
        Scale the centre square of each image to this side. Without it all images must have one size.
    axes
        What the dimensions of the array of a TIFF file are, as tifffile reads it: "chw" takes its pages for channels,
        "dhw" for depth.
    skip_damaged
        Whether images that cannot be read are left out, and counted.
    new
        Whether they are for a model that was trained before: factors may be missing then, and need not vary.
    keep_numbers
        Whether images of 16 bits stay numbers even where 8 bits would hold them.

    Raises
    ------
    InputError
        For a folder without images, images of several sizes or that cannot be read, and labels that do not match.
    """
    root = path if path.is_dir() else path.parent
    files, notices = _files(path)
    failed: dict[str, str] = {}  # name of a file or frame → why it cannot be read
    frames: list[Any] = []
    for file in files:
        try:
            frames += frames_of(file, alone=path.is_file()) if axes is None else [stack_of(file)]
        except InputError as error:
            failed[file.relative_to(root).as_posix()] = str(error)
    names = [_called(frame, root) for frame in frames]
    _check(path, frames, names, {} if skip_damaged and frames else failed, size, axes)
    columns = labels_in(path, [frame.path for frame in frames], names, failed) if path.is_dir() else {}
    if factors:
        factors = chosen(factors, columns, f"label of {path.name}", new=new)
        columns = {name: columns[name] for name in factors}
    labels_of(
        columns, len(frames), str(path), new=new
    )  # what is wrong with them shows before images are decoded

    deep = axes is None and any(frame.values == "whole" for frame in frames)
    what = (
        Decoding(
            names,
            frames[0].shape,
            frames[0].dtype,
            [[row] for row in range(len(frames))],
            partial(_stack, frames),
        )
        if axes is not None
        else _decoding(frames, names, size, deep=deep, narrow=deep and not keep_numbers)
    )
    made = read_decoded(
        what, path, files, {"size": size, "axes": axes, "narrow": what.narrow}, notices, skip_damaged
    )
    failed |= made.failed
    if failed and not (skip_damaged and made.kept):
        raise InputError(_damage(path, failed, len(frames) + sum(name not in names for name in failed)))
    if failed:
        listed = ", ".join(sorted(failed)[:_NAMED]) + (" …" if len(failed) > _NAMED else "")
        notices.append(f"left out, since they cannot be read: {len(failed)} images ({listed})")
        names = [names[row] for row in made.kept]
        columns = {name: pd.Series(values).iloc[made.kept] for name, values in columns.items()}
    x, noted = made.x, made.noted
    labels = labels_of(columns, len(x), str(path), new=new)
    if axes is None and x.dtype != np.uint8:
        notices.append(
            "images are kept as numbers, not as pixels of 0 to 255: they have "
            + ("more than 8 bits a pixel" if deep else "decimal numbers")
        )
        if few := sum(frame.values == "bytes" for frame in frames):
            notices.append(
                f"{few:,} of {len(frames):,} images have 8 bits a pixel: they go to 255, whatever others go to"
            )
    notices += [f"{times:,} of {len(x):,} images: {what}" for what, times in sorted(Counter(noted).items())]
    return Found(x, labels, names=np.array(names), notices=tuple(notices))


def _decoding(
    frames: Sequence[Frame], names: Sequence[str], size: int | None, *, deep: bool, narrow: bool
) -> Decoding:
    """What is to be decoded of usual images."""
    channels = max(frame.channels for frame in frames)
    height, width = (frames[0].height, frames[0].width) if size is None else (size, size)
    rows = _rows_by_file(frames)
    return Decoding(
        names,
        (channels, height, width),
        np.dtype(np.float32 if deep or frames[0].values == "float" else np.uint8),
        rows,
        lambda i, noted: read_frames([frames[row] for row in rows[i]], channels, size, noted),
        narrow,
    )


def _stack(stacks: Sequence[Stack], i: int, noted: list[str]) -> Iterator[NDArray | InputError]:
    try:
        yield read_stack(stacks[i].path)
    except InputError as error:
        yield error


def read_decoded(
    what: Decoding,
    path: Path,
    files: Sequence[Path],
    how: dict[str, Any],
    notices: list[str],
    skip_damaged: bool,
) -> Decoded:
    """Decode images in memory, or, where they are many, once into a file of the cache, which is noted."""
    if what.nbytes <= WHOLE and sum(file.stat().st_size for file in files) < HEAVY:
        return decoded(what, path.name)
    folder = path if path.is_dir() else path.parent
    made = decoded_once(what, folder, files, how, skip_damaged=skip_damaged)
    notices.append(
        f"images are decoded once, into {what.nbytes / 1e9:.2g} GB below {cache()}, which may be removed"
    )
    return made


def _files(path: Path) -> tuple[list[Path], list[str]]:
    """The images of a folder in the order of their paths, or a file; and what else is there, in words."""
    if path.is_file():
        return [path], []
    files = files_below(path)
    found = [file for file in files if is_image(file)]
    others = Counter(
        "".join(file.suffixes[-2:] if file.suffix.lower() == ".gz" else [file.suffix]).lower()
        or "without a suffix"
        for file in files
        if not is_image(file) and file != path / LABELS
    )
    listed = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(_NAMED))
    more = " …" if len(others) > _NAMED else ""
    listed += more + (" (HEIC is not read: convert it to PNG or JPEG)" if others.keys() & set(HEIC) else "")
    if not found:
        raise InputError(
            f"{path} holds no images, expected files {', '.join(SUFFIXES)} in it or below it"
            + (f"; it holds {listed}" if others else "")
            + (
                f": {known}."
                if others and (known := way_of_several(files)) and not others.keys() & set(HEIC)
                else "."
            )
        )
    return found, [f"other files in the folder are not read: {listed}"] if others else []


def _called(frame: Frame, root: Path) -> str:
    name = frame.path.relative_to(root).as_posix()
    return name if frame.of == 1 else f"{name}#{frame.number + 1}"


def _rows_by_file(frames: Sequence[Frame]) -> list[list[int]]:
    """The places of the frames of each file, so that a file is opened once."""
    found: dict[Path, list[int]] = {}
    for row, frame in enumerate(frames):
        found.setdefault(frame.path, []).append(row)
    return list(found.values())


def _check(
    path: Path,
    frames: Sequence[Any],
    names: Sequence[str],
    failed: dict[str, str],
    size: int | None,
    axes: str | None,
) -> None:
    """Refuse what headers show: files that cannot be read, several sizes, numbers beside bytes; all at once."""
    found = _faults(path, frames, names, size) if axes is None else stack_faults(path, frames, names, axes)
    wrong = list(found) if frames else []
    packed = sum(file.stat().st_size for file in {frame.path for frame in frames})
    claimed = sum(frame.nbytes for frame in frames)
    if claimed > max(_MOST, packed * _PACKED):  # each is unpacked whole, however small it is kept
        wrong.append(
            f"{path} holds {claimed / 1e9:.1f} GB of pixels in {packed / 1e6:.1f} MB of files, more than images of "
            f"anything take: expected at most {_MOST / 1e9:.0f} GB, or {_PACKED} times what the files have."
        )
    if failed:
        wrong.insert(0, _damage(path, failed, len({frame.path for frame in frames}) + len(failed)))
    if wrong:
        raise InputError(" ".join(wrong))


def _faults(path: Path, frames: Sequence[Frame], names: Sequence[str], size: int | None) -> Iterator[str]:
    sizes: dict[tuple[int, int], list[str]] = {}
    decimal: dict[bool, str] = {}
    for frame, name in zip(frames, names, strict=True):
        sizes.setdefault((frame.width, frame.height), []).append(name)
        decimal.setdefault(frame.values == "float", name)
    if len(sizes) > 1 and size is None:
        most = sorted(sizes.items(), key=lambda each: -len(each[1]))
        listed = ", ".join(
            f"{len(called)} of {width}x{height} ({called[0]}{' …' if len(called) > 1 else ''})"
            for (width, height), called in most[:_NAMED]
        )
        more = f" and {len(sizes) - _NAMED} more" if len(sizes) > _NAMED else ""
        yield (
            f"{path} holds images of several sizes, {listed} pixels{more}: give a size, such as --size 64, to which "
            "the middle square of each is scaled."
        )
    if len(decimal) > 1:
        yield (
            f"{path} holds images of decimal numbers, such as {decimal[True]}, beside others, such as "
            f"{decimal[False]}, and nothing says how the two are to be scaled: expected one sort in a folder."
        )


def _damage(path: Path, failed: dict[str, str], n: int) -> str:
    reasons = [failed[name] for name in sorted(failed)[:_NAMED]]
    more = f" And {len(failed) - _NAMED} more." if len(failed) > _NAMED else ""
    leave = ": --skip-damaged leaves them out" if len(failed) < n else ""
    return f"{path}: {len(failed)} of {n} images cannot be read{leave}. {' '.join(reasons)}{more}"


def labels_in(
    path: Path, files: Sequence[Path], names: Sequence[str], failed: Collection[str]
) -> dict[str, Sequence[str] | pd.Series]:
    """Every label that the images have, by the factor's name; those in a file of several have the file's."""
    columns: dict[str, Sequence[str] | pd.Series] = {}
    columns |= _levels([name.rpartition("/")[0] for name in names])
    table = path / LABELS
    if table.is_file():
        labels, _ = read_csv(table)
        if FILE not in labels:
            raise InputError(
                f"{table} has the columns {', '.join(map(str, labels.columns))}, expected one named {FILE!r}."
            )
        listed = labels[FILE].astype(str)
        if listed.duplicated().any():
            raise InputError(f"{table} names {listed[listed.duplicated()].iloc[0]!r} twice.")
        known = set(listed)
        keys = [
            name if name in known else file.relative_to(path).as_posix()
            for name, file in zip(names, files, strict=True)
        ]
        unlabelled, absent = sorted(set(keys) - known), sorted(known - set(keys) - set(failed))
        if absent:
            raise InputError(f"{table} names {absent[0]!r}{_more(absent)}, but there is no such image.")
        if unlabelled:
            raise InputError(f"{table} has no labels for {unlabelled[0]!r}{_more(unlabelled)}.")
        rows = labels.set_index(listed).loc[keys]
        columns |= {name: rows[name] for name in map(str, labels.columns) if name != FILE}
    return columns


def _levels(folders: Sequence[str]) -> dict[str, Sequence[str]]:
    """The factors that folders are: each level, where several differ and all have as many, else their whole names."""
    if len(set(folders)) < 2:
        return {}
    parts = [folder.split("/") for folder in folders]
    levels = list(zip(*parts, strict=False))
    differ = {i + 1: level for i, level in enumerate(levels) if len(set(level)) > 1}
    if len({len(each) for each in parts}) > 1 or len(differ) < 2:
        return {FOLDER: folders}
    return {f"{FOLDER} {i}": level for i, level in differ.items()}


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
