"""Spreadsheets as people write them: the sheet, the names and the numbers that are meant."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_table import PLAIN, values

from prismae.data import world
from prismae.errors import InputError


def test_excel_needs_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"any")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        InputError, match=re.escape("pip install 'prismae[excel]', or save the sheet as .csv")
    ):
        world(tmp_path / "x.xlsx")


def test_a_sheet_of_several_is_said_or_chosen(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
        PLAIN.to_excel(book, sheet_name="males", index=False)
        (PLAIN * 2).to_excel(book, sheet_name="females", index=False)
    made = world(tmp_path / "x.xlsx")
    assert made.notices == ("the first sheet, 'males', is read, and 'females' not (--sheet names one)",)
    np.testing.assert_array_equal(values(made), values(world(PLAIN)))
    other = world(tmp_path / "x.xlsx", sheet="females")
    assert other.notices == ()
    np.testing.assert_allclose(values(other), values(world(PLAIN * 2)))
    with pytest.raises(InputError, match="did you mean 'females'"):
        world(tmp_path / "x.xlsx", sheet="female")
    PLAIN.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(InputError, match="has no sheets: leave out sheet"):
        world(tmp_path / "x.csv", sheet="males")


SHEETS: dict[str, tuple[list[list[Any]], str]] = {
    "titles above, an empty column before": (
        [[], [], [None, "Made by hand"], [None, *PLAIN]],
        "1 line above the names is left out: 'Made by hand'",
    ),
    "merged names of groups": (
        [["Body", None, "Fish"], [*PLAIN]],
        "1 line above the names is left out: 'Body Fish'",
    ),
    "units": (
        [[*PLAIN], ["cm", "n", None]],
        "the line below the names is taken for units or a question and left out: 'cm | n'",
    ),
}


@pytest.mark.parametrize("form", SHEETS)
def test_a_sheet_as_people_write_it(tmp_path: Path, form: str) -> None:
    above, said = SHEETS[form]
    indent = [None] if above[-1][0] is None else []
    whole = [*([*row, *[None] * 4][: 3 + len(indent)] for row in above)]
    pd.DataFrame([*whole, *([*indent, *row] for row in PLAIN.to_numpy().tolist())]).to_excel(
        tmp_path / "x.xlsx", index=False, header=False
    )
    made = world(tmp_path / "x.xlsx")
    assert made.notices == (said,)
    assert made.kind.columns == tuple(PLAIN)
    np.testing.assert_allclose(values(made), values(world(PLAIN)), atol=1e-6)


def test_the_first_sheet_with_a_table_is_read(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
        pd.DataFrame({"read me": ["hello"]}).to_excel(book, sheet_name="about", index=False)
        PLAIN.to_excel(book, sheet_name="fish", index=False)
    made = world(tmp_path / "x.xlsx")
    assert made.notices == (
        "the sheet 'fish', the first with a table, is read, and 'about' not (--sheet names one)",
    )
    np.testing.assert_allclose(values(made), values(world(PLAIN)), atol=1e-6)


def test_numbers_among_which_a_sheet_has_a_text(tmp_path: Path) -> None:
    table = PLAIN.astype({"length": object})
    table.loc[3, "length"] = "n. d."
    table.to_excel(tmp_path / "x.xlsx", index=False)
    with pytest.raises(InputError, match=r"'length' holds numbers but for 1 of 24 values .'n. d.'.*in row 4"):
        world(tmp_path / "x.xlsx")
    made = world(tmp_path / "x.xlsx", numeric=["length"])
    expected = values(world(PLAIN.assign(length=PLAIN["length"].where(PLAIN.index != 3))))
    np.testing.assert_allclose(values(made), expected, atol=1e-6)


def test_names_that_are_years_in_a_sheet(tmp_path: Path) -> None:
    PLAIN.set_axis(["a", 2019, 2020], axis=1).to_excel(tmp_path / "x.xlsx", index=False)
    assert world(tmp_path / "x.xlsx").kind.scheme.columns == ("a", "2019", "2020")
