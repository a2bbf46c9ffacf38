"""docs/data_support.md says of every form of data what is read today."""

from pathlib import Path

import pytest

from data_support import page

PAGE = Path(__file__).parents[1] / "docs" / "data_support.md"


@pytest.mark.filterwarnings("ignore")
def test_the_page_says_what_is_read() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "python tools/data_support.py docs/data_support.md"
