"""Rows of totals in tables, at the foot and further up."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prismae.data import world
from prismae.data.totals import without_totals

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


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        ("who,right,wrong", ["a,1,0", "b,0,1", "c,1,1", "d,0,0", "e,1,0", "Max,1,1"]),  # zeros and ones
        ("who,score", ["a,7", "b,8", "c,4", "d,9", "e,3", "Max,9"]),  # a tie with the best
        (
            "sector,year,money",
            ["a,2020,5", "b,2020,6", "c,2020,3", "d,2020,9", "Media,2020,40"],
        ),  # the same year
        (
            "sector,year,money",
            [*(f"s{i},{2000 + i},{i * i}" for i in range(21)), "Media,2010,7"],
        ),  # the middle one
        (
            "quality,points",
            ["very poor,1", "poor,2", "good,4", "very good,5", "average,3"],
        ),  # levels of a scale
        ("id,answer,x", [*(f"{i},y{i},{i * i}" for i in range(9)), "9,n,4"]),  # as many as rows above
        (
            "firm,return,sign",
            ["a,1,-1", "b,-1,1", "c,1,1", "d,1,0", "e,-1,0", "Total,1,1"],
        ),  # a sum within the range
        ("kind,n", ["Total,1", "a,2", "b,3", "c,5", "Total,11"]),  # one of several of this name
        ("n,k,word", ["0,1,2", "1,1,2", "0,0,2", "1,1,2", "0,1,2", "2,4,"]),  # few that are not 0
        ("zero,k,word", ["0,1,2", "0,2,2", "0,1,2", "0,1,2", "0,1,2", "3,6,"]),  # no sum of zeros
        (
            "step,way,word",
            ["1,-1,2", "-1,-1,3", "1,1,3", "1,1,2", "-1,1,4", "1,1,"],
        ),  # a sum within the range
        ("day,n,word", [*(f"2024-01-0{i},{i},2" for i in range(1, 7)), "2024-01-07,21,"]),  # a day of its own
    ],
)
def test_rows_that_agree_by_chance_stay(names: str, rows: list[str]) -> None:
    table = pd.read_csv(io.StringIO("\n".join([names, *rows])))
    assert len(without_totals(table)[0]) == len(table)


@pytest.mark.parametrize(
    ("name", "numbers", "left"),
    [
        ("Max", lambda x: x.max(), True),
        ("Median", lambda x: x.median(), True),
        ("Count", lambda x: x.count(), True),
        ("Std dev", lambda x: x.std(), True),
        ("Mean", lambda x: x.mean().round(1), True),
        ("Mean", lambda x: x.mean() + 0.2, False),
    ],
)
def test_statistics_other_than_sums(name: str, numbers: Callable[..., pd.Series], left: bool) -> None:
    plain = table()
    row = pd.Series({"region": name, **numbers(plain[["sales", "cost"]])})
    found, said = without_totals(pd.concat([plain, row.to_frame().T], ignore_index=True))
    assert len(found) == N + (not left)
    assert any(f"left out: {name!r}" in each for each in said) == left


@pytest.mark.parametrize("n", [0, 1, 2])
def test_tables_of_no_and_few_rows_are_as_they_were(n: int) -> None:
    assert len(without_totals(table().head(n))[0]) == n


def test_a_firm_called_total_above_the_total_stays() -> None:
    plain = pd.concat([table(), pd.DataFrame([["Total S.A.", 70, 1.0, "a"]], columns=table().columns)])
    row = ["Total", plain["sales"].sum(), plain["cost"].sum(), None]
    found, _ = without_totals(pd.DataFrame([*plain.to_numpy().tolist(), row], columns=plain.columns))
    assert found["region"].tolist() == plain["region"].tolist()


def test_totals_among_the_rows_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sexes = pd.DataFrame({"sex": ["female", "male", "Total"] * 8, "n": rng.normal(size=24)})
    sexes.to_csv(tmp_path / "x.csv", index=False)
    said = (
        "column 'sex': 8 rows are called 'Total': if that is the sum of others, it is trained on beside them"
    )
    assert any(each.startswith(said) for each in world(tmp_path / "x.csv").notices)
