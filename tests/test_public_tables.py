"""docs/data.md says of the tables of public packages what the rows say; the other reading finds what is misread."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prismae as pr
import reading
from public_tables import files, misread, summary

ROOT = Path(__file__).parents[1]


def test_the_page_has_the_counts_of_the_rows():
    rows = pd.read_csv(ROOT / "results" / "public_tables.csv")
    assert summary(rows) in (ROOT / "docs" / "data.md").read_text()
    assert len(rows) >= 300
    assert (rows["outcome"] == "accepted").mean() >= 0.85


def test_pages_have_what_reading_takes_of_time_and_memory():
    rows = pd.read_csv(ROOT / "results" / "benchmarks" / "reading.csv")
    assert reading.summary(rows) in (ROOT / "docs" / "benchmarks.md").read_text()
    assert set(rows["what"]) == set(reading.READERS)
    memory = (ROOT / "results" / "benchmarks" / "larger_than_memory.txt").read_text()
    assert memory in (ROOT / "docs" / "data.md").read_text()


CELLS = 'name,a,b,c\nx,1.5,"1,000",red\ny,NA,"2,500",green\nz,-3,"1,250",red\nu,2,"3,000",green\n'


def test_what_is_read_is_what_the_csv_module_reads(tmp_path):
    (tmp_path / "one.csv").write_text(CELLS)
    assert misread(tmp_path / "one.csv", pr.world(tmp_path / "one.csv")) == ""


@pytest.mark.parametrize(
    ("was", "is_now", "said"),
    [
        ("1.5", "1.6", r"'a' is 1\.\S+ for '1.6'"),
        ("NA", "4", "'a' is nan for '4'"),
        ("-3", "", r"'a' is -\S+ for ''"),
        ("2,500", "2,501", r"'b' is 2500\S+ for '2,501'"),
        ("green\nz", "blue\nz", "'c' is 'green' for 'blue'"),
        ("u,2", "v,7\nu,2", "4 rows for 5"),
    ],
)
def test_other_cells_are_found(tmp_path, was, is_now, said):
    path = tmp_path / "one.csv"
    path.write_text(CELLS)
    world = pr.world(path)
    path.write_text(CELLS.replace(was, is_now))
    assert re.fullmatch(said, misread(path, world))


def test_each_content_counts_once(tmp_path):
    for name in ("a.csv", "b.csv", "._c.csv"):
        (tmp_path / name).write_text(CELLS)
    (tmp_path / "d.csv").write_text(CELLS.replace("red", "blue"))
    assert [path.name for _, path in files([tmp_path])] == ["a.csv", "d.csv"]
    assert np.unique([package for package, _ in files([tmp_path])]).tolist() == [tmp_path.name]
