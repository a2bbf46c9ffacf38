"""Tables that are text, as people and programs write them: what stands around, encodings, numbers in a dress."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plain_table import PLAIN, N, values

from prismae.data import world
from prismae.data.table_files import read_file
from prismae.errors import InputError
from prismae.settings import Reading


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


def test_values_behind_separators_stay_in_their_columns(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b,c\n1.5,2,x,\n2.5,3,y,\n3.5,5,x,\n")
    made = world(tmp_path / "x.csv")
    assert made.kind.scheme.scaling["a"] == pytest.approx((2.5, np.std([1.5, 2.5, 3.5])))
    assert made.names is None


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
