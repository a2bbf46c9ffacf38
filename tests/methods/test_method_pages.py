"""Every method has its page, every controller its section, and both tell the truth about fields and terms."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from prismae.control import all_controllers
from prismae.methods import all_methods, method

PAGES = Path(__file__).parents[2] / "docs" / "methods"
METHODS = sorted(name for name, cls in all_methods().items() if cls.__module__.startswith("prismae."))


def page_of(name):
    """The page of a method's file; several files of one family may share a page of the family's name."""
    stem = name.replace("-", "_")
    known = [path for path in PAGES.glob("*.md") if stem.startswith(path.stem)]
    return max(known, key=lambda path: len(path.stem)).read_text()


def table(page, first):
    """Rows, as lists of cells, of the page's tables whose first column is called `first`."""
    rows, inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


@pytest.mark.parametrize("name", METHODS)
def test_the_table_names_every_field_with_its_default_and_no_other(name):
    shown = {cells[0].strip("`"): cells[1].strip("`") for cells in table(page_of(name), "field")}
    assert shown == {field.name: written(field.default) for field in fields(all_methods()[name])}


@pytest.mark.parametrize("name", sorted(all_controllers()))
def test_the_section_of_a_controller_names_every_field_with_its_default_and_no_other(name):
    page = (PAGES.parent / "controllers.md").read_text()
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    shown = {cells[0].strip("`"): cells[1].strip("`") for cells in table(section, "field")}
    assert shown == {field.name: written(field.default) for field in fields(all_controllers()[name])}


def written(value):
    """A default as the pages write it: 0.2, 1000, 100,000, "ema", none; empty where there is none to write."""
    if value is MISSING:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(written, value))
    if isinstance(value, str):
        return f'"{value}"'
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


@pytest.mark.parametrize("name", METHODS)
def test_the_page_explains_every_term(name):
    page = page_of(name)
    assert {term for term in method(name).weights() if f"`{term}`" not in page} == set()


@pytest.mark.parametrize("name", METHODS)
def test_the_page_says_how_to_run_and_how_to_cite(name):
    page = page_of(name)
    assert f"prismae fit {name} " in page
    assert "```bibtex" in page


def test_the_index_has_every_method_and_links_pages_that_exist():
    index = (PAGES / "index.md").read_text()
    assert {name for name in METHODS if f"`{name}`" not in index} == set()
    assert set(re.findall(r"\((\w+\.md)\)", index)) <= {path.name for path in PAGES.glob("*.md")}


def test_tables_are_read():
    page = "| field | default |\n|---|---|\n| `a` | 1 |\n\n| symbol | code |\n|---|---|\n| b | 2 |"
    assert table(page, "field") == [["`a`", "1"]]
