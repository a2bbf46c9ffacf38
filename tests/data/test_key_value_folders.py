"""Folders key=value of tables that are no Parquet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prismae.data import world
from prismae.errors import InputError


def test_parts_of_one_table_are_no_recordings_unless_asked(tmp_path: Path) -> None:
    for year in (2020, 2021):
        folder = tmp_path / "x" / f"year={year}"
        folder.mkdir(parents=True)
        values = np.random.default_rng(year).normal(size=(20, 2))
        pd.DataFrame(values, columns=["a", "b"]).to_csv(folder / "data.csv", index=False)
    with pytest.raises(
        InputError, match=r"parts of one table in folders key=value.* write them as \.parquet"
    ):
        world(tmp_path / "x")
    assert "recording" in "; ".join(world(tmp_path / "x", window=10).notices)
