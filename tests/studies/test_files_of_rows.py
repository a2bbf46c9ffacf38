"""Files of rows: what they keep, and which are not brought together."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_plan import MIG, PLAN, frame
from typer.testing import CliRunner

from prismae.cli import app
from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.plan_parts import Arm, Published, in_rows
from prismae.studies.rows import read_rows, write_rows
from prismae.studies.summary import summarise
from prismae.studies.tables import render


def test_rows_of_several_machines_count_each_run_once(tmp_path):
    rows = frame().assign(
        precision="bf16",
        prismae="0.1.0",
        lr=[1e-6] * 3 + [2e-6] * 3,
        mse=np.random.default_rng(0).random(6) / 1e7,
    )
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    write_rows(rows.iloc[:4], one)
    write_rows(rows.iloc[2:].assign(machine="another", seconds=9.0), two)
    found = read_rows([one, two])
    pd.testing.assert_frame_equal(
        found.drop(columns=["machine", "seconds"]), rows.drop(columns=["machine", "seconds"])
    )
    assert found["seconds"].tolist() == [1.0] * 4 + [9.0] * 2
    done = CliRunner().invoke(app, ["rows", "merge", str(one), str(two), "--to", str(tmp_path / "all.csv")])
    assert done.exit_code == 0
    pd.testing.assert_frame_equal(read_rows([tmp_path / "all.csv"]), found, check_exact=True)
    write_rows(rows.iloc[2:].assign(**{MIG: 0.5}), two)
    with pytest.raises(InputError, match=f"Rows of one run differ in {MIG}: bad0, good2"):
        read_rows([one, two])
    with pytest.raises(InputError, match=r"There is no file of rows .*three.csv"):
        read_rows([one, tmp_path / "three.csv"])
    for content, said in (
        (b"", "No columns"),
        (b"a,b\n1,2\n", "no column arm, method"),
        (b"\xff\xfe\x00", "utf-8"),
    ):
        two.write_bytes(content)
        with pytest.raises(InputError, match=rf"two.csv is no file of rows.*{said}"):
            read_rows([one, two])


def test_rows_of_two_plans_whose_arms_have_one_name_are_refused():
    rows = frame()
    rows["settings"] = [
        '{"lr": 0.001}',
        '{"lr": 0.001}',
        None,
        None,
        None,
        None,
    ]  # earlier rows do not say them
    assert summarise(PLAN, rows).lines["good", 2.0][MIG].n == 3
    rows.loc[2, "settings"] = '{"lr": 0.0010000000000000002}'
    with pytest.raises(
        InputError, match=r"good, 2.0 has rows of several settings, which differ in lr: expected"
    ):
        summarise(PLAN, rows)


STRANGE = ["=1+1", "+a", "-b", "@c", "\t=d", "'=e", " =f", "-2.5", "'quoted'", 'a,"b"', "ends <b>\\input{x}"]


def test_no_spreadsheet_finds_a_formula_in_a_file_of_rows_or_a_table_and_names_stay(tmp_path):
    rows = pd.concat([frame({"good": [0.5]}).assign(arm=name, run=name, mse=-1.5) for name in STRANGE])
    rows = rows.reset_index(drop=True).rename(columns={"β": "=β"})
    rows["=β"] = -2.5
    write_rows(rows, tmp_path / "rows.csv")
    plan = Plan("t", {"digits": {}}, {name: Arm("vae") for name in STRANGE}, [0])
    for text in ((tmp_path / "rows.csv").read_text(), render(plan, summarise(plan, rows), "csv")):
        cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
        numbers = [cell for cell in cells if re.fullmatch(r"-?[\d.]+", cell)]
        assert "-1.5" in numbers
        texts = [cell.lstrip(" ") for cell in cells if cell.strip() and cell not in numbers]
        assert not [text for text in texts if text[0] in "=+-@\t\r"]
    found = read_rows([tmp_path / "rows.csv"])
    assert found["arm"].tolist() == STRANGE
    assert found["=β"].tolist() == [-2.5] * len(STRANGE)


def test_texts_of_rows_are_what_they_were_whatever_they_look_like(tmp_path):
    names = ["010", "NA", "None", "1e3", "nan"]
    rows = pd.concat([frame({"good": [0.5]}).assign(arm=name, run=name) for name in names], ignore_index=True)
    rows["β"] = ["null", "0.10", None, "NA", "auto"]
    write_rows(rows, tmp_path / "rows.csv")
    found = read_rows([tmp_path / "rows.csv"])
    assert found["arm"].tolist() == names
    assert [None if value != value else value for value in found["β"]] == ["null", "0.10", None, "NA", "auto"]
    plan = Plan("t", {"digits": {}}, {name: Arm("vae") for name in names}, [0])
    assert render(plan, summarise(plan, found)) == render(plan, summarise(plan, rows))


def test_values_of_a_grid_may_be_lists_and_mappings(tmp_path):
    given = [[], ["a", "b"], {"kl": 2}]
    plan = Plan("t", {"digits": {}}, {"V": Arm("vae", grid={"drop": given[:2]})}, [0])
    assert [each.swept["drop"] for each in plan.jobs()] == ["[]", '["a", "b"]']
    rows = pd.concat(
        [frame({"V": [0.5]}).assign(β=in_rows(value), run=str(value)) for value in given], ignore_index=True
    )
    plan = replace(plan, published=[Published("a paper", [MIG], {"V": [0.7]}, {"β": ["a", "b"]})])
    summary = summarise(plan, rows)
    assert [*summary.lines] == [("V", "[]"), ("V", '["a", "b"]'), ("V", '{"kl": 2}')]
    assert [cells[MIG].published for cells in summary.lines.values()] == [None, (0.7, None), None]
    write_rows(rows, tmp_path / "rows.csv")
    assert summarise(plan, read_rows([tmp_path / "rows.csv"])).lines.keys() == summary.lines.keys()


def test_a_seed_counts_once():
    rows = frame()
    rows = pd.concat([rows, rows.iloc[[1]].assign(run="other")])
    with pytest.raises(InputError, match=r"good, 2\.0 has seed 1 more than once, by runs good1, other"):
        summarise(PLAN, rows)


def test_rows_of_several_versions_are_told():
    rows = frame().assign(prismae=["0.1", "0.2", "0.2"] * 2)
    text = render(PLAN, summarise(PLAN, rows))
    assert "several versions of prismae: 0.2 (4 rows), 0.1 (2 rows)" in text
    assert "several" not in render(PLAN, summarise(PLAN, frame()))


def test_merged_and_saved_rows_are_not_written_over_others(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    write_rows(frame({"good": [0.5]}), one)
    write_rows(frame({"bad": [0.1, 0.2]}), two)
    before = two.read_bytes()
    refused = CliRunner().invoke(app, ["rows", "merge", str(one), "--to", str(two)])
    assert isinstance(refused.exception, InputError)
    assert "holds rows of 2 runs not among these (bad0, bad1), which would be lost" in str(refused.exception)
    (tmp_path / "plan.yaml").write_text(
        "{title: t, worlds: digits, methods: {good: {method: vae}}, seeds: [0]}"
    )
    words = ["table", str(tmp_path / "plan.yaml"), "--rows", str(one), "--save-rows", str(two)]
    assert isinstance(CliRunner().invoke(app, words).exception, InputError)
    assert two.read_bytes() == before
    done = CliRunner().invoke(app, ["rows", "merge", str(one), str(two), "--to", str(two)])  # nothing is lost
    assert done.exit_code == 0
    assert read_rows([two])["run"].tolist() == ["good0", "bad0", "bad1"]
