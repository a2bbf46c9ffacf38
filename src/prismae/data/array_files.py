"""Own data in .npy, .npz, HDF5 and MATLAB files: arrays by name, one of them the observations."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from prismae.data._base import FactorKind
from prismae.data.labels import Found, Labels, chosen, labels_of
from prismae.errors import InputError, unknown_name

_OBSERVATIONS = ("x", "images", "data", "observations")
_CHANNELS = "channel_names"
_RATES = ("rate", "fs", "Fs", "FS", "sampling_rate", "sample_rate", "samplerate", "sfreq")  # points a second
_ABOUT = ("factors", "factor_names", "factor_kinds", _CHANNELS, *_RATES)


def read_arrays(path: Path, part: str | None, factors: Sequence[str], *, new: bool = False) -> Found:
    """Observations and factors of a file of arrays. Nothing is ever unpickled.

    Parameters
    ----------
    part
        Name of the array of observations (in HDF5 with its groups: ``group/data``). Without it they are the array
        ``x``, ``images``, ``data`` or ``observations``, or the only one of at least two dimensions.
    factors
        Names of arrays [n] or [n, k] that are factors. Without them the arrays ``factors``, ``factor_names`` and
        ``factor_kinds`` are taken, where there are any. An array ``channel_names`` names the channels of series, a
        number ``rate`` or ``fs`` says how many points a second they have.
    new
        Whether they are for a model that was trained before: factors may be missing then, and need not vary.

    Raises
    ------
    InputError
        For a file that is damaged or pickled, observations that are not clear, unknown names, and factors that
        do not fit.
    """
    readers = {".h5": hdf5, ".hdf5": hdf5, ".mat": _matlab}
    with readers.get(path.suffix.lower(), _numpy)(path) as arrays:
        factors = chosen(factors, arrays, f"array of {path.name}", new=new)
        if part is not None and part not in arrays:
            raise unknown_name(f"array of {path.name}", part, arrays)
        x = _values(arrays[part or _observations(path, arrays, factors)])
        channels = _texts(arrays[_CHANNELS]) if _CHANNELS in arrays else None
        rate = next((_number(arrays[key]) for key in _RATES if key in arrays), None)
        if not factors:
            own = _own_factors(arrays) if "factors" in arrays else None
            return Found(x, own, channel_names=channels, rate=rate)
        columns = {k: v for name in factors for k, v in _columns(name, _values(arrays[name])).items()}
        return Found(x, labels_of(columns, len(x), path.name, new=new), channel_names=channels, rate=rate)


@contextmanager
def _numpy(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of a .npz file by name, or the one of a .npy file as ``x``."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                _check_room(path, sum(each.file_size for each in packed.infolist()))
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            yield {"x": loaded}
        else:
            with loaded:
                yield {key: loaded[key] for key in loaded.files}
    except InputError:
        raise
    except MemoryError as error:  # by the size that its head claims
        raise InputError(
            f"{path} does not fit in memory: {str(error)[:1].lower()}{str(error)[1:]}."
        ) from None
    except (OSError, EOFError, ValueError, TokenError, zipfile.BadZipFile, zlib.error) as error:
        if "pickle" in str(error):
            raise InputError(
                f"{path} holds pickled Python objects, which are never loaded; expected plain numbers."
            ) from None
        raise InputError(f"{path} is corrupted or no NumPy file ({error}).") from None


@contextmanager
def hdf5(path: Path) -> Iterator[Mapping[str, Any]]:
    """The data sets of a file by their full names, read only when they are asked for."""
    try:
        import h5py
    except ImportError:
        raise InputError(
            f"{path} cannot be read without h5py: install it with pip install 'prismae[hdf5]'."
        ) from None
    found: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:  # whose numbers stand in other files, whatever these are
                raise InputError(
                    f"{path}: the data of {name!r} lie outside of the file, which is not followed."
                )
            found[name] = item.asstr() if h5py.check_string_dtype(item.dtype) else item

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
            yield found
    except InputError:
        raise
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path} is corrupted or no HDF5 file ({error}).") from None


@contextmanager
def _matlab(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays of numbers of a .mat file by name, as MATLAB shows them; structures and cells are left out."""
    try:
        with open(path, "rb") as file:
            start = file.read(520)
        if b"\x89HDF" in (
            start[:4],
            start[512:516],
        ):  # version 7.3, whose dimensions stand the other way round
            with hdf5(path) as arrays:
                named = ((name, each) for name, each in arrays.items() if not name.startswith("#"))
                yield {
                    name: np.asarray(each[()]).T
                    for name, each in named
                    if getattr(each, "attrs", {}).get("MATLAB_class") != b"char"
                }
            return
        found = loadmat(path, chars_as_strings=True)
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        NotImplementedError,
        IndexError,
        zlib.error,
        MatReadError,
    ) as error:
        raise InputError(f"{path} is corrupted or no MATLAB file ({error}).") from None
    yield {
        name: each
        for name, each in found.items()
        if not name.startswith("__") and isinstance(each, np.ndarray) and each.dtype.kind in "buifU"
    }


def _number(array: Any) -> float | None:
    """The one positive number that an array holds; None for others."""
    values = _values(array)
    good = values.size == 1 and values.dtype.kind in "uif" and float(values.reshape(-1)[0]) > 0
    return float(values.reshape(-1)[0]) if good else None


def _values(array: Any) -> NDArray:
    if hasattr(array, "file"):  # of HDF5, which claims a size and need not hold it
        _check_room(Path(array.file.filename), array.nbytes)
    return np.asarray(array[()])


def _check_room(path: Path, needed: int) -> None:
    """Refuse what is larger than the memory of this machine, before room is made for it."""
    try:
        room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # a system that does not say it
        return
    if needed > room:
        raise InputError(
            f"{path} holds {needed / 1e9:.0f} GB of numbers, and this machine has {room / 1e9:.0f} GB of memory: "
            "expected data that fit in it."
        )


def _texts(array: Any) -> tuple[str, ...]:
    return tuple(str(entry) for entry in np.atleast_1d(_values(array)))


def _observations(path: Path, arrays: Mapping[str, Any], factors: Sequence[str]) -> str:
    """The name of the observations."""
    keys = [key for key in arrays if key not in (*_ABOUT, *factors)]
    for key in _OBSERVATIONS:
        if key in keys:
            return key
    tables = [key for key in keys if arrays[key].ndim > 1] or keys
    if len(tables) == 1:
        return tables[0]
    listed = ", ".join(f"{key!r} {tuple(arrays[key].shape)}" for key in keys[:10])
    raise InputError(
        f"{path} holds {listed or 'no arrays'}: expected the observations as one of "
        f"{', '.join(map(repr, _OBSERVATIONS))}, or as the only array"
        + (f"; choose one as in {path.name}:{keys[0]}." if keys else ".")
    )


def _columns(name: str, values: NDArray) -> dict[str, NDArray]:
    """The factors that an array [n] or [n, k] holds, by name."""
    if values.ndim == 2 and values.shape[1] > 1:
        return {f"{name} {i + 1}": column for i, column in enumerate(values.T)}
    if values.ndim not in (1, 2):
        raise InputError(f"The factors {name!r} have shape {values.shape}, expected [n] or [n, k].")
    return {name: values.reshape(-1)}


def _own_factors(arrays: Mapping[str, Any]) -> Labels:
    """The array ``factors`` with its names and kinds, as `from_array` checks them."""
    values = _values(arrays["factors"])
    values = values[:, None] if values.ndim == 1 else values
    k = values.shape[-1]
    kind: FactorKind = "continuous" if values.dtype.kind == "f" else "categorical"
    names, kinds = tuple(f"factor {i + 1}" for i in range(k)), (kind,) * k
    if "factor_names" in arrays:
        names = _texts(arrays["factor_names"])
    if "factor_kinds" in arrays:
        kinds = tuple(cast(FactorKind, kind) for kind in _texts(arrays["factor_kinds"]))
    return Labels(values, names, kinds)
