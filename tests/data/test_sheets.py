"""Sheets of spreadsheets that hold formulas, reach far, or are damaged."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import torch
from openpyxl.chart import LineChart, Reference

from prismae.data import world
from prismae.errors import InputError

SHEET = "xl/worksheets/sheet1.xml"


def book(path: Path, *, formulas: bool = False, chart: bool = False) -> Path:
    """A sheet 'data' of two columns, the second twice the first, as numbers or as formulas that nobody computed."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "data"
    sheet.append(["a", "b"])
    for i in range(20):
        sheet.append([i % 7, f"=A{i + 2}*2" if formulas else 2 * (i % 7)])
    if chart:
        drawn = LineChart()
        drawn.add_data(Reference(sheet, min_col=1, min_row=1, max_row=20))
        made.create_chartsheet("drawn", 0).add_chart(drawn)
    made.save(path)
    return path


def numbers(path: Path) -> np.ndarray:
    """The observations of a file."""
    made = world(path)
    return made.data[torch.arange(len(made))].numpy()


def altered(path: Path, change: Callable[[bytes], bytes], member: str = SHEET) -> Path:
    """The same file with another text of one of the files in it."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert change(parts[member]) != parts[member]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, change(content) if name == member else content)
    return path


def test_formulas_without_values_are_not_missing_values(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", formulas=True)
    with pytest.raises(
        InputError, match=r"20 cells of the sheet 'data' hold formulas .* never computed \(B2, B3, .*B11 …\)"
    ):
        world(path)
    altered(path, lambda sheet: sheet.replace(b"<v />", b"").replace(b"<v/>", b""))
    with pytest.raises(InputError, match="20 cells of the sheet 'data' hold formulas"):
        world(path)


def computed(sheet: bytes) -> bytes:
    """As a spreadsheet program saves it: each formula with its value."""
    return re.sub(
        rb"(<f>A(\d+)\*2</f>)<v ?/>",
        lambda found: found[1] + b"<v>%d</v>" % (2 * ((int(found[2]) - 2) % 7)),
        sheet,
    )


def test_formulas_with_values_are_these(tmp_path: Path) -> None:
    path = altered(book(tmp_path / "x.xlsx", formulas=True), computed)
    np.testing.assert_array_equal(numbers(path), numbers(book(tmp_path / "y.xlsx")))


def test_a_formula_of_an_empty_text_is_missing(tmp_path: Path) -> None:
    path = altered(
        book(tmp_path / "x.xlsx", formulas=True),
        lambda sheet: computed(sheet).replace(
            b'<c r="B5"><f>A5*2</f><v>6</v>', b'<c r="B5" t="str"><f>""</f><v></v>'
        ),
    )
    assert np.isnan(numbers(path)).sum() == 1


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (
            b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            r"spread over 1,048,576 rows and 16,384 col",
        ),
        (b'<x:row spans="1:2" r="99999999999"/>', r"is corrupted: the sheet 'data' has 99,999,999,999 rows"),
        (b'<row r="30"><c s="1" r="ZZZZ30"><v>1</v></c></row>', r"is corrupted: .* and 475,254 columns"),
    ],
)
def test_a_cell_far_from_the_table(tmp_path: Path, end: bytes, said: str) -> None:
    path = altered(
        book(tmp_path / "x.xlsx"), lambda sheet: sheet.replace(b"</sheetData>", end + b"</sheetData>")
    )
    with pytest.raises(InputError, match=said):
        world(path)


LAUGHS = b'<!DOCTYPE a [<!ENTITY l0 "ha">%s]>' % b"".join(
    b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 12)
)


@pytest.mark.parametrize(
    "change",
    [
        lambda sheet: LAUGHS + sheet.replace(b"<v>2</v>", b"<v>&l11;</v>", 1),
        lambda sheet: sheet[:300],
        lambda sheet: sheet.replace(b"</row>", b"</raw>", 1),
        lambda sheet: sheet.replace(b'r="B3"', b'r="3B"'),
        lambda sheet: sheet.replace(b"<v>2</v>", b"<v>two</v>", 1),
    ],
    ids=["laughs", "cut off", "no XML", "no place", "no number"],
)
def test_a_damaged_sheet_is_one_sentence(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InputError, match=r"x.xlsx is corrupted or no .xlsx table \("):
        world(altered(book(tmp_path / "x.xlsx"), change))


def test_a_sheet_that_is_a_chart_is_none(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", chart=True)
    assert (len(world(path)), world(path).notices) == (20, ())
    with pytest.raises(InputError, match=r"Unknown sheet of x.xlsx 'drawn': .*data"):
        world(path, sheet="drawn")


def of_rows(path: Path, rows: Sequence[Sequence[Any]], change: Callable[[Any], object] = id) -> Path:
    """A file with a sheet of these rows, which may be changed before it is saved."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    change(sheet)
    made.save(path)
    return path


PLAIN = [[i % 7, i * i % 5 + 0.5, "uv"[i % 2]] for i in range(12)]
NAMED = [["a", "b", "k"], *PLAIN]


def test_a_sheet_without_names_loses_no_row(tmp_path: Path) -> None:
    made = world(of_rows(tmp_path / "x.xlsx", PLAIN))
    assert len(made) == len(PLAIN)
    assert made.notices[0].startswith("the first line holds numbers, so it is read as data")


def test_hidden_sheets_are_read_only_when_they_are_asked_for(tmp_path: Path) -> None:
    def hide(sheet: Any) -> None:
        sheet.row_dimensions[4].hidden = sheet.column_dimensions["B"].hidden = True
        other = sheet.parent.create_sheet("lists", 0)
        other.sheet_state = "hidden"
        for i in range(5):
            other.append([i, i * i])

    path = of_rows(tmp_path / "x.xlsx", NAMED, hide)
    made = world(path)
    assert made.kind.scheme.columns == ("a", "b", "k")
    assert "2 rows or columns are hidden in the sheet 'Sheet', and read as the others" in made.notices
    assert len(world(path, sheet="lists")) == 5


def test_errors_of_formulas_are_counted(tmp_path: Path) -> None:
    rows = [list(row) for row in NAMED]
    rows[3][0], rows[5][1] = "#DIV/0!", "#N/A"
    made = world(of_rows(tmp_path / "x.xlsx", rows))
    assert "2 cells hold errors in place of a value (A4, B6): taken for missing" in made.notices
    assert made.kind.lacking == (0, 1)


def test_texts_of_digits_and_missing_values_are_read_as_in_text_files(tmp_path: Path) -> None:
    rows = [["zip", "k", "n"], *([f"{i % 3:05d}", ["NA", "u", "v"][i % 3], str(i % 4)] for i in range(12))]
    path = of_rows(tmp_path / "x.xlsx", rows)
    made = world(path)
    assert made.kind.scheme.categories == {"zip": ("00000", "00001", "00002"), "k": ("u", "v")}
    assert "column 'k': NA in 4 rows taken for missing (--missing '' if that is a value)" in made.notices
    assert world(path, missing="").kind.scheme.categories["k"] == ("NA", "u", "v")
    assert list(made.kind.scheme.scaling) == ["n"]


def test_names_in_two_rows_and_names_that_stand_twice(tmp_path: Path) -> None:
    table = pd.DataFrame(np.eye(8)[:, :4], columns=pd.MultiIndex.from_product([["a", "b"], ["x", "y"]]))
    table.to_excel(tmp_path / "x.xlsx")
    made = world(tmp_path / "x.xlsx")
    assert (len(made), made.kind.scheme.columns) == (8, ("a x", "a y", "b x", "b y"))
    made = world(of_rows(tmp_path / "y.xlsx", [["a", "a", "k"], *PLAIN]))
    assert made.notices == ("'a' stands twice in the line of names: told apart by .1",)
    assert made.kind.scheme.columns == ("a", "a.1", "k")


def test_a_text_without_end_is_told_with_its_size_before_it_is_parsed(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/strings.xml", b"<sst><si><t>" + b"a" * 5_000_000 + b"</t></si></sst>")
    with pytest.raises(InputError, match=r"x.xlsx: xl/strings.xml holds 5 MB, over 1 MB of it in one text"):
        world(path)
