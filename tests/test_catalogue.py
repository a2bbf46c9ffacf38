"""What the command line lists without importing it is what importing it finds."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from prismae._catalogue import FAMILIES, SHELVES, catalogue, explained, families
from prismae.control import all_controllers
from prismae.data import world_descriptions
from prismae.methods import all_methods
from prismae.methods.beta_vae import BetaVAE
from prismae.metrics import all_metrics
from prismae.nets import all_likelihoods, all_nets
from prismae.trackers import all_trackers
from prismae.views import all_views


def of_methods():
    """First lines; a method of several names says what it fixes under each."""
    found = {}
    for name, line in first_lines(all_methods()).items():
        fixed = ", ".join(
            f"{key}={value}" for key, value in all_methods()[name].variants.get(name, {}).items()
        )
        found[name] = f"{line[:-1]} ({fixed})." if fixed else line
    return found


def first_lines(classes):
    return {name: inspect.getdoc(cls).partition("\n")[0] for name, cls in classes.items()}


FOUND = {
    "methods": of_methods,
    "metrics": lambda: {name: each.summary for name, each in all_metrics().items()},
    "worlds": world_descriptions,
    "controllers": lambda: first_lines(all_controllers()),
    "nets": lambda: first_lines(all_nets()),
    "views": lambda: first_lines(all_views()),
    "trackers": lambda: first_lines(all_trackers()),
    "likelihoods": lambda: first_lines(all_likelihoods()),
}


@pytest.mark.parametrize("kind", SHELVES)
def test_the_catalogue_has_what_discovery_finds(kind):
    assert catalogue(kind) == dict(sorted(FOUND[kind]().items()))


def test_families_are_what_the_methods_say_and_each_is_listed():
    assert families() == {name: cls.family for name, cls in all_methods().items()}
    assert set(FAMILIES) == set(families().values())


def test_the_page_of_methods_lists_families_and_lines_as_the_command_does():
    page = (Path(__file__).parents[1] / "docs" / "methods" / "index.md").read_text()
    rows = re.findall(r"(?m)^\| (.*) \| \[`(.+)`\]\(\w+\.md\) \| (.*) \|$", page)
    family, listed = "", []
    for heading, name, line in rows:
        family = heading or family
        listed.append((family, name, f"{line}."))
    lines, of = catalogue("methods"), families()
    assert listed == [(each, name, lines[name]) for each in FAMILIES for name in lines if of[name] == each]


def test_a_line_of_a_method_is_one_line_of_80_columns():
    lines = catalogue("methods")
    assert [name for name, line in lines.items() if max(map(len, lines)) + 4 + len(line) > 80] == []


def test_what_is_explained_of_a_method_has_its_fields_and_defaults():
    text = explained("methods", "beta-vae")
    assert text.startswith(catalogue("methods")["beta-vae"])
    assert f"beta: NonNegative = {BetaVAE().beta}" in text
    assert "ClassVar" not in text
    assert explained("methods", "unknown") is None


def test_a_field_that_takes_several_lines_in_its_file_is_told_in_one():
    text = explained("methods", "ed-gcae")
    assert (
        '  noise_rule: Literal["ema", "literal"] = EntropyNoise.rule  # Eq. 3 with the annealed target, or Eq. 4'
        in text
    )
    for line in text.partition("Fields:\n")[2].split("\n"):
        ast.parse(line.strip())
