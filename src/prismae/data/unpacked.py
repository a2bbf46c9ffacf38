"""Numbers of HDF5 and Zarr that stand for others, as their attributes say: the CF conventions of netCDF, section 8."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prismae.data.rows import Rows

_MISSING = ("_FillValue", "missing_value")


class Unpacked(Rows):
    """Rows whose values are scaled and moved, and where a value that stands for a missing one is NaN."""

    def __init__(self, rows: Rows, missing: Sequence[float], scale: float, offset: float) -> None:
        self.rows, self.shape, self.at_once = rows, rows.shape, rows.at_once
        self.missing, self.scale, self.offset = tuple(missing), scale, offset
        few = rows.dtype.itemsize <= 2 or rows.dtype == np.float32
        self.dtype = np.dtype(np.float32 if few else np.float64)

    def spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[NDArray]:
        for part in self.rows.spans(spans):
            made = part.astype(np.float64) * self.scale + self.offset
            missing = np.array(self.missing).astype(part.dtype if part.dtype.kind == "f" else np.float64)
            made[np.isin(part, missing)] = np.nan
            yield made.astype(self.dtype)

    @property
    def said(self) -> str:
        """What became of the values, in words."""
        parts = [f"multiplied by {self.scale:g}"] * (self.scale != 1)
        parts += [f"{self.offset:+g} added"] * (self.offset != 0)
        parts += [f"{', '.join(f'{value:g}' for value in self.missing)} taken for missing"] * bool(
            self.missing
        )
        return f"values are read as the attributes of the file say: {', '.join(parts)}"


def unpacked(rows: Rows, attributes: Mapping[str, Any], fill: Any = None) -> Rows:
    """The rows as these attributes of theirs say, themselves where they say nothing; `fill` is one more missing value.

    A byte that stands for a missing one says nothing of images, whose pixels may be that.
    """
    if rows.dtype.kind not in "iuf":
        return rows
    told = [each for name in _MISSING for each in _numbers(attributes.get(name), rows.dtype)]
    missing = {*told, *_numbers(fill, rows.dtype)}
    scale, offset = (
        (_numbers(attributes.get(name), np.dtype(float)) or [default])[0]
        for name, default in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    if (scale, offset) == (1, 0) and (not missing or rows.dtype.itemsize == 1):
        return rows
    return Unpacked(rows, sorted(missing), scale, offset)


def _numbers(value: Any, dtype: np.dtype) -> list[float]:
    """The numbers that an attribute holds but NaN; xarray writes bytes as base64 where Zarr has only texts."""
    try:
        if isinstance(value, str):
            value = np.frombuffer(base64.b64decode(value, validate=True), dtype.newbyteorder("<"))
        found = np.atleast_1d(np.asarray(value, np.float64)).ravel()
    except (ValueError, TypeError):
        return []
    return [float(each) for each in found if not np.isnan(each)]
