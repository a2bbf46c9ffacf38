"""Own data in .csv and .parquet files, and pandas tables: columns to train on, and columns that are factors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from prismae.data.labels import Found, chosen, labels_of
from prismae.data.tables import TableScheme
from prismae.errors import InputError


def read_table(
    path: Path, factors: Sequence[str], *, scheme: TableScheme | None = None, new: bool = False
) -> Found:
    """Observations and factors of a table in a file; see `from_table`."""
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # the errors of pandas and Arrow are ValueErrors
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is corrupted or no {path.suffix} table ({reason}).") from None
    return from_table(table, factors, path.name, scheme=scheme, new=new)


def from_table(
    table: pd.DataFrame,
    factors: Sequence[str],
    name: str,
    *,
    scheme: TableScheme | None = None,
    new: bool = False,
) -> Found:
    """Observations and factors of a table.

    Parameters
    ----------
    factors
        Names of the columns that are factors: they are not trained on.
    name
        What messages call the table.
    scheme
        How its columns become numbers, where that is known already.
    new
        Whether it is for a model that was trained before: factors may be missing then, and need not vary.

    Raises
    ------
    InputError
        For unknown columns, no column that is left to train on, and as `TableScheme.fit` and `labels_of`.
    """
    factors = chosen(factors, map(str, table.columns), f"column of {name}", new=new)
    labels = labels_of({column: table[column] for column in factors}, len(table), name, new=new)
    rest = table.drop(columns=list(factors))
    if rest.shape[1] == 0 and len(factors):
        raise InputError(f"{name}: all columns are factors, expected some that are left to train on.")
    scheme = TableScheme.fit(rest, name=name) if scheme is None else scheme
    return Found(scheme.to_array(rest, name=name), labels, scheme)


def read_csv(path: Path) -> pd.DataFrame:
    """A table with commas between its columns and their names in the first line.

    Raises
    ------
    InputError
        For other separators, no names, more values than names, and a file that cannot be read.
    """
    try:
        table = pd.read_csv(path, low_memory=False)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty.") from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is no table with commas between columns ({reason}).") from None
    names = [str(name) for name in table.columns]
    if not table.index.equals(pd.RangeIndex(len(table))):  # pandas took the first values as row labels
        raise InputError(f"{path} has more values in a row than the {len(names)} names in its first line.")
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise InputError(f"{path} has the one column {names[0]!r}, expected commas between columns.")
    if any(name.startswith("Unnamed: ") for name in names):
        place = next(i for i, name in enumerate(names, 1) if name.startswith("Unnamed: "))
        raise InputError(f"{path}: column {place} has no name, expected one (or leave out numbers of rows).")
    if all(_is_number(name) for name in names):
        raise InputError(f"{path} has numbers in its first line, expected the names of the columns.")
    return table


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
