"""What a reader of own files returns, and how labels (columns, folders) become factors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.data._base import FactorKind
from prismae.data.tables import TableScheme, is_numeric
from prismae.errors import InputError, unknown_name


@dataclass(frozen=True)
class Labels:
    """Known factors: values [n, k], and k names and kinds."""

    values: NDArray
    names: tuple[str, ...]
    kinds: tuple[FactorKind, ...]


@dataclass(frozen=True)
class Found:
    """What a file or folder holds: observations [n, …], known factors, how a table became the observations, names of
    channels, for series, and the paths [n] of images."""

    x: NDArray
    labels: Labels | None = None
    table: TableScheme | None = None
    channel_names: tuple[str, ...] | None = None
    names: NDArray | None = None


def labels_of(columns: Mapping[str, Any], n: int, where: str, *, new: bool = False) -> Labels | None:
    """Factors by columns of n values each: whole numbers, floats, truth values or texts; None for no columns.

    Whole numbers, truth values and texts are categorical (texts are numbered in alphabetical order), floats
    are continuous. `where` names the file in messages; `new` says that they are of new observations, whose factors
    need not vary.

    Raises
    ------
    InputError
        For a column of another length, with missing values, or constant.
    """
    if not columns:
        return None
    values: list[NDArray] = []
    kinds: list[FactorKind] = []
    for name, given in columns.items():
        column = pd.Series(given) if not isinstance(given, pd.Series) else given
        what = f"{where}: factor {name!r}"
        if len(column) != n:
            raise InputError(f"{what} has {len(column)} values, expected one for each of {n} observations.")
        numeric = is_numeric(column, what)
        codes = column.to_numpy() if numeric else pd.factorize(column, sort=True)[0]
        if not new and n > 1 and (codes == codes[0]).all():
            raise InputError(f"{what} is constant ({column.iloc[0]}), expected a factor that varies.")
        values.append(codes)
        kinds.append("continuous" if codes.dtype.kind == "f" else "categorical")
    return Labels(np.stack(values, axis=1), tuple(columns), tuple(kinds))


def chosen(wanted: Iterable[str], valid: Iterable[str], kind: str, *, new: bool = False) -> tuple[str, ...]:
    """The wanted factors; names that a file does not have are refused, or left out of `new` observations.

    `kind` says what they should be.
    """
    known, names = list(valid), tuple(wanted)
    for name in names:
        if name not in known and not new:
            raise unknown_name(kind, name, known)
    return tuple(name for name in names if name in known)
