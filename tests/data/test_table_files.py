"""Tables in files as people have them: every form is read as the plain table is, and what was understood is said."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import gzip
import re
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from plain_table import PLAIN, N, values

import prismae as pr
from prismae.data import Table, world
from prismae.errors import InputError
from prismae.runs.job import Job
from prismae.runs.observations import new_observations, observations

RNG = np.random.default_rng(1)
NAMES = [f"fish {i}" for i in range(N)]


def csv(**options: Any) -> bytes:
    return PLAIN.to_csv(index=False, **options).encode()


def r_table() -> bytes:
    """What R's write.table writes: the names of rows have no name."""
    return PLAIN.set_axis(NAMES).to_csv(sep=" ", header=list(PLAIN), index_label=False, quoting=2).encode()


FORMS: dict[str, tuple[str, bytes]] = {
    "plain": ("x.csv", csv()),
    "capitals": ("X.CSV", csv()),
    "tabs": ("x.tsv", csv(sep="\t")),
    "tabs in csv": ("x.csv", csv(sep="\t")),
    "semicolons and decimal commas": ("x.csv", csv(sep=";", decimal=",")),
    "bars": ("x.csv", csv(sep="|")),
    "packed": ("x.csv.gz", gzip.compress(csv())),
    "packed tabs": ("x.tsv.gz", gzip.compress(csv(sep="\t"))),
    "a byte order mark": ("x.csv", b"\xef\xbb\xbf" + csv()),
    "UTF-16": ("x.csv", PLAIN.to_csv(index=False).encode("utf-16")),
    "Windows": ("x.csv", csv(lineterminator="\r\n")),
    "old Macintosh": ("x.csv", csv(lineterminator="\r")),
    "numbers of rows, by pandas": ("x.csv", PLAIN.to_csv().encode()),
    "numbers of rows, by R": ("x.csv", PLAIN.set_axis(range(1, N + 1)).to_csv().encode()),
    "names of rows": ("x.csv", PLAIN.set_axis(NAMES).to_csv().encode()),
    "names of rows without a name": ("x.csv", r_table()),
    "UTF-16 without a mark": ("x.csv", PLAIN.to_csv(index=False).encode("utf-16-le")),
    "UTF-16 without a mark, the other way": ("x.csv", PLAIN.to_csv(index=False).encode("utf-16-be")),
    "UTF-32": ("x.csv", PLAIN.to_csv(index=False).encode("utf-32")),
    "a line for Excel": ("x.csv", b"sep=;\r\n" + csv(sep=";", lineterminator="\r\n")),
    "comments above": ("x.csv", b"# made by hand\n# in 2020, twice\n" + csv()),
    "names behind a mark": ("x.csv", b"#" + csv()),
    "titles above": ("x.csv", b"Fish of the year\n\n" + csv()),
    "titles above semicolons": ("x.csv", b"Fish, of the year\n" + csv(sep=";")),
    "names of groups above": ("x.csv", b"body,,fish\n" + csv()),
    "units below the names": ("x.csv", csv().replace(b"\n", b"\ncm,[1],\n".replace(b"[1]", b"n"), 1)),
    "a separator behind each row": (
        "x.csv",
        b"\n".join(each + b"," * (i > 0) for i, each in enumerate(csv().split())),
    ),
    "a separator behind each line": ("x.csv", csv().replace(b"\n", b",\n")),
    "spaces around the values": ("x.csv", csv().replace(b",", b" ,  ").replace(b"\n", b" \n")),
    "empty lines": ("x.csv", b"\n\n" + csv().replace(b"\n", b"\n\n")),
    "an id": ("x.csv", PLAIN.assign(id=range(1, N + 1)).to_csv(index=False).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_the_plain_table(tmp_path: Path, form: str) -> None:
    name, content = FORMS[form]
    (tmp_path / name).write_bytes(content)
    made, plain = world(tmp_path / name), world(PLAIN)
    np.testing.assert_allclose(values(made), values(plain), atol=1e-6)
    assert made.kind.element_names == plain.kind.element_names
    assert any("length: numbers" in line for line in made.columns)


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "X.PARQUET"])
def test_binary_tables_keep_their_index(tmp_path: Path, name: str) -> None:
    table = PLAIN.set_axis(NAMES)
    table.to_feather(tmp_path / name) if "feather" in name else table.to_parquet(tmp_path / name)
    made = world(tmp_path / name)
    np.testing.assert_array_equal(values(made), values(world(PLAIN)))
    assert made.called.tolist() == NAMES


@pytest.mark.parametrize(
    ("d", "net"), [(99, "mlp:width=256"), (4096, "mlp"), (5000, "mlp:width=512"), (20_000, "mlp:width=128")]
)
def test_wide_tables_have_narrow_networks(d: int, net: str) -> None:
    assert Table().default_net((d,)) == net


def test_all_unknown_columns_are_named_at_once(tmp_path: Path) -> None:
    PLAIN.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(
        InputError,
        match=re.escape(
            "Unknown column of x.csv: 'nope', 'zz', 'rinks' (did you mean 'rings'?); expected some of"
        ),
    ):
        world(tmp_path / "x.csv", drop="nope", numeric="zz", index="rinks")


def test_names_that_differ_by_spaces_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a, a,b \n1,2,M\n3,5,M \n4,3, F\n")
    made = world(tmp_path / "x.csv")
    assert made.kind.element_names == ("a", "a.1", "b_F", "b_M")


@pytest.mark.parametrize("stream", [False, True])
def test_files_of_arrow(tmp_path: Path, stream: bool) -> None:
    whole = pa.Table.from_pandas(PLAIN)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as file, new(file, whole.schema) as writer:
        writer.write_table(whole)
    np.testing.assert_array_equal(values(world(tmp_path / "x.arrow")), values(world(PLAIN)))


def test_types_of_parquet(tmp_path: Path) -> None:
    rows = [
        (Decimal("1.50"), time(12, 30), timedelta(hours=6)),
        (Decimal("-2.25"), time(0, 45), timedelta(days=2)),
    ]
    table = pd.DataFrame(rows * 6, columns=["decimal", "time", "duration"])
    table["time"] = pd.Series([time(i, 30) for i in range(12)], dtype=object)
    table.to_parquet(tmp_path / "x.parquet")
    scaling = world(tmp_path / "x.parquet").kind.scheme.scaling
    assert scaling["decimal"] == pytest.approx((-0.375, 1.875))
    assert scaling["duration"] == pytest.approx((1.125, 0.875))  # days
    assert scaling["time"] == pytest.approx((6.0, np.std(np.arange(12))))  # hours


@pytest.mark.parametrize("form", ["names of rows", "names of rows without a name"])
def test_names_of_rows_are_kept(tmp_path: Path, form: str) -> None:
    (tmp_path / "x.csv").write_bytes(FORMS[form][1])
    made = world(tmp_path / "x.csv")
    assert made.called.tolist() == NAMES
    kept, held = made.split(0.25)
    assert {*kept.called, *held.called} == {*NAMES}


def test_a_column_of_texts_or_the_one_asked_for_names_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    PLAIN.assign(fish=NAMES, tag=[f"t{i}" for i in range(N)]).to_csv(path, index=False)
    made = world(path)
    assert made.called[:2].tolist() == ["fish 0", "fish 1"]
    assert "fish: names of the rows" in made.columns
    assert "column 'tag' holds another text in every row, taken for names and left out" in made.notices[0]
    asked = world(path, index="tag")
    assert asked.called[:2].tolist() == ["t0", "t1"]
    np.testing.assert_array_equal(values(asked), values(made))
    with pytest.raises(InputError, match=r"Unknown column of x\.csv 'tags': did you mean 'tag'"):
        world(path, index="tags")


def test_columns_are_what_the_user_says(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    PLAIN.assign(note="none", grade=[1, 2] * (N // 2), mixed=["<1", *range(N - 1)]).to_csv(path, index=False)
    with pytest.raises(InputError, match="column 'mixed' holds numbers but for 1 of 24 values") as refused:
        world(path)
    for option in ("--numeric 'mixed'", "--categorical 'mixed'", "--drop 'mixed'"):
        assert option in str(refused.value)
    made = world(path, categorical=["grade"], numeric="mixed", drop=["sex", "note"], missing=["none"])
    assert made.kind.scheme.columns == ("length", "rings", "grade", "mixed")
    assert made.kind.element_names == ("length", "rings", "mixed", "grade_1", "grade_2")
    assert made.kind.lacking == (2,)
    with pytest.raises(InputError, match=r"Unknown column of x\.csv 'grades'"):
        world(path, categorical=["grades"])


def test_what_stands_for_missing_is_said_and_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    PLAIN.assign(country=["NA", "DE", "FR"] * (N // 3), depth=[-999.0, -999.0, *RNG.random(N - 2)]).to_csv(
        path, index=False
    )
    made = world(path)
    assert (
        f"column 'country': NA in {N // 3} rows taken for missing (--missing '' if that is a value)"
        in made.notices
    )
    assert any("column 'depth' is -999 in 2 rows" in each for each in made.notices)
    assert "country: 2 categories: DE (8), FR (8), 8 of 24 missing" in made.columns
    known = world(path, missing=["-999", ""])
    assert known.kind.scheme.categories["country"] == ("DE", "FR", "NA")
    assert int(np.isnan(values(known)).sum()) == 2
    assert known.notices == ("2 values are missing, in 'depth'",)
    both = world(path, missing=["-999", "DE"])  # beside the usual ones
    assert both.kind.scheme.constants == {"country": "FR"}


@pytest.mark.parametrize("where", ["csv", "parquet", "xlsx", "memory"])
def test_what_stands_for_missing_is_a_number_or_a_text_in_every_kind_of_table(
    tmp_path: Path, where: str
) -> None:
    table = PLAIN.assign(
        whole=[-999, *range(5, 4 + N)][::-1],
        decimal=[-999.0, *np.arange(N - 1) / 7],
        text=["none", *"xyz" * 7, "x", "y"],
    )
    path = tmp_path / f"x.{where}"
    if where != "memory":
        {"csv": table.to_csv, "parquet": table.to_parquet, "xlsx": table.to_excel}[where](path, index=False)
    made = world(table if where == "memory" else path, missing=["-999", "none"])
    lacks = table.replace({"whole": {-999: None}, "decimal": {-999.0: None}, "text": {"none": None}})
    np.testing.assert_allclose(values(made), values(world(lacks)), atol=1e-6)
    assert made.notices == ("3 values are missing, in 'whole', 'decimal', 'text'",)


def test_a_file_without_names_is_read_as_data_and_years_are_names(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    PLAIN.to_csv(path, index=False, header=False)
    made = world(path)
    np.testing.assert_array_equal(values(made), values(world(PLAIN)))
    assert (
        "the first line holds numbers, so it is read as data and the columns are called 'column 1'"
        in made.notices[0]
    )
    PLAIN[["length", "rings", "length"]].set_axis(["1990", "1991", "1992"], axis=1).to_csv(path, index=False)
    assert world(path).kind.columns == ("1990", "1991", "1992")
    np.savetxt(tmp_path / "mat.txt", RNG.random((20, 4)))
    assert world(tmp_path / "mat.txt").shape == (4,)


def test_names_that_stand_twice_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b,a\n1,2,5\n3,1,2\n4,4,4\n")
    made = world(tmp_path / "x.csv")
    assert made.kind.columns == ("a", "b", "a.1")
    assert made.notices == ("'a' stands twice in the line of names: told apart by .1",)


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty."),
    "a longer row": (b"a,b\n1,2\n3,4,5\n6,7\n", "(line 3 has 3 values, the lines before 2): --sep says"),
    "no text": (b"a\n\xff\xfe\0", "is no text, expected a table with commas"),
    "one row": (b"a,b\n1,2\n", "bad.csv has one row, expected at least two"),
    "only names": (b"a,b\n", "bad.csv has 0 rows and 2 columns, expected some of each."),
    "no gzip": (b"\x1f\x8b000", "bad.csv"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_get_one_sentence(tmp_path: Path, case: str) -> None:
    content, sentence = BAD[case]
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(sentence)):
        world(tmp_path / "bad.csv")


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("x.npy", {"drop": ["a"]}, "x.npy is no table, so drop cannot be given"),
        ("x.csv", {"series": "channels-first"}, "x.csv is a table, which has no channels first or last"),
        (
            "x.parquet",
            {"sep": ";"},
            "x.parquet is no text, so nothing stands between its columns: leave out sep.",
        ),
    ],
)
def test_settings_that_are_for_other_data(
    tmp_path: Path, name: str, options: dict[str, Any], sentence: str
) -> None:
    np.save(tmp_path / "x.npy", RNG.random((5, 2)))
    PLAIN.to_csv(tmp_path / "x.csv", index=False)
    PLAIN.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=re.escape(sentence)):
        world(tmp_path / name, **options)


def test_new_rows_are_read_as_the_job_read_its_own(tmp_path: Path) -> None:
    table = PLAIN.assign(fish=NAMES, price=[f"{i},{i % 9}00.5" for i in range(1, N + 1)], note="x")
    table.to_csv(tmp_path / "x.csv", index=False)
    job = {
        "method": "vae",
        "world": str(tmp_path / "x.csv"),
        "index": "fish",
        "drop": ("note",),
        "numeric": ("price",),
    }
    assert (
        Job("vae", "x.csv").id
        == Job("vae", "x.csv", drop=(), sep=None, index=None).id
        != Job("vae", "x.csv", sep=";").id
    )
    data = observations(job)
    assert data.kind.columns == ("length", "rings", "sex", "price")
    about = job | data.kind.to_json()
    for rows in (table[:1], table[3:5].drop(columns="note"), table[::-1]):
        rows.to_csv(tmp_path / "new.csv", index=False)
        new = new_observations(str(tmp_path / "new.csv"), about)
        np.testing.assert_array_equal(values(new), values(data)[[NAMES.index(each) for each in rows["fish"]]])
        assert new.called.tolist() == rows["fish"].tolist()


def test_arrays_with_constant_columns_are_trained_on() -> None:
    from sklearn.datasets import load_digits

    x = load_digits().data[:100]
    model = pr.Autoencoder("vae", n_latents=2, net="mlp:width=8", steps=3).fit(x)
    back = model.inverse_transform(model.transform(x[:9]))
    assert (back[:, [0, 32, 39]] == 0).all()


def test_the_index_of_a_table_is_told_and_its_levels_can_be_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    PLAIN.assign(tank=[f"t{i % 3}" for i in range(N)], day=[i % 5 for i in range(N)]).set_index(
        ["tank", "day"]
    ).to_parquet(path)
    made = world(path)
    assert made.called[4] == "t1, 4"
    assert made.notices == (
        "the index ('tank', 'day') names the rows and is not trained on (else --numeric, --categorical)",
    )
    asked = world(path, numeric=["day"], factors=["tank"])
    assert asked.kind.scheme.columns == ("length", "rings", "sex", "day")
    assert asked.factor_names == ("tank",)
    assert asked.notices == ()
