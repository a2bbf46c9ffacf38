"""Tables become arrays and come back, their scheme survives JSON, and bad columns are named."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from prismae.data.tables import TableScheme
from prismae.errors import InputError

rng = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "length": rng.normal(30, 5, size=20),
        "sex": rng.choice(["F", "I", "M"], size=20),
        "rings": rng.integers(1, 30, size=20),
        "wild": rng.integers(0, 2, size=20).astype(bool),
        "site": pd.Categorical(rng.choice([3, 7], size=20)),
    }
)


def test_numbers_are_scaled_and_categories_one_hot_as_scikit_learn_does_it() -> None:
    scheme = TableScheme.fit(TABLE)
    x = scheme.to_array(TABLE)
    assert x.dtype == np.float32
    numbers = StandardScaler().fit_transform(TABLE[["length", "rings"]].astype(float))
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(TABLE[["sex", "wild", "site"]].astype(object))
    np.testing.assert_array_equal(x, np.hstack([numbers, one_hot]).astype(np.float32))
    names = ("length", "rings", "sex_F", "sex_I", "sex_M", "wild_False", "wild_True", "site_3", "site_7")
    assert scheme.feature_names == names


def test_there_and_back() -> None:
    scheme = TableScheme.fit(TABLE)
    back = scheme.to_frame(scheme.to_array(TABLE))
    assert list(back.columns) == list(TABLE.columns)
    np.testing.assert_allclose(back[["length", "rings"]], TABLE[["length", "rings"]], rtol=1e-5)
    for column in ("sex", "wild", "site"):
        assert back[column].tolist() == TABLE[column].tolist()


def test_a_reconstruction_gets_the_nearest_category() -> None:
    scheme = TableScheme.fit(pd.DataFrame({"colour": ["red", "blue", "red"]}))
    assert scheme.to_frame([[0.2, 0.3], [0.9, 0.8]])["colour"].tolist() == ["red", "blue"]


@pytest.mark.parametrize("columns", [["length", "rings"], ["sex", "wild"], list(TABLE.columns)])
def test_the_scheme_survives_json_to_the_bit(columns: list[str]) -> None:
    table = TABLE[columns]
    scheme = TableScheme.fit(table)
    again = TableScheme.from_json(json.loads(json.dumps(scheme.to_json())))
    assert again == scheme
    np.testing.assert_array_equal(again.to_array(table), scheme.to_array(table))
    assert again.feature_names == scheme.feature_names


def test_the_order_of_columns_does_not_matter_later_on() -> None:
    scheme = TableScheme.fit(TABLE)
    np.testing.assert_array_equal(scheme.to_array(TABLE[TABLE.columns[::-1]]), scheme.to_array(TABLE))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.sampled_from("abc")), min_size=2, max_size=20))
def test_any_varying_table_comes_back(rows: list[tuple[float, str]]) -> None:
    table = pd.DataFrame(rows, columns=["x", "y"])
    if (table.nunique() < 2).any() or table["y"].nunique() == len(table) > 2:
        return
    scheme = TableScheme.fit(table)
    back = scheme.to_frame(scheme.to_array(table))
    assert back["y"].tolist() == table["y"].tolist()
    np.testing.assert_allclose(back["x"], table["x"], atol=1e-5 * np.ptp(table["x"]))


def changed(column: str, row: int, value: Any) -> pd.DataFrame:
    table = TABLE.astype({column: object})
    table.loc[row, column] = value
    return table


BAD_TABLES: dict[str, tuple[pd.DataFrame, str]] = {
    "missing": (
        changed("length", 4, None),
        "column 'length' lacks a value, the first in row 5: expected none missing",
    ),
    "missing text": (changed("sex", 0, np.nan), "column 'sex' lacks a value, the first in row 1"),
    "infinite": (TABLE.assign(length=[np.inf, *range(19)]), "column 'length' is infinite in row 1"),
    "beyond float32": (TABLE.assign(length=np.arange(20) * 1e300), "column 'length' is infinite in row 2"),
    "a few texts": (
        TABLE.assign(length=[*map(str, range(18)), "n.a.", "?"]),
        "column 'length' holds numbers but for 2 of 20 values, the first 'n.a.' in row 19: expected only",
    ),
    "mixed": (changed("sex", 9, 3), "column 'sex' mixes types, str in row 1 and int in row 10"),
    "constant": (TABLE.assign(wild=True), "column 'wild' is constant (True): expected every column to vary"),
    "constant number": (TABLE.assign(length=2.5), "column 'length' is constant (2.5)"),
    "names": (
        TABLE.assign(sex=[f"fish {i}" for i in range(20)]),
        "column 'sex' has 20 different values in 20 rows, expected categories (at most 1000)",
    ),
    "dates": (
        TABLE.assign(length=pd.date_range("2020", periods=20)),
        "column 'length' holds values of type datetime64[",
    ),
    "dates as categories": (
        TABLE.assign(site=pd.Categorical(pd.date_range("2020", periods=2).repeat(10))),
        "column 'site' holds a Timestamp in row 1, expected numbers, texts or truth values.",
    ),
    "one row": (TABLE[:1], " has one row, expected at least two to learn from."),
    "no rows": (TABLE[:0], " has 0 rows and 5 columns, expected some of each."),
    "twice": (TABLE[["sex", "sex"]], " has the columns sex, sex, expected different texts as names."),
    "numbers as names": (TABLE.set_axis(range(5), axis=1), " has the columns 0, 1, 2, 3, 4, expected"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_get_one_sentence(case: str) -> None:
    table, sentence = BAD_TABLES[case]
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        TableScheme.fit(table, name="fish.csv")
    assert str(caught.value).startswith("fish.csv")


BAD_ROWS: dict[str, tuple[pd.DataFrame, str]] = {
    "column missing": (
        TABLE.drop(columns="sex"),
        "fish.csv lacks the column 'sex', expected the columns length",
    ),
    "column too many": (
        TABLE.assign(age=1),
        "fish.csv has the column 'age', expected the columns length, sex",
    ),
    "unknown category": (
        changed("sex", 2, "X"),
        "fish.csv: column 'sex' has the value 'X' in row 3, expected one of F, I, M.",
    ),
    "text for numbers": (TABLE.assign(rings="many"), "fish.csv: column 'rings' holds no numbers, expected"),
    "missing": (changed("wild", 2, None), "fish.csv: column 'wild' lacks a value, the first in row 3"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_rows_that_do_not_fit_the_scheme_get_one_sentence(case: str) -> None:
    table, sentence = BAD_ROWS[case]
    with pytest.raises(InputError, match=re.escape(sentence)):
        TableScheme.fit(TABLE).to_array(table, name="fish.csv")


def test_an_array_of_another_width() -> None:
    with pytest.raises(InputError, match=re.escape("The array has shape (2, 4), expected [n, 9].")):
        TableScheme.fit(TABLE).to_frame(np.ones((2, 4)))
