"""Tables become arrays and come back, their scheme survives JSON, and bad columns are named."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import prismae as pr
from prismae.data.columns import understood
from prismae.data.dates import dates_of
from prismae.data.tables import TableScheme
from prismae.data.written import as_numbers
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


def test_no_count_is_below_0_and_no_truth_value_beyond_0_and_1() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "genes": rng.negative_binomial(1, 0.2, 300),
            "visits": rng.poisson(3, 300),
            "ill": rng.integers(0, 2, 300),
            "size": rng.normal(size=300),
        }
    )
    back = TableScheme.fit(table).to_frame([[-9.0] * 4, [0.1] * 4, [9.0] * 4, [np.nan] * 4])
    assert back["genes"][0] == back["visits"][0] == back["ill"][0] == 0
    assert back["size"][0] < 0
    assert back["visits"][1] == pytest.approx(table["visits"].mean() + 0.1 * table["visits"].std(ddof=0))
    assert back["genes"][2] > 20
    assert back["ill"][2] == 1
    assert back.iloc[3].isna().all()


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
    "infinite": (TABLE.assign(length=[np.inf, *range(19)]), "column 'length' is infinite in row 1"),
    "beyond float32": (
        TABLE.assign(length=np.arange(20) * 1e300),
        "column 'length' is beyond 1e+38 in row 2",
    ),
    "a few texts": (
        TABLE.assign(length=[*map(str, range(18)), "n.a.", "?"]),
        "column 'length' holds numbers but for 2 of 20 values ('n.a.', '?'), the first in row 19: say what it is",
    ),
    "mixed": (changed("sex", 9, 3), "column 'sex' mixes types, int and str: expected one"),
    "dates as categories": (
        TABLE.assign(site=pd.Categorical(pd.date_range("2020", periods=2).repeat(10))),
        "column 'site' holds a Timestamp, expected categories that are numbers, texts or truth values",
    ),
    "complex": (
        TABLE.assign(length=1j),
        "column 'length' holds values of type complex128, expected numbers, texts",
    ),
    "lists": (TABLE.assign(length=[[1, 2]] * 20), "column 'length' holds a list, expected numbers, texts"),
    "nothing varies": (
        TABLE[["sex"]].assign(sex="F", number=range(20)),
        "no column to train on ('sex' is always F: kept as it is, not trained on; 'number' is 0 to 19, as the rows",
    ),
    "all at once": (
        changed("sex", 9, 3).assign(length=np.inf),
        "column 'length' is infinite in row 1, expected finite numbers: mend them, say that they are missing "
        "(--missing inf,-inf), or drop it (--drop 'length'); column 'sex' mixes",
    ),
    "one row": (TABLE[:1], " has one row, expected at least two to learn from."),
    "no rows": (TABLE[:0], " has 0 rows and 5 columns, expected some of each."),
    "twice": (TABLE[["sex", "sex"]], " has 'sex' twice, expected different names."),
    "numbers as names": (
        TABLE.set_axis(range(5), axis=1),
        " has the columns 0, 1, 2, 3, 4, expected texts as names",
    ),
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
        "fish.csv: column 'sex' has the value 'X' in row 3, expected one of F, I, M (handle_unknown",
    ),
    "text for numbers": (TABLE.assign(rings="many"), "fish.csv: column 'rings' holds no numbers, expected"),
    "two faults": (
        changed("sex", 2, "X").assign(rings="many"),
        "column 'rings' holds no numbers, expected numbers as in the fit; column 'sex' has the value 'X'",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_rows_that_do_not_fit_the_scheme_get_one_sentence(case: str) -> None:
    table, sentence = BAD_ROWS[case]
    with pytest.raises(InputError, match=re.escape(sentence)):
        TableScheme.fit(TABLE).to_array(table, name="fish.csv")


def test_missing_values_are_nan_in_the_array_and_missing_when_they_come_back() -> None:
    table = TABLE.assign(
        length=TABLE["length"].where(TABLE.index != 3), sex=TABLE["sex"].where(TABLE.index != 5)
    )
    scheme = TableScheme.fit(table)
    x = scheme.to_array(table)
    seen = table["length"].dropna()
    np.testing.assert_allclose(np.delete(x[:, 0], 3), (seen - seen.mean()) / seen.std(ddof=0), rtol=1e-5)
    assert np.argwhere(np.isnan(x)).tolist() == [[3, 0], [5, 2], [5, 3], [5, 4]]
    assert scheme.lacks(x) == (0, 2)
    back = scheme.to_frame(x)
    assert back.isna().to_numpy().tolist() == table.isna().to_numpy().tolist()


def test_constant_columns_are_no_part_of_the_array_and_come_back() -> None:
    table = TABLE.assign(unit="cm", scale=2.5)
    scheme = TableScheme.fit(table)
    assert scheme.feature_names == TableScheme.fit(TABLE).feature_names
    back = scheme.to_frame(scheme.to_array(table.drop(columns="unit")))
    assert list(back.columns) == list(table.columns)
    assert (back["unit"] == "cm").all()
    assert (back["scale"] == 2.5).all()


def test_a_category_that_is_called_like_a_column_gets_a_name_of_its_own() -> None:
    table = pd.DataFrame({"sex": ["m", "f", "m"], "sex_m": [1.0, 2.0, 4.0]})
    assert TableScheme.fit(table).feature_names == ("sex_m", "sex_f", "sex__m")


@pytest.mark.parametrize("power", [-200, 30])
def test_numbers_whose_squares_leave_the_range_are_scaled(power: int) -> None:
    x = np.array([1.0, 2.0, 4.0, 7.0])
    found = TableScheme.fit(pd.DataFrame({"x": x * 10.0**power})).to_array(
        pd.DataFrame({"x": x * 10.0**power})
    )
    np.testing.assert_allclose(found[:, 0], StandardScaler().fit_transform(x[:, None])[:, 0], rtol=1e-6)


WRITTEN: dict[str, tuple[list[Any], list[float]]] = {
    "text": (["1", "2.5", "-3"], [1, 2.5, -3]),
    "thousands": (["1,234.50", "12", "-1,000,000"], [1234.5, 12, -1e6]),
    "money": (["$1,234.50", "$12", "$3"], [1234.5, 12, 3]),
    "accounts": (["($1,234.50)", "$12", "€ 3"], [-1234.5, 12, 3]),
    "spaces": (["1 234.5", "12\u00a0000", "-3\u202f000"], [1234.5, 12e3, -3e3]),
    "marks": (["1'234.5", "12’000", "3"], [1234.5, 12e3, 3]),
    "minus": (["−1.5", "2", "−3"], [-1.5, 2, -3]),
    "Fortran": (["1.5D+01", "-2.0D-01", "3.0D+00"], [15, -0.2, 3]),
    "comma": (["12,5", "1.234,25", "3"], [12.5, 1234.25, 3]),
    "comma, spaces": (["12 345,5", "1 234,25", "3"], [12345.5, 1234.25, 3]),
    "units": ([f"{i / 2} mm" for i in range(12)], [i / 2 for i in range(12)]),
    "euros": ([f"1.{i:03},50 €" for i in range(12)], [1000.5 + i for i in range(12)]),
    "clock": ([f"{i}:15" for i in range(12)], [i + 0.25 for i in range(12)]),
    "seconds": (
        [f"0:{i}0:36" for i in range(6)] * 2 + [f"1:0{i}:36" for i in range(6)],
        [*[i / 6 + 0.01 for i in range(6)] * 2, *[1 + i / 60 + 0.01 for i in range(6)]],
    ),
    "half days": (
        [f"{i or 12}:30 {half}" for half in ("AM", "PM") for i in range(12)],
        [i + 0.5 for i in range(24)],
    ),
    "percent": (["12%", "3.5 %", "7%"], [12, 3.5, 7]),
    "ISO": (["1970-01-02", "1970-01-03", "1969-12-31"], [1, 2, -1]),
    "date": (["31/01/1970", "01/02/1970", "02/02/1970"], [30, 31, 32]),
    "a zone": (["1970-01-02 00:00 UTC", "1970-01-03 12:00 UTC", "1969-12-31 00:00 UTC"], [1, 2.5, -1]),
    "half days of dates": (
        ["31/01/1970 6:00 PM", "01/02/1970 12:00 AM", "02/02/1970 12:00 PM"],
        [30.75, 31, 32.5],
    ),
    "American": (["1/31/1970", "2/1/1970", "2/2/1970"], [30, 31, 32]),
    "Timestamp": (
        [pd.Timestamp("1970-01-02"), pd.Timestamp("1970-01-03"), pd.Timestamp("1971-01-01")],
        [1, 2, 365],
    ),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_numbers_are_read_however_they_are_written(case: str) -> None:
    texts, numbers = WRITTEN[case]
    scheme = TableScheme.fit(pd.DataFrame({"x": texts}))
    x = scheme.to_array(pd.DataFrame({"x": texts}))
    np.testing.assert_allclose(
        x, StandardScaler().fit_transform(np.array(numbers)[:, None]), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(scheme.to_array(pd.DataFrame({"x": texts[:1]})), x[:1])
    again = TableScheme.from_json(json.loads(json.dumps(scheme.to_json())))
    assert again == scheme


HOURS = pd.date_range("2020-03-28", periods=60, freq="h", tz="Europe/Berlin")[
    np.random.default_rng(0).permutation(60)
]
WITH_A_ZONE: dict[str, tuple[Any, str]] = {
    "its own": (HOURS, "Europe/Berlin"),
    "so far from UTC": (HOURS.tz_convert("+05:30"), "UTC+05:30"),
    "Python's own times": (pd.Series(HOURS.to_pydatetime(), dtype=object), "Europe/Berlin"),
    "several": ([t if i % 2 else t.tz_convert("Asia/Tokyo") for i, t in enumerate(HOURS)], "UTC"),
    "texts that say it": ([each.isoformat() for each in HOURS], "UTC"),
    "texts with a Z": ([f"{each:%Y-%m-%d %H:%M}Z" for each in HOURS.tz_convert("UTC")], "UTC"),
    "texts that do not": ([f"{each:%d-%m-%Y}" for each in HOURS], ""),
}


@pytest.mark.parametrize("case", WITH_A_ZONE)
def test_times_come_back_in_the_zone_that_they_had(case: str) -> None:
    values, zone = WITH_A_ZONE[case]
    table = pd.DataFrame({"when": values})
    scheme = TableScheme.fit(table)
    scheme = TableScheme.from_json(json.loads(json.dumps(scheme.to_json())))
    again = scheme.to_frame(scheme.to_array(table))["when"]
    assert str(getattr(again.dtype, "tz", "")) == zone
    if zone:
        for bare in (HOURS.tz_localize(None), [f"{each:%Y-%m-%d %H:%M}" for each in HOURS]):
            with pytest.raises(InputError, match="column 'when' has times without a time zone, expected one"):
                scheme.to_array(pd.DataFrame({"when": bare}))
        gap = again - pd.Series(HOURS)
        assert gap.abs().max() <= pd.Timedelta(1, "s")


def test_a_zone_that_a_system_does_not_know_is_named() -> None:
    with pytest.raises(InputError, match=r"'Mars/Olympus' is not known here: pip install tzdata"):
        dates_of(np.zeros(2), "Mars/Olympus")


def test_times_with_and_without_a_zone_do_not_stand_in_one_column() -> None:
    mixed = [each if i % 2 else each.tz_localize(None) for i, each in enumerate(HOURS)]
    with pytest.raises(InputError, match="column 'when' has times with a time zone and times without"):
        TableScheme.fit(pd.DataFrame({"when": mixed}))


ROLES: dict[str, tuple[Any, str]] = {
    "counts": ([0, 0, 3, 1, 0, 9, 2, 0, 0, 1, 0, 4], "numbers 0 to 9, counts"),
    "answers": ([0, 0, 3, 1, 0, 9, 9, 0, 0, 9, 0, 4], "numbers 0 to 9, whole"),
    "truth": ([0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1], "numbers 0 to 1, truth values"),
    "grades": ([1, 2, 3, 1, 2, 3, 3, 2, 1, 1, 2, 3], "3 different (--categorical if they are codes)"),
    "rows": (range(1, 13), "1 to 12, as the rows follow: their numbers"),
    "names": ([f"person {i}" for i in range(12)], "another text in every row: names"),
    "almost names": ([f"person {i % 11}" for i in range(12)], "11 different texts in 12 rows: names"),
    "zip codes": ([f"0{i % 3}100" for i in range(12)], "3 categories: 00100 (4), 01100 (4), 02100 (4)"),
    "empty": ([None] * 12, "no values"),
    "constant": ([5] * 11 + [None], "always 5, 1 of 12 missing"),
    "sentinel": ([1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, -999, -999], "numbers -999 to 10"),
    "time": (pd.date_range("2020", periods=12), "dates, 2020-01-01 to 2020-01-12, one after the other"),
}


@pytest.mark.parametrize("case", ROLES)
def test_what_a_column_is_taken_for_is_said(case: str) -> None:
    values, said = ROLES[case]
    column = understood(pd.Series(values), "x")
    assert said in column.said
    if case == "sentinel":
        assert column.notice == (
            "column 'x' is -999 in 2 rows and else from 1.5 to 10: if that stands for a missing value, say so "
            "(--missing -999)"
        )


RNG = np.random.default_rng(2)
COUNTED = pd.DataFrame(RNG.poisson(RNG.gamma(2.0, 1.0, (300, 8))), columns=list("abcdefgh"))


@pytest.mark.parametrize(
    ("table", "likelihood"),
    [
        (COUNTED, "columns"),
        (COUNTED.assign(weight=RNG.normal(size=300)), "columns"),
        (COUNTED.assign(**{name: RNG.normal(size=300) for name in "xyz"}), "gaussian-learned"),
        (COUNTED.assign(kind=RNG.choice(["one", "other"], 300)), "gaussian-learned"),
        (COUNTED.clip(upper=2), "gaussian-learned"),
        (COUNTED.to_numpy(), "gaussian-learned"),
    ],
    ids=["counts", "counts and a number", "as many numbers", "a category", "grades of 0 to 2", "an array"],
)
def test_a_table_of_counts_is_modelled_as_counts(table: Any, likelihood: str) -> None:
    world = pr.world(table)
    assert world.kind.default_likelihood(world.summary) == likelihood


def test_measurements_without_a_name_are_told_of() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    for named, said in ((x[:, 0], True), (np.sort(x[:, 0]), False), (np.arange(60)[::-1], False)):
        world = pr.world(pd.DataFrame({"": named, "b": x[:, 0], "c": x[:, 1]}))
        assert world.shape == (2,)
        assert any("the column without a name holds numbers" in each for each in world.notices) == said


def test_a_user_says_what_a_column_is() -> None:
    assert understood(pd.Series([1, 2, 3, 1]), "x", asked="categorical").role == "category"
    assert understood(pd.Series(range(12)), "x", asked="numeric").role == "number"
    assert understood(pd.Series([f"a{i}" for i in range(12)]), "x", asked="categorical").role == "category"
    numbers = understood(pd.Series(["1", "2", "<0.1"]), "x", asked="numeric")
    assert np.isnan(numbers.values).tolist() == [False, False, True]
    assert "missing: '<0.1'" in numbers.said


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,5", "2,5", "n. d.", "3,25"], [1.5, 2.5, np.nan, 3.25]),
        (["1,200", "2,500.5", "unknown", "12"], [1200, 2500.5, np.nan, 12]),
        (["10%", "20 %", "-", "5%"], [10, 20, np.nan, 5]),
    ],
)
def test_a_stray_text_among_numbers_of_any_writing_is_named_and_may_be_missing(texts, values):
    with pytest.raises(InputError, match=f"holds numbers but for 1 of 4 values .{texts[2]!r}.*row 3"):
        understood(pd.Series(texts), "x")
    asked = understood(pd.Series(texts), "x", asked="numeric")
    np.testing.assert_array_equal(asked.values, values)
    np.testing.assert_array_equal(
        as_numbers(pd.Series(["odd", texts[0]]), asked.written), [np.nan, values[0]]
    )


@pytest.mark.parametrize(
    "texts", [["1.5", "2,5", "3.5", "4,5"], ["1,234.5", "2.345,5", "1.5"], ["5%", "7", "9"]]
)
def test_numbers_that_are_written_in_several_ways_are_refused(texts: list[str]) -> None:
    with pytest.raises(
        InputError, match=r"written in several ways, such as .* write them in one, or say what they are"
    ):
        understood(pd.Series(texts), "x")


@pytest.mark.parametrize(
    "texts", [["2 doors", "4 doors"], ["10+ years", "2 years", "< 1 year"], ["16:9", "4:30"]]
)
def test_few_texts_with_units_stay_categories(texts: list[str]) -> None:
    assert understood(pd.Series(texts * 6), "x").role == "category"


def test_an_array_of_another_width() -> None:
    with pytest.raises(InputError, match=re.escape("The array has shape (2, 4), expected [n, 9].")):
        TableScheme.fit(TABLE).to_frame(np.ones((2, 4)))


def test_texts_of_which_some_look_like_times_are_texts() -> None:
    assert understood(pd.Series([f"{i}:{5 * i:02}" for i in range(12)] + ["1:5"]), "x").role == "rows"


@pytest.mark.parametrize("first", ["1066-10-14", "9999-12-31"])
@pytest.mark.parametrize("sort", ["texts", "dates", "datetimes"])
def test_dates_beyond_the_years_of_nanoseconds(first: str, sort: str) -> None:
    """As 9999-12-31, which often says that there is no end."""
    if sort == "texts" and int(pd.__version__.split(".")[0]) < 3:
        pytest.skip("pandas 2 reads texts as dates in nanoseconds only, so these stay texts")
    texts = pd.Series([first, "2020-01-31", "1999-12-31", first] * 5)
    dates = texts.map(datetime.date.fromisoformat)
    table = pd.DataFrame(
        {
            "x": np.arange(20.0) ** 2,
            "end": {"texts": texts, "dates": dates}.get(sort, texts.to_numpy(dtype="datetime64[s]")),
        }
    )
    scheme = TableScheme.fit(table)
    back = scheme.to_frame(scheme.to_array(table))
    assert back["end"].dt.round("D").dt.strftime("%Y-%m-%d").tolist() == texts.tolist()


@pytest.mark.parametrize("values", [pd.to_datetime(["2020-01-31"] * 9), pd.to_timedelta(["36h"] * 9)])
def test_constant_dates_and_durations_come_back_as_such(values: pd.Index) -> None:
    table = pd.DataFrame({"x": np.arange(9.0) ** 2, "at": values})
    scheme = TableScheme.from_json(TableScheme.fit(table).to_json())
    back = scheme.to_frame(scheme.to_array(table))
    assert (back["at"] == table["at"]).all()


def test_types_of_arrow_are_read_as_those_of_numpy(tmp_path: Path) -> None:
    plain = pd.DataFrame(
        {
            "x": np.arange(20.0) ** 2,
            "kind": pd.Categorical(list("ab") * 10),
            "day": pd.to_datetime([f"2020-01-{1 + i * 7 % 20:02}" for i in range(20)]),
            "lasts": pd.to_timedelta([i * 3 % 8 for i in range(20)], unit="h"),
        },
        index=[f"r{i}" for i in range(20)],
    )
    types = {
        "kind": pa.dictionary(pa.int32(), pa.string()),
        "day": pa.timestamp("us"),
        "lasts": pa.duration("s"),
    }
    table = plain.assign(
        **{name: pd.array(plain[name], dtype=pd.ArrowDtype(kind)) for name, kind in types.items()}
    )
    table.to_parquet(tmp_path / "x.parquet")
    for source in (table, tmp_path / "x.parquet"):
        made, expected = pr.world(source), pr.world(plain)
        rows = torch.arange(20)
        np.testing.assert_array_equal(made.data[rows].numpy(), expected.data[rows].numpy())
        assert made.columns == expected.columns
        assert made.called.tolist() == plain.index.tolist()
