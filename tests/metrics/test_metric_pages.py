"""The docs pages: every metric has its place, and every table can be filled in."""

from __future__ import annotations

import re

import pytest

import metric_tables as tables
from prismae.metrics import all_metrics

MARKS = [
    mark.split()
    for page in tables.PAGES.glob("*.md")
    for mark in re.findall(r"table: (.*?) -->", page.read_text())
]


def test_every_metric_stands_on_a_page():
    documented = {name for table, *names in MARKS if table == "declared" for name in names}
    assert documented == set(all_metrics())


@pytest.mark.parametrize("mark", MARKS, ids=" ".join)
def test_every_table_names_what_exists(mark):
    assert mark[0] in tables.TABLES
    assert set(mark[1:]) <= set(all_metrics())


def test_a_table_is_replaced_between_its_marks():
    page = "before\n<!-- table: declared mig -->\nold\n<!-- end -->\nafter"
    filled = tables.fill_in(page, {})
    assert filled.startswith("before\n<!-- table: declared mig -->\n| metric |")
    assert "| `mig` | 0 … 1 | higher |" in filled
    assert filled.endswith("<!-- end -->\nafter")
    assert tables.fill_in(filled, {}) == filled
