"""Folders of Parquet whose files are parts of one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prismae.data import world
from prismae.errors import InputError

N = 40


def table() -> pd.DataFrame:
    """Two columns of numbers, and two whose values are few."""
    rng = np.random.default_rng(0)
    year, site = [2020, 2021] * (N // 2), ["n", "s", "n", None] * (N // 4)
    return pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N), "year": year, "site": site})


def test_folders_of_key_and_value_are_columns(tmp_path: Path) -> None:
    table().to_parquet(tmp_path / "hive", partition_cols=["year", "site"])
    made = world(tmp_path / "hive", factors="year")
    assert len(made) == N
    assert made.factors is not None
    assert sorted(np.unique(made.factors).tolist()) == [2020, 2021]
    assert any(
        each.startswith("site: 2 categories: n (20), s (10), 10 of 40 missing") for each in made.columns
    )
    assert "the 3 files are parts of one table" in made.notices
    assert "folders are its columns 'year', 'site'" in made.notices


def test_a_folder_called_parquet_is_one_table(tmp_path: Path) -> None:
    home = tmp_path / "x.parquet"
    home.mkdir()
    plain = table()[["a", "b"]]
    for i in range(4):
        plain[10 * i : 10 * i + 10].to_parquet(home / f"part-{i:05}.parquet")
    (home / "_SUCCESS").touch()
    made = world(home)
    plain.to_parquet(tmp_path / "plain.parquet")
    assert made.kind == world(tmp_path / "plain.parquet").kind
    assert len(made) == N


def test_parts_of_other_types_are_one_sentence(tmp_path: Path) -> None:
    for i, values in enumerate(([1.5, 2.5], ["x", "y"])):
        pd.DataFrame({"a": values, "b": values}).to_parquet(tmp_path / f"part-{i}.parquet")
    with pytest.raises(
        InputError, match=r"holds 2 parts whose columns are of several types .*: write them with one"
    ):
        world(tmp_path)
