"""The docs pages name only what exists: tests, commands, and examples that run."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prismae.cli import app
from prismae.control import all_controllers
from prismae.methods import all_methods
from prismae.metrics import all_metrics
from prismae.nets import all_likelihoods, all_nets
from prismae.studies import Job

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


def found(pattern):
    """(page, match) for each match of a pattern in the pages, once."""
    matches = [
        (page.relative_to(ROOT), each) for page in PAGES for each in re.findall(pattern, page.read_text())
    ]
    return sorted(set(matches))


def test_every_test_that_a_page_names_exists():
    missing = []
    for page, (path, name) in found(r"(tests/[\w/]+\.py)::(\w+)"):
        file = ROOT / path
        if not file.exists() or not re.search(rf"^def {name}\(", file.read_text(), re.MULTILINE):
            missing.append(f"{page}: {path}::{name}")
    assert not missing


class Understood(Exception):
    """Raised where a command would begin to train."""


@pytest.mark.parametrize(
    ("page", "command"), found(r"(?m)^(prismae fit (?:.*\\\n)*.*)$"), ids=lambda each: str(each)[:60]
)
def test_every_fit_that_a_page_shows_is_understood(page, command, monkeypatch):
    def job(**settings):
        Job(**settings)
        raise Understood

    monkeypatch.setattr("prismae.studies.Job", job)
    words = shlex.split(command.replace("\\\n", " "), comments=True)[1:]
    assert isinstance(CliRunner().invoke(app, words).exception, Understood)


EXAMPLES = [
    (page, text)
    for page, text in found(r"(?s)```python\n(.*?)```")
    if page.parent.name == "methods" or page.name in ("controllers.md", "choosing.md")
]


@pytest.mark.slow
@pytest.mark.parametrize(("page", "example"), EXAMPLES, ids=lambda each: str(each)[:40])
def test_every_example_runs(page, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(page), "exec"), {})


@pytest.mark.parametrize("kind", ["methods", "metrics", "controllers", "nets", "likelihoods"])
def test_api_pages_name_everything_there_is(kind):
    page = {"controllers": "control", "likelihoods": "nets"}.get(kind, kind)
    text = (ROOT / "docs" / "api" / f"{page}.md").read_text()
    found = {
        "methods": [each.__qualname__ for each in all_methods().values()],
        "metrics": [each.function.__name__ for each in all_metrics().values()],
        "controllers": [each.__qualname__ for each in all_controllers().values()],
        "nets": [each.__qualname__ for each in all_nets().values()],
        "likelihoods": [each.__qualname__ for each in all_likelihoods().values()],
    }[kind]
    assert [name for name in found if f".{name}\n" not in text] == []


def test_every_description_names_what_it_describes():
    # "Of all draws." under a parameter, or as a help text, is half a sentence: "Seed of all draws."
    halves = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for line in path.read_text().splitlines()
        if re.match(r"\s+(Of|At once)\b", line) or re.search(r'(\"{3}|help=")(Of|At once)\b', line)
    ]
    assert halves == []
