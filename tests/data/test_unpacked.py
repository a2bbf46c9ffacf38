"""Arrays of HDF5 and Zarr whose attributes say what their numbers stand for."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prismae.data import rows, world
from prismae.data.kinds import Images

h5py, zarr = pytest.importorskip("h5py"), pytest.importorskip("zarr")

STORED = np.random.default_rng(0).integers(-900, 900, (12, 9, 9)).astype(np.int16)
STORED[3, 2, 2] = STORED[5, 0, 1] = -32768
ABOUT = {"scale_factor": 0.01, "add_offset": 20.0}


def written(path: Path, x: np.ndarray, about: dict[str, Any]) -> Path:
    if path.suffix == ".zarr":
        array = zarr.create_array(str(path), name="t", shape=x.shape, dtype=x.dtype, overwrite=True)
        array[:] = x
        array.attrs.update(
            {key: getattr(value, "tolist", lambda value=value: value)() for key, value in about.items()}
        )
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("t", data=x).attrs.update(about)
    return path


def drawn(path: Path) -> np.ndarray:
    made = world(path)
    return np.asarray(made.kind.given_back(made.data[torch.arange(len(made))].numpy(), (9, 9)))


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("name", ["t.h5", "t.zarr"])
def test_packed_numbers_are_what_they_stand_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, in_pieces: bool
) -> None:
    path = written(tmp_path / name, STORED, {**ABOUT, "_FillValue": np.int16(-32768)})
    monkeypatch.setattr(rows, "WHOLE", 0 if in_pieces else rows.WHOLE)
    expected = np.where(STORED == -32768, np.nan, STORED * 0.01 + 20)
    np.testing.assert_allclose(drawn(path), expected, rtol=1e-6)
    said = "multiplied by 0.01, +20 added, -32768 taken for missing"
    assert any(said in notice for notice in world(path).notices)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_great_number_for_what_is_missing(tmp_path: Path, dtype: type) -> None:
    x = np.where(STORED == -32768, 1e20, STORED).astype(dtype)
    path = written(tmp_path / "t.h5", x, {"missing_value": 1e20})
    np.testing.assert_array_equal(np.isnan(drawn(path)), STORED == -32768)


def test_fill_values_as_xarray_writes_them(tmp_path: Path) -> None:
    text = base64.b64encode(np.int16(-32768).tobytes()).decode()
    path = written(tmp_path / "t.zarr", STORED, {"_FillValue": text})
    np.testing.assert_array_equal(np.isnan(drawn(path)), STORED == -32768)
    array = zarr.create_array(
        str(path), name="t", shape=STORED.shape, dtype="i2", fill_value=-32768, overwrite=True
    )
    array[:] = STORED
    assert not np.isnan(drawn(path)).any()  # what was not written, to others than xarray
    array.attrs["_ARRAY_DIMENSIONS"] = ["time", "y", "x"]
    np.testing.assert_array_equal(np.isnan(drawn(path)), STORED == -32768)


@pytest.mark.parametrize(
    "about", [{"_FillValue": np.float64("nan")}, {"scale_factor": 1.0}, {"scale_factor": "a"}]
)
def test_attributes_that_say_nothing_change_nothing(tmp_path: Path, about: dict[str, Any]) -> None:
    x = STORED.astype(np.float64)
    path = written(tmp_path / "t.h5", x, about)
    np.testing.assert_array_equal(drawn(path), x)
    assert not any("attributes" in notice for notice in world(path).notices)


def test_bytes_stay_pixels(tmp_path: Path) -> None:
    path = written(tmp_path / "t.h5", (STORED % 256).astype(np.uint8), {"_FillValue": np.uint8(255)})
    assert world(path).kind == Images(pixels=True)
