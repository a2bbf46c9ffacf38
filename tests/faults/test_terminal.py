"""Text of others in a terminal: names of columns, files and arms are shown, and nothing in them is obeyed."""

import io

import pytest
from rich.table import Table

from prismae._progress import Bar, Screen, visible
from prismae.cli._app import Speaker

NAME = "\x1b[2J\x1b]0;mine\x00 \x9b31m\u202egnp"
SHOWN = r"\x1b[2J\x1b]0;mine\x00 \x9b31m\u202egnp"


@pytest.mark.parametrize("kind", [Screen, Speaker])
def test_names_are_shown_and_not_obeyed(kind):
    console = kind(file=io.StringIO(), force_terminal=True, width=200)
    table = Table("name")
    table.add_row(NAME)
    console.print(NAME, highlight=False)
    console.print(table)
    console.print(NAME, style="red", highlight=False)
    said = console.file.getvalue()
    assert said.count(SHOWN) == 3
    assert "\x1b[31m" in said  # the console's own
    assert not {"\x00", "\x9b", "\u202e"} & set(said)


def test_bars_show_them_so_too(capfd):
    with Bar(NAME, 2, enabled=True) as bar:
        bar.bars.console.file = said = io.StringIO()
        bar.show(NAME)
        bar.bars.refresh()
    assert "\x00" not in said.getvalue() + capfd.readouterr().err


def test_what_is_written_in_any_language_stays():
    for text in ("größe", "数据\n\tβ", "مرحبا", "👩‍🔬", r"C:\x1b"):
        assert visible(text) == text
