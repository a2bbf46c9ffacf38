"""Own data in tables: files as people have them, and what their columns and the names of their rows are."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.ipc import open_file, open_stream

from prismae._files import check_room
from prismae._text import listed
from prismae.data.columns import Column
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.packed_text import PACKED
from prismae.data.parquet_files import PARQUET, read_parquet, written_out
from prismae.data.sheets import read_sheet
from prismae.data.table_edges import UNNAMED
from prismae.data.tables import TableScheme, checked_names, look
from prismae.data.text_tables import read_csv
from prismae.errors import InputError, in_a_sentence, unknown_names
from prismae.settings import Reading

TEXT_TABLES = (".csv", ".tsv", ".tab")
SHEETS = (".xlsx", ".xlsm")
BINARY_TABLES = (*PARQUET, ".feather", ".arrow", *SHEETS)
TRAINED = ("number", "category")  # roles
SHOWN = 40  # columns that a description lists


def is_table(path: Path) -> bool:
    """Whether a path's suffix, in capitals or not, is that of a table."""
    name = path.name.lower()
    return name.endswith(BINARY_TABLES) or any(
        name.endswith(kind + packed) for kind in TEXT_TABLES for packed in PACKED
    )


def read_table(
    path: Path, reading: Reading, *, scheme: TableScheme | None = None, new: bool = False
) -> Found:
    """Observations and factors of a table in a file; see `from_table`."""
    table, notices = read_file(path, reading)
    return from_table(table, reading, path.name, scheme=scheme, new=new, notices=notices)


def read_file(path: Path, reading: Reading) -> tuple[pd.DataFrame, list[str]]:
    """The table of a file, and what a user should know of how it was read."""
    suffix = path.suffix.lower()
    if reading.sheet is not None and suffix not in SHEETS:
        raise InputError(f"{path} has no sheets: leave out sheet.")
    if suffix not in BINARY_TABLES and not path.is_dir():
        return read_csv(path, reading)
    if reading.sep is not None:
        raise InputError(f"{path} is no text, so nothing stands between its columns: leave out sep.")
    broken = (  # openpyxl trusts what it parses; XML that is none is a SyntaxError, an unknown packing a RuntimeError
        *(
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            ArithmeticError,
            SyntaxError,
            RuntimeError,
        ),
        *(zipfile.BadZipFile, zlib.error),
    )
    notices: list[str] = []
    with in_a_sentence(f"{path} is corrupted or no {suffix} table", *broken):
        if suffix in PARQUET or path.is_dir():
            found, notices = read_parquet(path)
            table = _of_arrow(found)
        elif suffix in (".feather", ".arrow"):
            table = _arrow(path)
        else:
            table, notices = read_sheet(path, reading)
    return without(table, reading.missing), notices


def without(table: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """The table without the values that stand for missing ones: texts, and numbers that are written so."""
    texts = [each for each in missing if each]
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").dropna().tolist()

    def known(column: pd.Series) -> pd.Series:
        of_numbers = pd.api.types.is_numeric_dtype(column.dtype)
        return column.mask(column.isin(numbers if of_numbers else [*texts, *numbers]))

    return table.apply(known) if texts else table


def _arrow(path: Path) -> pd.DataFrame:
    """The table of a file of Arrow, or of a stream of it, unless it takes more than there is memory."""
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"FEA1"):  # the first version of Feather
        return pd.read_feather(path)
    with path.open("rb") as file, (open_file if start == b"ARROW1" else open_stream)(file) as found:
        parts = map(found.get_batch, range(found.num_record_batches)) if start == b"ARROW1" else iter(found)
        batches, taken = [], 0
        for batch in parts:
            batch.validate(full=True)  # damaged places of texts would be followed out of the memory
            taken += batch.nbytes + written_out(batch)
            check_room(path, taken, "values")
            batches.append(batch)
        return _of_arrow(pa.Table.from_batches(batches, found.schema))


def _of_arrow(table: pa.Table) -> pd.DataFrame:
    """A table of Arrow in types of NumPy, whatever types pandas noted that it had."""
    about = table.schema.pandas_metadata
    for column in about["columns"] if about else ():
        if str(column["numpy_type"]).endswith("[pyarrow]"):  # of which pandas cannot read all
            column["numpy_type"] = "object"
    noted = {**(table.schema.metadata or {}), **({b"pandas": json.dumps(about).encode()} if about else {})}
    return table.replace_schema_metadata(noted).to_pandas(split_blocks=True)


def from_table(
    table: pd.DataFrame,
    reading: Reading,
    name: str,
    *,
    scheme: TableScheme | None = None,
    new: bool = False,
    notices: Sequence[str] = (),
) -> Found:
    """Observations, factors and names of rows of a table.

    Parameters
    ----------
    reading
        Which columns are factors, which are left out, and what others are.
    name
        What messages call the table.
    scheme
        How its columns become numbers, where that is known already.
    new
        Whether it is for a model that was trained before: factors may be missing then, and need not vary.
    notices
        What is to be said of it already.

    Raises
    ------
    InputError
        For unknown columns, no column that is left to train on, and as `look` and `labels_of`.
    """
    if isinstance(table.columns, pd.MultiIndex):
        raise InputError(
            f"{name} has several lines of column names, expected one: table.columns.map(lambda names: "
            "' '.join(map(str, names))) makes one of them."
        )
    checked_names(table, name)
    names = None if _is_default(table.index) else _index_names(table.index)
    table, said = _with_levels(table, reading, scheme)
    notices = (*notices, *said)
    if scheme is None and not new:
        _check_columns(table, reading, name)
    factors = chosen(reading.factors, map(str, table.columns), f"column of {name}", new=new)
    drop = chosen(reading.drop, map(str, table.columns), f"column of {name}", new=new)
    labels = labels_of({column: table[column] for column in factors}, len(table), name, new=new)
    rest = table.drop(columns=[*(column for column in factors if column not in reading.given), *drop])
    if rest.shape[1] == 0 and len(factors):
        raise InputError(f"{name}: all columns are factors, expected some that are left to train on.")
    if scheme is not None:
        index = _index_of_new(rest, scheme)
        if index is not None:
            names = rest[index].astype(str).to_numpy(dtype=str)
            rest = rest.drop(columns=index)
        extra = [column for column in rest if column not in (*scheme.columns, *scheme.lacking)]
        if new and extra and not {*scheme.columns} - {*rest}:  # else one may be a lacking one of another name
            notices = (*notices, f"{listed([*map(repr, extra)])} not in what was trained on: left out")
            rest = rest.drop(columns=extra)
        return Found(scheme.to_array(rest, name=name), labels, scheme, names=names, notices=tuple(notices))
    asked = [column for column in (*reading.categorical, *reading.numeric) if column not in drop]
    looked = look(
        rest,
        name,
        categorical=[column for column in reading.categorical if column in asked],
        numeric=[column for column in reading.numeric if column in asked],
    )
    index = _index(rest, looked, reading.index, name, named=names is not None)
    if index is not None:
        names = rest[index].astype(str).to_numpy(dtype=str)
    scheme = TableScheme.of(looked, name=name, index=index)
    x = scheme.to_array(rest, name=name)
    scheme = replace(scheme, left_out=(*scheme.left_out, *drop))
    lines = [
        f"{'(no name)' if column.startswith(UNNAMED) else column}: "
        + ("names of the rows" if column == index else each.said)
        for column, each in looked.items()
    ]
    return Found(
        x,
        labels,
        scheme,
        names=names,
        columns=tuple(
            lines[:SHOWN] + ([f"and {len(lines) - SHOWN:,} columns more"] if len(lines) > SHOWN else [])
        ),
        notices=(*notices, *_notices(looked, index)),
    )


def _check_columns(table: pd.DataFrame, reading: Reading, name: str) -> None:
    """Refuse the names of columns that a table does not have, whatever they are asked to be.

    Where only what is given has such names, `Kind.knowing` tells them beside what else is wrong with it.
    """
    index = () if reading.index is None else (reading.index,)
    asked = (*reading.factors, *reading.drop, *reading.categorical, *reading.numeric, *index)
    unknown = [column for column in dict.fromkeys((*asked, *reading.given)) if column not in table.columns]
    if not {*unknown}.isdisjoint(asked):
        raise unknown_names(f"column of {name}", unknown, table.columns)


def _index(
    table: pd.DataFrame, looked: dict[str, Column], asked: str | None, name: str, *, named: bool
) -> str | None:
    """The column that names the rows: the one asked for, the first if it does, else the first of texts that does."""
    if asked is not None:
        if asked not in looked:
            raise InputError(
                f"{name}: column {asked!r} is to name the rows, and is left out or a factor: expected another."
            )
        return asked
    if named:
        return None
    first = next(iter(looked))
    unnamed = first == "" or first.startswith(UNNAMED)
    if looked[first].role == "rows" or (unnamed and not table[first].hasnans and table[first].is_unique):
        return first
    return next((column for column, each in looked.items() if each.role == "rows" and each.notice), None)


def _index_of_new(table: pd.DataFrame, scheme: TableScheme) -> str | None:
    """The column that names the rows of new data: that of the fit, else one that was written without a name."""
    if scheme.index is not None and scheme.index in table:
        return scheme.index
    first = str(table.columns[0])
    strange = first not in (*scheme.columns, *scheme.lacking)
    return first if strange and (first == "" or first.startswith(UNNAMED)) else None


def _notices(looked: dict[str, Column], index: str | None) -> list[str]:
    said = [each.notice for column, each in looked.items() if each.notice and column != index]
    said += [each.doubt for each in looked.values() if each.doubt]
    if index is not None and looked[index].role == "number" and (index == "" or index.startswith(UNNAMED)):
        called = looked[index].values
        if (
            called % 1 != 0
        ).any() and not called.is_monotonic_increasing:  # neither numbers of rows nor times
            said.append(
                f"the column without a name holds numbers such as {called.iloc[0]:g}, taken for names of the rows and "
                "left out (else give it a name)"
            )
    counters = [repr(column) for column, each in looked.items() if each.role == "rows" and not each.notice]
    counters = [column for column in counters if column != repr(index)]
    if counters:
        follow = "follows the rows and is" if len(counters) == 1 else "follow the rows and are"
        said.append(f"{listed(counters)} {follow} left out (else --numeric)")
    lacking = {
        column: int(each.values.isna().sum()) for column, each in looked.items() if each.role in TRAINED
    }
    if missing := sum(lacking.values()):
        several = [repr(column) for column, count in lacking.items() if count]
        values = "value is" if missing == 1 else "values are"
        said.append(f"{missing:,} {values} missing, in {listed(several)}")
    constant = [
        repr(column) for column, each in looked.items() if each.role == "constant" and column != index
    ]
    if constant:
        are = "is" if len(constant) == 1 else "are"
        said.append(f"{listed(constant)} {are} constant: kept as the constant, not trained on")
    return said


def _with_levels(
    table: pd.DataFrame, reading: Reading, scheme: TableScheme | None
) -> tuple[pd.DataFrame, list[str]]:
    """The table with those levels of its index as columns that are asked for, and what is to be said of the others."""
    levels = [str(level) for level in table.index.names if level is not None and level not in table.columns]
    columns = (*reading.factors, *reading.categorical, *reading.numeric, *reading.given)
    wanted = {*columns, *(scheme.columns if scheme is not None else ())}
    taken = {each: table.index.get_level_values(each) for each in levels if each in wanted}
    others = [repr(level) for level in levels if level not in taken]
    said = (
        f"the index ({listed(others)}) names the rows and is not trained on (else --numeric, --categorical)"
    )
    return table.assign(**taken) if taken else table, [said] if others and not _is_default(
        table.index
    ) else []


def _is_default(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) or bool(
        pd.api.types.is_integer_dtype(index.dtype) and index.equals(pd.RangeIndex(len(index)))
    )


def _index_names(index: pd.Index) -> NDArray:
    if isinstance(index, pd.MultiIndex):
        return np.array([", ".join(map(str, row)) for row in index], dtype=str)
    return index.astype(str).to_numpy(dtype=str)
