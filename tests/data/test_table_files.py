"""Tables in files as people have them: every form is read as the plain table is, and what was understood is said."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import gzip
import re
import sys
import zipfile
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import prismae as pr
from prismae.data import Table, world
from prismae.data.table_files import read_file
from prismae.errors import InputError
from prismae.runs.job import Job
from prismae.runs.observations import new_observations, observations
from prismae.settings import Reading

rng = np.random.default_rng(0)
N = 24
PLAIN = pd.DataFrame(
    {
        "length": rng.normal(30, 5, N).round(2),
        "rings": rng.integers(3, 30, N),
        "sex": rng.choice(["F", "I", "M"], N),
    }
)
NAMES = [f"fish {i}" for i in range(N)]


def values(made: Any) -> np.ndarray:
    return made.data[torch.arange(len(made))].numpy()


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


@pytest.mark.parametrize(
    ("d", "net"), [(99, "mlp:width=256"), (4096, "mlp"), (5000, "mlp:width=512"), (20_000, "mlp:width=128")]
)
def test_wide_tables_have_narrow_networks(d: int, net: str) -> None:
    assert Table().default_net((d,)) == net


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


@pytest.mark.parametrize(
    ("content", "n", "said"),
    [
        ("# by hand\na,b\n1,2\n4,3\n", 2, "1 line above the names is left out: '# by hand'"),
        ("a,b,c\ncm,kg,\n1,2,x\n2,4,y\n", 2, "is taken for units or a question and left out: 'cm | kg'"),
        ("v,a\nm/s,m/s2\n1,2\n2,4\n", 2, "is taken for units or a question and left out: 'm/s | m/s2'"),
        (
            "Q1,Q2,Q3\nage?,sex?,1 to 5?\n{1},{2},{3}\n31,f,2\n24,m,4\n",
            2,
            "2 lines below the names are taken for",
        ),
        ("a,b,c\n<1,<2,x\n1,2,x\n2,<2,y\n", 0, "'a' holds numbers but for 1 of 3 values ('<1')"),
        (
            "A note,,,\n,,,\nland,1990,1991,\nx,1,2,\ny,3,1,\n",
            2,
            "1 line above the names is left out: 'A note'",
        ),
        (
            "a,b,c\n1,2,x\n2,4,y\n\nSource: us\nof 2024,,\n",
            2,
            "2 lines below the table are left out: 'Source: us",
        ),
        ("a,b,c\n1,2,x\n2,4,y\n,,\n,,\n", 2, "2 empty rows below the table are left out"),
        ("a,b,c\n1,2,x\n,,\n2,4,y\n3,,\n2,2,x\n4,,\n", 6, "7 values are missing, in 'a', 'b', 'c'"),
        ("a,b\nlow,0.5\nhigh,NA\nlow,1.5\n", 3, "1 value is missing, in 'b'"),
        ("a,b,c\nNA,?,x\n2,3,y\n4,5,x\n", 3, "2 values are missing, in 'a', 'b'"),
        ("a,b,c\nnone,1,x\n2,3,y\n4,5,x\n", 0, "'a' holds numbers but for 1 of 3 values ('none')"),
        ("a\nx,1\ny,2\nz,4\n", 3, "the first is taken for the row's name"),
        ("by hand\na,b\nx,1\ny,2\n", 2, "1 line above the names is left out: 'by hand'"),
        ("by hand\na,b\n1.5,1\n1.5,2\n", 2, "1 line above the names is left out: 'by hand'"),
    ],
)
def test_lines_are_left_out_only_where_they_are_plain(
    tmp_path: Path, content: str, n: int, said: str
) -> None:
    (tmp_path / "x.csv").write_text(content)
    if n:
        made = world(tmp_path / "x.csv")
        assert len(made) == n
        assert any(said in each for each in made.notices)
    else:
        with pytest.raises(InputError, match=re.escape(said)):
            world(tmp_path / "x.csv")


ROWS = "".join(f"{day},{i},{2 * i % 7}.5,{3 * i % 5}\n" for i, day in enumerate("MTWTFSSMTWTF"))
QUOTED = "".join(f"'{i % 4}.5','{i * i % 7}','{'xyz'[i % 3]}'\n" for i in range(12))


@pytest.mark.parametrize(
    ("content", "names", "n", "said"),
    [
        pytest.param(
            "TOA5,CR1000,1234\nDAY,RECORD,Air,Rain\nTS,RN,Deg C,mm\n,,Avg,Tot\n" + ROWS,
            ["DAY", "RECORD", "Air", "Rain"],
            12,
            "1 line above the names is left out: 'TOA5 CR1000 1234'",
            id="a logger's settings as wide as the table, units and ways below the names",
        ),
        pytest.param(
            "".join(f"Setting {i},on\n" for i in range(70)) + "day,n,x,y\n" + 8 * ROWS,
            ["day", "n", "x", "y"],
            96,
            "70 lines above the names are left out",
            id="many settings above the names",
        ),
        pytest.param(
            "day,n,CH1,CH2,Start,Increment,\nSequence,s,Volt,Volt,-6.0e-4,1.0e-6,\n"
            + ROWS.replace("\n", ",\n"),
            ["day", "n", "CH1", "CH2", "Start", "Increment", "Unnamed: 6"],
            12,
            "the line below the names is taken for units or a question and left out",
            id="an oscilloscope's settings in columns of their own",
        ),
        pytest.param(
            "Day,Count,Wind,\n,,speed,gusts\n" + ROWS,
            ["Day", "Count", "Wind speed", "Wind gusts"],
            12,
            "names stand in two lines, which are joined",
            id="names of groups above what tells their columns apart",
        ),
        pytest.param(
            ",,wind,wind\nday,n,x,y\nid,,,\n" + ROWS.replace("\nS,", "\nsun,"),
            ["day", "n", "x", "y"],
            13,
            "",
            id="names of groups above names that differ",
        ),
        pytest.param(
            "g,a,a,b\nh,x,y,x\nid,,,\n" + ROWS,
            ["id", "a x", "a y", "b x"],
            12,
            "names stand in two lines",
            id="columns of two levels, as pandas writes them",
        ),
        pytest.param(
            " day | n | x | y\n-----+---+---+---\n" + ROWS.replace(",", " | ") + "(12 rows)\n",
            ["day", "n", "x", "y"],
            12,
            "1 line below the table is left out: '(12 rows)'",
            id="the answer of a database",
        ),
        pytest.param(
            "day,n,x,y\n" + ROWS + "day,n,x,y\n" + ROWS,
            ["day", "n", "x", "y"],
            24,
            "1 row repeats the names and is left out",
            id="files that were put together",
        ),
        pytest.param(
            "day,n,x,y\n,,,\n,,,\n" + ROWS,
            ["day", "n", "x", "y"],
            14,
            "",
            id="rows without values below the names",
        ),
        pytest.param(
            "n,x\n1,2.5\n2,3.5\n4,1.5\n-- end\n", ["n", "x"], 3, "'-- end'", id="two columns and an end"
        ),
        pytest.param("'n','x','k'\n" + QUOTED, ["n", "x", "k"], 12, "", id="single quotes"),
        pytest.param(
            "'n' 'x y' 'k'\n" + QUOTED.replace(",", " "),
            ["n", "x y", "k"],
            12,
            "spaces",
            id="quotes and spaces",
        ),
    ],
)
def test_tables_are_found_in_what_instruments_and_programs_write(
    tmp_path: Path, content: str, names: list[str], n: int, said: str
) -> None:
    (tmp_path / "x.csv").write_text(content)
    table, notices = read_file(tmp_path / "x.csv", Reading())
    assert list(table.columns) == names
    assert len(table) == n
    assert any(said in each for each in notices) or not said
    assert not any(map(pd.api.types.is_object_dtype, table.dtypes[names[1:2]]))


def test_a_table_below_settings_in_a_txt_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(
        "Plate:\tone\t1.3\tEnd\tpoint\n" + "day\tn\tx\ty\n" + ROWS.replace(",", "\t")
    )
    assert world(tmp_path / "x.txt").kind.scheme.columns == ("day", "x", "y")


def test_several_tables_in_a_file_are_refused_by_their_lines(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Mode,600\n\nday,n,x,y\n" + ROWS + "\nMode,450\n\nday,n,x,y\n" + ROWS)
    with pytest.raises(
        InputError, match=r"several tables, the second with its names in line 19: save each as a file"
    ):
        world(tmp_path / "x.csv")


def test_all_unknown_columns_are_named_at_once(tmp_path: Path) -> None:
    PLAIN.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(
        InputError,
        match=re.escape(
            "Unknown column of x.csv: 'nope', 'zz', 'rinks' (did you mean 'rings'?); expected some of"
        ),
    ):
        world(tmp_path / "x.csv", drop="nope", numeric="zz", index="rinks")


def test_values_behind_separators_stay_in_their_columns(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b,c\n1.5,2,x,\n2.5,3,y,\n3.5,5,x,\n")
    made = world(tmp_path / "x.csv")
    assert made.kind.scheme.scaling["a"] == pytest.approx((2.5, np.std([1.5, 2.5, 3.5])))
    assert made.names is None


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


def test_what_windows_writes_is_read_as_it_stands(tmp_path: Path) -> None:
    city = ["Köln – Süd", "“naïve”"] * (N // 2)
    (tmp_path / "x.csv").write_bytes(PLAIN.assign(city=city).to_csv(index=False).encode("cp1252"))
    made = world(tmp_path / "x.csv")
    assert {"city_Köln – Süd", "city_“naïve”"} <= set(made.kind.element_names)
    assert made.notices == ("the text is no UTF-8, so it is read as cp1252 (else save it as UTF-8)",)


@pytest.mark.parametrize(
    ("city", "encoding", "seems"),
    [
        (["北京", "上海 2"], "gbk", "GBK"),
        (["東京", "カタカナ"], "shift_jis", "SHIFT_JIS"),
        (["Москва", "Тверь"], "cp1251", "CP1251"),
        (["Москва", "Тверь"], "koi8-r", "KOI8-R"),
        (["Köln", "Señor Ñandú"], "latin-1", None),
        (["naïve – café", "ü"], "cp1252", None),
    ],
)
def test_a_text_in_another_script_is_told_what_it_seems_to_be(
    tmp_path: Path, city: list[str], encoding: str, seems: str | None
) -> None:
    (tmp_path / "x.csv").write_bytes(PLAIN.assign(city=city * (N // 2)).to_csv(index=False).encode(encoding))
    said = "; ".join(world(tmp_path / "x.csv").notices)
    if seems is None:
        assert "(else save it as UTF-8)" in said
    else:
        assert f"but seems to be {seems}: iconv -f {seems} -t UTF-8 mends it" in said


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(
        PLAIN.assign(sex=PLAIN["sex"].replace("I", "ü")).to_csv(index=False).encode("latin-1")
    )
    made = world(tmp_path / "x.csv")
    assert "sex_ü" in made.kind.element_names
    assert made.notices == ("the text is no UTF-8, so it is read as latin-1 (else save it as UTF-8)",)


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
    PLAIN.assign(country=["NA", "DE", "FR"] * (N // 3), depth=[-999.0, -999.0, *rng.random(N - 2)]).to_csv(
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
    np.savetxt(tmp_path / "mat.txt", rng.random((20, 4)))
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
    np.save(tmp_path / "x.npy", rng.random((5, 2)))
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


@pytest.mark.parametrize(
    "written",
    [
        "51.1+4j",
        "12 000 K/s; 3",
        "0x1f",
        "[1.5, 2]",
        "2024-01-31 12:00:00 CET",
        "21 1/2",
        "4.5 ± 0.1",
        "$4.5-$5",
    ],
)
def test_numbers_in_a_dress_that_is_not_read_are_told(tmp_path: Path, written: str) -> None:
    """Also where they are taken for the names of the rows."""
    dressed = [re.sub(r"(?<!\d)(\d)", str(i + 10), written, count=1) for i in range(N)]
    path = tmp_path / "x.csv"
    PLAIN.assign(dressed=dressed).to_csv(path, index=False)
    said = f"column 'dressed' holds texts such as {dressed[0]!r}: if they are numbers or dates, write them plainly"
    assert any(each.startswith(said) for each in world(path).notices)
    with pytest.raises(InputError, match=re.escape(said)):
        world(path, drop=["length", "rings", "sex"])
    names = PLAIN.assign(name=[f"R_{i}" for i in range(N)])
    assert not any("plainly" in each for each in world(names).notices)


def test_numbers_with_marks_as_in_india_are_read(tmp_path: Path) -> None:
    PLAIN.assign(rupees=[f"{i + 10},34,567" for i in range(N)]).to_csv(tmp_path / "x.csv", index=False)
    assert world(tmp_path / "x.csv").kind.scheme.scaling["rupees"][0] == pytest.approx(
        100_000 * (10 + 23 / 2) + 34_567
    )


def test_whole_numbers_that_may_be_dates_are_told_and_ranges_have_their_digits() -> None:
    days = [20230100 + 1 + i for i in range(N)][::-1]
    made = world(PLAIN.assign(day=days, at=[1_700_000_000 + (7 * i) % 60 for i in range(N)]))
    assert any("'day' may be dates such as 20230101" in each for each in made.notices)
    assert "day: numbers 20230101 to 20230124, whole" in made.columns
    assert "at: numbers 1700000000 to 1700000059, whole" in made.columns


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html></html>", "download the file itself"),
    ],
)
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.npy", "x.xlsx", "x.png"])
def test_what_stands_where_data_should_be_is_told(tmp_path: Path, name: str, start: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(start)
    with pytest.raises(InputError, match=f"stands where the data should be.*{said}"):
        world(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("sep", [" ", "\t", ",", ";"])
def test_a_table_called_txt_is_no_text(tmp_path: Path, sep: str, encoding: str) -> None:
    """As R's write.table and spreadsheets write it: names in quotes, fewer numbers than other words."""
    table = PLAIN.set_axis([f"fish {i}" for i in range(N)]) if sep == " " else PLAIN
    text = table.to_csv(sep=sep, index=sep == " ", quoting=2, index_label=False)
    (tmp_path / "x.txt").write_bytes(text.encode(encoding))
    np.testing.assert_allclose(values(world(tmp_path / "x.txt")), values(world(PLAIN)), atol=1e-6)


def test_a_text_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("I have 3 red cats\nI want 4 red cats\nI saw 5 new dogs\n")
    assert type(world(path).kind).__name__ == "Texts"
    path.write_text(
        "what a good film, all of it\t1\nwhat a bad film, all of it\t0\nI slept for most of it\t0\n"
    )
    assert type(world(path).kind).__name__ == "Texts"
    assert type(world(path, sep="tab", categorical="column 1").kind).__name__ == "Table"


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


def test_names_that_are_years_in_a_sheet(tmp_path: Path) -> None:
    PLAIN.set_axis(["a", 2019, 2020], axis=1).to_excel(tmp_path / "x.xlsx", index=False)
    assert world(tmp_path / "x.xlsx").kind.scheme.columns == ("a", "2019", "2020")


def test_what_macos_packs_beside_a_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.csv.zip", "w") as packed:
        packed.writestr("folder/x.csv", PLAIN.to_csv(index=False))
        packed.writestr("__MACOSX/folder/._x.csv", b"\0\0")
        packed.writestr("folder/.DS_Store", b"\0\0")
    np.testing.assert_allclose(values(world(tmp_path / "x.csv.zip")), values(world(PLAIN)), atol=1e-6)
    with zipfile.ZipFile(tmp_path / "x.csv.zip", "a") as packed:
        packed.writestr("folder/y.csv", "a,b\n1,2\n")
    with pytest.raises(InputError, match="2 files are packed in it, expected one: unpack it"):
        world(tmp_path / "x.csv.zip")
