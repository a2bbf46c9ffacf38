"""Rows of totals in tables, at the foot and further up."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prismae.data import world

N = 20


def table() -> pd.DataFrame:
    """Names, two columns of numbers and one of categories."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "region": [f"region {i}" for i in range(N)],
            "sales": rng.integers(10, 900, N),
            "cost": rng.normal(50, 9, N).round(2),
            "kind": ["a", "b"] * (N // 2),
        }
    )


def ended(path: Path, *rows: list[object]) -> Path:
    """The table with rows below it, as a sheet or a text by the path's name."""
    plain = table()
    whole = pd.DataFrame([*plain.to_numpy(dtype=object).tolist(), *rows], columns=plain.columns)
    if path.suffix == ".xlsx":
        whole.to_excel(path, index=False)
    else:
        whole.to_csv(path, index=False)
    return path


SUM = [int(table()["sales"].sum()), round(float(table()["cost"].sum()), 2)]
MEAN = [float(table()["sales"].mean()), float(table()["cost"].mean())]


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["Total", *SUM, None]], "1 row of totals below the table is left out: 'Total'"),
        ([["Grand total:", *SUM, None]], "1 row of totals below the table is left out: 'Grand total:'"),
        ([[None, *SUM, None]], "1 row of totals below the table is left out: one without a name"),
        ([["Summe", *SUM, None], ["Mittelwert", *MEAN, None]], "2 rows of totals .* 'Summe', 'Mittelwert'"),
        ([[None] * 4, ["Total", *SUM, None]], "'Total'; 1 empty row below the table is left out"),
        ([["Total", *SUM, None], [None] * 4, ["Source: office", None, None, None]], "Source.*'Total'"),
    ],
)
def test_totals_at_the_foot_are_left_out_and_said(
    tmp_path: Path, suffix: str, rows: list[list[object]], said: str
) -> None:
    made = world(ended(tmp_path / f"x{suffix}", *rows))
    plain = world(ended(tmp_path / f"plain{suffix}"))
    assert len(made) == N
    assert made.kind == plain.kind
    assert re.search(said, "; ".join(made.notices))


def test_totals_of_numbers_as_people_write_them(tmp_path: Path) -> None:
    lines = [f'{i},"{1000 + 37 * i:,}"' for i in range(N)]
    (tmp_path / "x.csv").write_text("\n".join(["at,money", *lines, f'total,"{1000 * N + 37 * 190:,}"']))
    made = world(tmp_path / "x.csv")
    assert len(made) == N
    assert any("money: numbers with commas for thousands 1000 to 1703" in each for each in made.columns)


@pytest.mark.parametrize("row", [["Total", 1, 3.0, "a"], ["Max", 899, 44.0, "a"], [None, 5, 7.0, "a"]])
def test_rows_that_are_no_totals_stay(tmp_path: Path, row: list[object]) -> None:
    made = world(ended(tmp_path / "x.csv", row))
    assert len(made) == N + 1
    assert any("totals" in each for each in made.notices) is False
    assert any("1 row is called 'Total'" in each for each in made.notices) == (row[0] == "Total")


def test_totals_among_the_rows_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sexes = pd.DataFrame({"sex": ["female", "male", "Total"] * 8, "n": rng.normal(size=24)})
    sexes.to_csv(tmp_path / "x.csv", index=False)
    said = (
        "column 'sex': 8 rows are called 'Total': if that is the sum of others, it is trained on beside them"
    )
    assert any(each.startswith(said) for each in world(tmp_path / "x.csv").notices)
