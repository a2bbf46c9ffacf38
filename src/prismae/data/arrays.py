"""Worlds of a user's own data: arrays, tensors, .npy and .npz files, checked and laid out for training."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import FactorKind, World
from prismae.data.storage import BitPacked, Dense, Storage
from prismae.errors import InputError

_CHANNELS = (1, 3, 4)
_OBSERVATIONS = ("x", "images", "data", "observations")
_FACTORS = ("factors", "factor_names", "factor_kinds")


def from_array(
    x: NDArray | Tensor,
    *,
    factors: NDArray | Tensor | None = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    name: str = "array",
    source: str = "own array",
) -> World:
    """A world of the user's own observations.

    Parameters
    ----------
    x
        Vectors or series [n, d], or images [n, h, w], [n, c, h, w] or [n, h, w, c] with 1, 3 or 4 channels
        (where a shape can be read both ways, the channels come first). Images are stored as [n, c, h, w].
        uint8 means pixels, drawn as value / 255; truth values and uint8 that is only ever 0 or 1 are drawn as
        0 and 1 and kept eight to a byte; every other number becomes float32.
    factors
        [n] or [n, k] numbers; NaN is not allowed.
    factor_names
        k names; by default "factor 1" and so on.
    factor_kinds
        k times "categorical" or "continuous"; by default integers are categorical and floats continuous.
    name, source
        How results call the world, and where it comes from.

    Raises
    ------
    InputError
        For NaN or infinity, a wrong rank, fewer than two observations, observations that are all equal,
        columns of a table of numbers (not pixels) that are constant, values that are no numbers, and factors
        that do not fit.
    """
    storage = _stored(_images_first(_numbers(x, f"World {name!r}"), name), name)
    known: NDArray | None = None
    names: tuple[str, ...] = ()
    kinds: tuple[FactorKind, ...] = ()
    if factors is not None:
        known, names, kinds = _factors(factors, factor_names, factor_kinds, len(storage), name)
    elif factor_names is not None or factor_kinds is not None:
        raise InputError(f"World {name!r}: factor names or kinds were given without factors.")
    return World(name, storage, known, names, kinds, source)


def from_file(
    path: Path,
    *,
    factors: NDArray | Tensor | None = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    name: str | None = None,
) -> World:
    """A world from a .npy file, or from a .npz file that holds observations and maybe their factors.

    In a .npz file the observations are the array ``x``, ``images``, ``data`` or ``observations``, or the only
    array; the optional arrays ``factors``, ``factor_names`` and ``factor_kinds`` go with them unless factors
    are given as arguments. Nothing is ever unpickled.

    Raises
    ------
    InputError
        For a path that is missing, unreadable, pickled or of another format, and as in `from_array`.
    """
    arrays = _read(path)
    x = arrays[_observations_key(path, arrays)]
    if factors is None and "factors" in arrays:
        factors = arrays["factors"]
        if factor_names is None and "factor_names" in arrays:
            factor_names = [str(entry) for entry in np.atleast_1d(arrays["factor_names"])]
        if factor_kinds is None and "factor_kinds" in arrays:
            factor_kinds = [cast(FactorKind, str(entry)) for entry in np.atleast_1d(arrays["factor_kinds"])]
    return from_array(
        x,
        factors=factors,
        factor_names=factor_names,
        factor_kinds=factor_kinds,
        name=name or path.stem,
        source=f"own file {path.name}",
    )


def as_observations(x: NDArray | Tensor, shape: tuple[int, ...], *, pixels: bool) -> Tensor:
    """New observations for a model of observations of `shape`: float32 [n, *shape], n may be 1.

    `pixels` says whether uint8 means pixels of 0 to 255, as `World.pixels` does.

    Raises
    ------
    InputError
        For NaN or infinity, values that are no numbers, and another shape.
    """
    new = _images_first(_numbers(x, "New observations"), "new observations", least=1)
    if new.shape[1:] != shape:
        raise InputError(f"Observations have shape {new.shape[1:]}, expected {shape} as in the fit.")
    values = torch.from_numpy(np.array(new, dtype=np.float32, order="C"))
    return values / 255 if pixels and new.dtype == np.uint8 else values


def _read(path: Path) -> dict[str, NDArray]:
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    if path.suffix not in (".npy", ".npz") or not path.is_file():
        raise InputError(f"{path} cannot be read as a world: expected a .npy or .npz file.")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"x": loaded}
        with loaded:
            return {key: loaded[key] for key in loaded.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        if "pickle" in str(error):
            raise InputError(
                f"{path} holds pickled Python objects, which are never loaded; expected plain numbers."
            ) from None
        raise InputError(f"{path} is corrupted or no NumPy file ({error}).") from None


def _observations_key(path: Path, arrays: Mapping[str, NDArray]) -> str:
    keys = [key for key in arrays if key not in _FACTORS]
    for key in _OBSERVATIONS:
        if key in keys:
            return key
    if len(keys) == 1:
        return keys[0]
    raise InputError(
        f"{path} holds {', '.join(map(repr, keys)) or 'no arrays'}: "
        f"expected the observations as one of {', '.join(map(repr, _OBSERVATIONS))}, or a single array."
    )


def _numbers(x: NDArray | Tensor, what: str) -> NDArray:
    """`x` as a NumPy array of bool, uint8, another integer or float32, all of it finite."""
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    if x.dtype.kind not in "buif":
        raise InputError(f"{what}: values of type {x.dtype} cannot be used, expected numbers.")
    if x.dtype.kind != "f":
        return x
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite and is found below
        x = x.astype(np.float32, copy=False)
    bad = ~np.isfinite(x)
    if bad.any():
        first = [int(i) for i in np.unravel_index(bad.argmax(), bad.shape)]
        count = int(bad.sum())
        are = "1 value is" if count == 1 else f"{count} values are"
        raise InputError(
            f"{what}: {are} NaN or infinite, the first at index {first}; "
            "expected finite numbers of float32's range."
        )
    return x


def _images_first(x: NDArray, name: str, *, least: int = 2) -> NDArray:
    """Observations [n, d] or [n, c, h, w], of whichever accepted shape `x` is."""
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"World {name!r}: observations of shape {x.shape} cannot be used, "
            "expected [n, d] vectors or series, or [n, h, w], [n, c, h, w] or [n, h, w, c] images."
        )
    if len(x) < least or x.size == 0:
        count = "two" if least == 2 else "one"
        raise InputError(
            f"World {name!r}: observations of shape {x.shape}, expected at least {count} and none empty."
        )
    if x.ndim == 3:
        return x[:, None]
    if x.ndim == 4 and x.shape[1] not in _CHANNELS:
        if x.shape[3] not in _CHANNELS:
            raise InputError(
                f"World {name!r}: images of shape {x.shape[1:]}, expected 1, 3 or 4 channels, first or last."
            )
        return np.moveaxis(x, 3, 1)
    return x


def _stored(x: NDArray, name: str) -> Storage:
    if (x == x[:1]).all():
        raise InputError(
            f"World {name!r}: all {len(x)} observations are equal, so there is nothing to learn."
        )
    # Copies are made below, so that a world does not change when the caller's array does.
    if x.dtype == np.uint8 and x.max() > 1:
        return Dense(torch.from_numpy(np.array(x, order="C")))
    if x.dtype in (np.uint8, np.bool_):
        return BitPacked(torch.from_numpy(np.packbits(x.reshape(len(x), -1), axis=1)), x.shape[1:])
    if x.ndim == 2:
        _refuse_constant_columns(x, name)
    return Dense(torch.from_numpy(np.array(x, dtype=np.float32, order="C")))


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
