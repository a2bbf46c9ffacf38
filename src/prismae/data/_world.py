"""`world`: one function for worlds by name, files and arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from inspect import getdoc
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from prismae._discovery import kebab, modules, plugins
from prismae.data._base import FactorKind, World
from prismae.data.arrays import from_array, from_file
from prismae.errors import InputError, unknown_name


def world(
    source: str | os.PathLike[str] | NDArray | Tensor | World,
    *,
    factors: NDArray | Tensor | None = None,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[FactorKind] | None = None,
    name: str | None = None,
) -> World:
    """Get a world by its name, or make one of own data.

    Parameters
    ----------
    source
        A name (one of `world_names()`), the path of a .npy or .npz file, an array or tensor of observations,
        or a `World`, which is returned as it is.
    factors, factor_names, factor_kinds, name
        For own data only: see `prismae.data.arrays.from_array`.

    Raises
    ------
    InputError
        For an unknown name (with the nearest ones), data that cannot be had, own data that cannot be used.

    Examples
    --------
    >>> world("digits").shape
    (1, 8, 8)
    >>> len(world(np.random.default_rng(0).normal(size=(100, 5))))
    100
    """
    options = {"factors": factors, "factor_names": factor_names, "factor_kinds": factor_kinds, "name": name}
    if isinstance(source, np.ndarray | Tensor):
        return from_array(
            source,
            factors=factors,
            factor_names=factor_names,
            factor_kinds=factor_kinds,
            name=name or "array",
        )
    if isinstance(source, os.PathLike) or (isinstance(source, str) and _is_path(source)):
        return from_file(
            Path(source).expanduser(),
            factors=factors,
            factor_names=factor_names,
            factor_kinds=factor_kinds,
            name=name,
        )
    if not isinstance(source, str | World):
        raise InputError(
            f"A world cannot be made of {type(source).__name__}: "
            "expected a name, the path of a .npy or .npz file, an array, a tensor or a World."
        )
    given = [option for option, value in options.items() if value is not None]
    if given:
        what = f"World {source!r}" if isinstance(source, str) else f"World {source.name!r}"
        raise InputError(
            f"{what} has its own factors and name: {', '.join(given)} can be given with own data only."
        )
    return _load(source) if isinstance(source, str) else source


def world_names() -> tuple[str, ...]:
    """Names of all worlds, those of other packages (entry points ``prismae.worlds``) among them."""
    return tuple(sorted(_loaders()))


def world_descriptions() -> dict[str, str]:
    """Name of each world → one line that describes it: the first of its loader's docstring."""
    return {name: (getdoc(loader) or name).splitlines()[0] for name, loader in sorted(_loaders().items())}


def _load(name: str) -> World:
    loaders = _loaders()
    if name not in loaders:
        raise unknown_name("world", name, loaders)
    return loaders[name]()


def _loaders() -> dict[str, Callable[[], World]]:
    shipped = {
        kebab(module.__name__.rpartition(".")[2]): module.load for module in modules("prismae.data.worlds")
    }
    return dict(plugins("prismae.worlds")) | shipped


def _is_path(text: str) -> bool:
    """Whether `text` is meant as a path: no world has a dot or a slash in its name."""
    return "." in text or "/" in text or os.sep in text
