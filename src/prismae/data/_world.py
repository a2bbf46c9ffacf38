"""`world`: one function for worlds by name, files and arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from inspect import getdoc
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae._discovery import kebab, modules, plugins
from prismae.data._base import FactorKind, World
from prismae.data.formats import FORMATS
from prismae.data.interchange import as_pandas
from prismae.data.own import Factors, from_memory, from_path
from prismae.data.paths import is_path
from prismae.data.rows import Rows
from prismae.data.shifts import COMPOSITIONS, PARTS, shifted
from prismae.errors import InputError, texts, unknown_name
from prismae.settings import reading_of

LISTS = " (numpy.asarray makes an array of it, if all rows have one length)"


def world(
    source: str | os.PathLike[str] | NDArray | Tensor | pd.DataFrame | Rows | World,
    *,
    factors: Factors = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    name: str | None = None,
    **reading: Any,
) -> World:
    """Get a world by its name, or make one of own data.

    Parameters
    ----------
    source
        A name (one of `world_names()`), with a split where the world has some (``mnist:test``), and with what
        `prismae.data.shifts.shifted` makes of it (``rooms3d:to-element``, ``rooms3d:side=32:n=20000``); the path of a
        .npy, .npz, .h5, .hdf5, .h5ad, .zarr, .mat, .csv, .tsv, .parquet, .feather, .arrow, .xlsx, .wav, .txt or .txt.gz
        file or of a folder of images or recordings; an array (also a sparse one of SciPy, a data set of h5py or Zarr),
        tensor or table (of pandas, polars, pyarrow …) of observations; or a `World`, which is returned as it is.
    factors
        For own data: values [n] or [n, k], as an array, tensor or pandas table, or names of columns, arrays or labels
        that are factors.
    factor_names, factor_kinds, name
        For own data: see `prismae.data.arrays.from_array`.
    reading
        For own data, how they are read: ``size``, ``skip_damaged``, ``series``, ``window``, ``stride``, ``rate``,
        ``series_id``, ``time``, ``channel_names``, ``drop``, ``categorical``, ``numeric``, ``given``, ``index``,
        ``missing`` and ``sep`` as the settings `prismae.settings.Reading` describes them.

    Raises
    ------
    InputError
        For an unknown name (with the nearest ones) or split, data that cannot be had, own data that cannot be used.

    Examples
    --------
    >>> world("digits").shape
    (1, 8, 8)
    >>> len(world(np.random.default_rng(0).normal(size=(100, 5))))
    100
    """
    source = as_pandas(source)
    factor_names, factor_kinds = texts("factor_names", factor_names), texts("factor_kinds", factor_kinds)  # type: ignore[assignment]
    if name is not None and not isinstance(name, str):
        raise InputError(f"name: expected a text, got {name!r:.60}.")
    options: dict[str, Any] = {
        "factors": factors,
        "factor_names": factor_names,
        "factor_kinds": factor_kinds,
        "name": name,
    }
    if isinstance(source, os.PathLike) or (isinstance(source, str) and is_path(source)):
        return from_path(os.fspath(source), reading=reading_of(reading), **options)
    if isinstance(source, np.ndarray | Tensor | pd.DataFrame | Rows):
        if reading.get("size") is not None:
            raise InputError("An array or table has no images to scale: a size is for folders of images.")
        return from_memory(source, reading=reading_of(reading), **options)
    if not isinstance(source, str | World):
        raise InputError(
            f"A world cannot be made of {type(source).__name__}{LISTS * isinstance(source, list | tuple)}: "
            f"expected a name, the path of {FORMATS}, an array, a tensor, a pandas table or a World."
        )
    others = [option for option, value in (options | reading).items() if value is not None]
    if others:
        what = f"World {source!r}" if isinstance(source, str) else f"World {source.name!r}"
        raise InputError(
            f"{what} has its own factors and name: {', '.join(others)} can be given with own data only."
        )
    return _load(source) if isinstance(source, str) else source


def world_names() -> tuple[str, ...]:
    """Names of all worlds, those of other packages (entry points ``prismae.worlds``) among them."""
    return tuple(sorted(_loaders()))


def world_descriptions() -> dict[str, str]:
    """Name of each world → one line that describes it: the first of its loader's docstring."""
    return {name: (getdoc(loader) or name).splitlines()[0] for name, loader in sorted(_loaders().items())}


def world_splits(name: str) -> tuple[str, ...]:
    """Splits of a world, as in ``mnist:test``; empty for worlds without. The loader's annotation names them."""
    hint = get_type_hints(_loader(name)).get("split")
    return get_args(hint)


def _load(text: str) -> World:
    name, *parts = text.split(":")
    load, splits = _loader(name), world_splits(name)
    if parts and parts[0] in splits:
        found = load(split=parts.pop(0))
    elif parts and "=" not in parts[0] and parts[0] not in COMPOSITIONS.get(name, {}):
        if not splits:
            raise InputError(f"World {name!r} has no splits, got {parts[0]!r}: expected {PARTS}.")
        raise InputError(f"World {name!r} has no split {parts[0]!r}, expected {' or '.join(splits)}.")
    else:
        found = load()
    for part in parts:
        found = shifted(found, part)
    return found


def _loader(name: str) -> Callable[..., World]:
    loaders = _loaders()
    if name not in loaders:
        if os.path.exists(name):
            raise InputError(
                f"There is no world {name!r}, but a file or folder: write it as a path, ./{name}"
            )
        raise unknown_name("world", name, loaders)
    return loaders[name]


def _loaders() -> dict[str, Callable[..., World]]:
    shipped = {
        kebab(module.__name__.rpartition(".")[2]): module.load for module in modules("prismae.data.worlds")
    }
    return shipped | {point.name: load for point, load in plugins("prismae.worlds", shipped)}
