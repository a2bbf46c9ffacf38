"""Merged cells of spreadsheets hold for all rows that they reach over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from prismae.data import world

N = 24


def sheet(path: Path, *, above: int = 0, groups: int = 4, names: bool = False) -> Path:
    """A sheet of groups whose label is one cell for all of their rows, below `above` titles; perhaps merged names."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for i in range(above):
        page.append([f"title {i}"])
    if names:
        page.append(["plot", "measured", None])
        page.merge_cells(start_row=above + 1, end_row=above + 2, start_column=1, end_column=1)
        page.merge_cells(start_row=above + 1, end_row=above + 1, start_column=2, end_column=3)
    page.append([None if names else "plot", "a", "b"])
    start = page.max_row + 1
    rng = np.random.default_rng(0)
    size = N // groups
    for i in range(N):
        page.append([f"P{i // size}" if i % size == 0 else None, *rng.normal(size=2).round(3).tolist()])
    for i in range(0, N, size):
        page.merge_cells(start_row=start + i, end_row=start + i + size - 1, start_column=1, end_column=1)
    book.save(path)
    return path


@pytest.mark.parametrize("above", [0, 2])
@pytest.mark.parametrize("names", [False, True])
def test_a_label_of_several_rows_is_that_of_each(tmp_path: Path, above: int, names: bool) -> None:
    made = world(sheet(tmp_path / "x.xlsx", above=above, names=names), factors="plot")
    assert made.factors is not None
    np.testing.assert_array_equal(made.factors[:, 0], np.repeat(np.arange(4), 6))
    assert made.factor_names == ("plot",)
    assert [each.partition(":")[0] for each in made.columns] == ["a", "b"]
    assert "merged cells hold for all of their rows: 20 more of 'plot'" in made.notices


def test_an_index_of_two_levels_as_pandas_writes_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([["x", "y", "z"], range(8)], names=["tank", "day"])
    table = pd.DataFrame(rng.normal(size=(24, 2)), index=index, columns=["a", "b"])
    table.to_excel(tmp_path / "x.xlsx")
    made = world(tmp_path / "x.xlsx")
    assert any(each.startswith("tank: 3 categories: x (8), y (8), z (8)") for each in made.columns)


def test_many_groups(tmp_path: Path) -> None:
    made = world(sheet(tmp_path / "x.xlsx", groups=12), factors="plot")
    assert made.factors is not None
    assert len(np.unique(made.factors)) == 12


def test_labels_that_stand_in_the_first_row_only_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = [f"P{i // 6}" if i % 6 == 0 else None for i in range(N)]
    pd.DataFrame({"plot": label, "a": rng.normal(size=N), "b": rng.normal(size=N)}).to_csv(
        tmp_path / "x.csv", index=False
    )
    said = (
        "column 'plot' has 4 values in 24 rows, the first among them: if each holds for the rows below it too"
    )
    assert any(each.startswith(said) for each in world(tmp_path / "x.csv").notices)
