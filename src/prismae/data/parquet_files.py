"""Own data in Parquet: a file, or a folder of files that are parts of one table, as Spark, Dask and Hive write it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.parquet import ParquetFile, read_metadata

from prismae._files import check_room, memory
from prismae._text import listed
from prismae.data.files import files_below
from prismae.errors import InputError

PARQUET = (".parquet", ".pq")
_PART = re.compile(r"part[-._]?\d+")  # how the names of parts begin
_SHARE = 32  # texts that are counted take at most this part of the memory at a time
_ONCE = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}  # ways to keep a text once that stands in many rows
_NOTHING = "__HIVE_DEFAULT_PARTITION__"  # in place of a value that is missing


def holds_parts(path: Path) -> bool:
    """Whether a folder holds parts of one table: its name, or folders ``key=value``, or parts say so."""
    if not path.is_dir():
        return False
    parts = _parts(path)
    return len(parts) > 0 and (
        path.suffix.lower() in PARQUET
        or all("=" in each.parent.name for each in parts)
        or all(_PART.match(each.name) for each in parts)
    )


def read_parquet(path: Path) -> tuple[pa.Table, list[str]]:
    """The table of a file, or of a folder's parts in the order of their paths, and what is to be said of it.

    Folders ``key=value`` are columns.

    Raises
    ------
    InputError
        For more than there is room for, and parts whose columns are of other types than those of the others.
    """
    if path.is_file():
        _check_parquet(path)
        with ParquetFile(path) as file:
            return file.read(), []
    parts = _parts(path)
    others = sum(each.suffix.lower() not in PARQUET and each.name[0] != "_" for each in files_below(path))
    tables, keys = [], dict[str, None]()
    for part in parts:
        _check_parquet(part)
        with ParquetFile(part) as file:
            table = file.read()
        for folder in part.relative_to(path).parts[:-1]:
            key, equals, value = folder.partition("=")
            if equals and key not in table.column_names:
                keys[key] = None
                known = None if value == _NOTHING else unquote(value)
                table = table.append_column(key, pa.array([known] * len(table), pa.string()))
        tables.append(table)
        check_room(path, sum(each.nbytes for each in tables), "values")
    try:
        whole = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            f"{path} holds {len(parts)} parts whose columns are of several types ({' '.join(str(error).split())}): "
            "write them with one."
        ) from None
    for key in keys:
        values = whole.column(key)
        if all(
            each is None or re.fullmatch(r"0|-?[1-9]\d{0,17}", each) for each in pc.unique(values).to_pylist()
        ):
            whole = whole.set_column(whole.column_names.index(key), key, values.cast(pa.int64()))
    said = [f"the {len(parts):,} files are parts of one table"]
    said += [f"folders are its columns {listed([repr(key) for key in keys])}"] if keys else []
    said += [f"{others:,} other files in the folder are not read"] if others else []
    return whole, said


def _parts(path: Path) -> list[Path]:
    return [
        each for each in files_below(path) if each.suffix.lower() in PARQUET and not each.name.startswith("_")
    ]


def _check_parquet(path: Path) -> None:
    """Refuse a file whose values, or texts when they are written out, take more than there is memory."""
    about = read_metadata(path)
    columns = [
        (about.row_group(i).column(j), about.schema.column(j).length or 8)
        for i in range(about.num_row_groups)
        for j in range(about.num_columns)
    ]
    check_room(path, sum(each.num_values * max(width, 8) for each, width in columns), "values")
    of_texts = [each for each, _ in columns if each.physical_type == "BYTE_ARRAY"]
    # a text that is kept once may stand in every row
    if sum(each.num_values * each.total_uncompressed_size for each in of_texts) <= memory():
        return
    ways: dict[str, set[str]] = {}
    for each in of_texts:
        ways.setdefault(each.path_in_schema, set()).update(each.encodings)
    of_parts = sorted(name for name, way in ways.items() if "DELTA_BYTE_ARRAY" in way)
    kept = sorted(
        name
        for name, way in ways.items()
        if not any(each.startswith("DELTA_") for each in way) and way & _ONCE
    )
    texts = 0
    with ParquetFile(path, read_dictionary=kept) as file:
        for batch in file.iter_batches(columns=kept) if kept else ():
            texts += written_out(batch)
            check_room(path, texts, "texts")
    longest = max(each.total_uncompressed_size for each in of_texts)
    rows = max(1, min(1 << 16, int(memory() / _SHARE / longest)))
    with ParquetFile(path) as file:
        # the beginning of a text that is that of the one before is not kept, so that each may be as long as all that is
        for batch in file.iter_batches(rows, columns=of_parts) if of_parts else ():
            texts += batch.nbytes
            check_room(path, texts, "texts")


def written_out(batch: pa.RecordBatch) -> int:
    """Bytes of the texts of a table that are kept once and stand in many rows."""
    of_texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return sum(
        pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0
        for column in batch.columns
        if pa.types.is_dictionary(column.type) and any(each(column.type.value_type) for each in of_texts)
    )
