"""Tables and arrays in memory that other libraries made, as those that are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from prismae.data._base import World
from prismae.data.others import way_with
from prismae.data.rows import as_rows
from prismae.errors import InputError


def as_pandas(table: Any) -> Any:
    """The table of another library (polars, pyarrow, dask, any with an interchange protocol) as one of pandas.

    Columns of pandas in Arrow's types get those of NumPy. Records of NumPy are a table too, and a column by itself is
    one of one column. What is masked of an array is missing. What is read row by row, sparse matrices and files,
    becomes `Rows`; everything else, pandas' other tables and arrays among it, stays as it is.

    Raises
    ------
    InputError
        For objects of which something else makes data, and says what.
    """
    if isinstance(table, np.ma.MaskedArray) and table.dtype.names:
        return _of_masked(table)
    if isinstance(table, np.ma.MaskedArray):
        table = np.ma.filled(table.astype(np.float64), np.nan) if table.mask.any() else table.data
    if isinstance(table, np.ndarray) and table.dtype.names:
        return of_records(table, "The array")
    if isinstance(table, pd.Series):
        return table.to_frame(str(table.name or "column 1"))
    if isinstance(table, pd.DataFrame):
        return in_types_of_numpy(table)
    if isinstance(table, Tensor):
        return table
    table = as_rows(table)
    if isinstance(table, np.ndarray | World | str):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        import pyarrow as pa

        with suppress(pa.ArrowException, TypeError, ValueError):  # a column by itself
            return pa.table(table).to_pandas()
    if what := way_with(table):
        raise InputError(f"{type(table).__name__} is no table or array that is read: {what}.")
    return pd.api.interchange.from_dataframe(table) if hasattr(table, "__dataframe__") else table


def of_records(x: NDArray, what: str) -> pd.DataFrame:
    """The table of NumPy's records [n]: a field of several values is a column for each, a field of fields likewise."""
    if x.ndim == 0 or x.size != len(x):
        raise InputError(
            f"{what}: records of shape {x.shape}, expected one for each row, [n]: x.ravel() is that."
        )
    rows = x.reshape(-1)
    columns = [each for field in rows.dtype.names or () for each in _columns(field, rows[field])]
    table = pd.DataFrame({i: column for i, (_, column) in enumerate(columns)})
    return table.set_axis([name for name, _ in columns], axis=1)


def _of_masked(x: Any) -> pd.DataFrame:
    """The table of masked records: what is masked is missing."""
    table, masked = (of_records(each, "The array") for each in (np.asarray(x.data), np.ma.getmaskarray(x)))
    return table.mask(masked.to_numpy(bool))


def _columns(name: str, values: NDArray) -> Iterator[tuple[str, NDArray]]:
    """The columns that a field of records holds, with their names."""
    if values.ndim > 1:
        for i, each in enumerate(values.reshape(len(values), -1).T):
            yield from _columns(f"{name} {i + 1}", each)
    elif values.dtype.names:
        for field in values.dtype.names:
            yield from _columns(f"{name}/{field}", values[field])
    elif values.dtype.kind in "SO":  # texts are bytes in C, and in HDF5
        texts = [
            each.decode(errors="replace") if isinstance(each, bytes) else each for each in values.tolist()
        ]
        yield name, pd.Series(texts, dtype=object).to_numpy()
    else:
        yield name, values.astype(values.dtype.newbyteorder("="))


def in_types_of_numpy(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns that are in Arrow's types in those of NumPy."""
    of_arrow = [i for i, kind in enumerate(table.dtypes) if isinstance(kind, pd.ArrowDtype)]
    if not of_arrow:
        return table
    columns = {
        i: pa.chunked_array(column.array.__arrow_array__()).to_pandas().set_axis(table.index)
        if i in of_arrow
        else column
        for i, (_, column) in enumerate(table.items())
    }
    return pd.DataFrame(columns).set_axis(table.columns, axis=1)
