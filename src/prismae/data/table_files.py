"""Own data in tables: files as people have them, and what their columns and the names of their rows are."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow.ipc import open_stream
from pyarrow.parquet import read_metadata

from prismae._files import check_room
from prismae.data.columns import Column, listed
from prismae.data.labels import Found, chosen, labels_of
from prismae.data.packed_text import PACKED, UNPACKED
from prismae.data.tables import TableScheme, checked_names, look
from prismae.data.text_tables import SEEN, lines_left_out, read_csv
from prismae.errors import InputError, unknown_name
from prismae.settings import Reading

TEXT_TABLES = (".csv", ".tsv", ".tab")
BINARY_TABLES = (".parquet", ".pq", ".feather", ".arrow", ".xlsx")
UNNAMED = "Unnamed: "  # what pandas calls a column without a name, with its place
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
    if reading.sheet is not None and suffix != ".xlsx":
        raise InputError(f"{path} has no sheets: leave out sheet.")
    if suffix not in BINARY_TABLES:
        return read_csv(path, reading)
    if reading.sep is not None:
        raise InputError(f"{path} is no text, so nothing stands between its columns: leave out sep.")
    notices: list[str] = []
    try:
        if suffix in (".parquet", ".pq"):
            about = read_metadata(path)
            check_room(path, 8 * about.num_rows * about.num_columns, "values")
            table = pd.read_parquet(path)
        elif suffix in (".feather", ".arrow"):
            table = _arrow(path)
        else:
            import openpyxl  # noqa: F401  # pandas looks at the file before it says that this is missing

            with zipfile.ZipFile(path) as packed:
                check_room(path, UNPACKED * sum(each.file_size for each in packed.infolist()), "cells")
            with pd.ExcelFile(path, engine="openpyxl") as book:
                names = [str(name) for name in book.sheet_names]
                if reading.sheet is not None and reading.sheet not in names:
                    raise unknown_name(f"sheet of {path.name}", reading.sheet, names)
                table, notices = _sheet(book, reading.sheet, names)
    except InputError:
        raise
    except ImportError:
        raise InputError(
            f"{path} cannot be read without openpyxl: install it with pip install 'prismae[excel]', or save the sheet "
            "as .csv."
        ) from None
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:  # those of pandas and Arrow are ValueErrors, of what is packed in a way that is not known RuntimeErrors
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is corrupted or no {suffix} table ({reason}).") from None
    if reading.missing:
        table = table.replace(list(reading.missing), np.nan)
    return table, notices


def _arrow(path: Path) -> pd.DataFrame:
    """The table of a file of Arrow, or of a stream of it."""
    with path.open("rb") as file:
        of_stream = file.read(4) == b"\xff\xff\xff\xff"
    if not of_stream:
        return pd.read_feather(path)
    with path.open("rb") as file, open_stream(file) as stream:
        return stream.read_all().to_pandas()


def _sheet(book: pd.ExcelFile, asked: str | None, names: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The table of the sheet that is asked for, else of the first that has a table, and what is to be said of it."""
    notices: list[str] = []
    sheets = [asked] if asked is not None else names
    looked = ((name, pd.read_excel(book, sheet_name=name, header=None, nrows=SEEN)) for name in sheets)
    name, raw = next(
        (each for each in looked if min(each[1].shape) > 0 and len(each[1]) > 2), (sheets[0], None)
    )
    if asked is None and len(names) > 1:
        others = [repr(each) for each in names if each != name]
        which = (
            f"the first sheet, {name!r},"
            if name == names[0]
            else f"the sheet {name!r}, the first with a table,"
        )
        notices.append(f"{which} is read, and {listed(others)} not (--sheet names one)")
    if raw is None:
        return pd.read_excel(book, sheet_name=name), notices
    first = int(raw.notna().any().to_numpy().argmax())
    cells = raw.iloc[:, first:].map(lambda cell: "" if pd.isna(cell) else str(cell).strip())
    left_out, said = lines_left_out(cells.to_numpy().tolist())
    columns = range(first, raw.shape[1])
    return pd.read_excel(book, sheet_name=name, skiprows=left_out, usecols=columns), notices + said


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
        raise InputError(f"{name} has several lines of column names, expected one.")
    checked_names(table, name)
    names = None if _is_default(table.index) else _index_names(table.index)
    factors = chosen(reading.factors, map(str, table.columns), f"column of {name}", new=new)
    drop = chosen(reading.drop, map(str, table.columns), f"column of {name}", new=new)
    labels = labels_of({column: table[column] for column in factors}, len(table), name, new=new)
    rest = table.drop(columns=[*(column for column in factors if column not in reading.given), *drop])
    if rest.shape[1] == 0 and len(factors):
        raise InputError(f"{name}: all columns are factors, expected some that are left to train on.")
    if scheme is not None:
        if scheme.index is not None and scheme.index in rest:
            names = rest[scheme.index].astype(str).to_numpy(dtype=str)
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


def _index(
    table: pd.DataFrame, looked: dict[str, Column], asked: str | None, name: str, *, named: bool
) -> str | None:
    """The column that names the rows: the one asked for, the first if it does, else the first of texts that does."""
    if asked is not None:
        if asked not in looked:
            raise unknown_name(f"column of {name}", asked, looked)
        return asked
    if named:
        return None
    first = next(iter(looked))
    unnamed = first == "" or first.startswith(UNNAMED)
    if looked[first].role == "rows" or (unnamed and not table[first].hasnans and table[first].is_unique):
        return first
    return next((column for column, each in looked.items() if each.role == "rows" and each.notice), None)


def _notices(looked: dict[str, Column], index: str | None) -> list[str]:
    said = [each.notice for column, each in looked.items() if each.notice and column != index]
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


def _is_default(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) or bool(
        pd.api.types.is_integer_dtype(index.dtype) and index.equals(pd.RangeIndex(len(index)))
    )


def _index_names(index: pd.Index) -> NDArray:
    if isinstance(index, pd.MultiIndex):
        return np.array([", ".join(map(str, row)) for row in index], dtype=str)
    return index.astype(str).to_numpy(dtype=str)
