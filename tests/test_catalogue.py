"""What the command line lists without importing it is what importing it finds."""

import inspect

import pytest

from prismae._catalogue import SHELVES, catalogue
from prismae.control import all_controllers
from prismae.data import world_descriptions
from prismae.methods import all_methods
from prismae.metrics import all_metrics
from prismae.nets import all_likelihoods, all_nets
from prismae.views import all_views


def first_lines(classes):
    return {name: inspect.getdoc(cls).partition("\n")[0] for name, cls in classes.items()}


FOUND = {
    "methods": lambda: first_lines(all_methods()),
    "metrics": lambda: {name: each.summary for name, each in all_metrics().items()},
    "worlds": world_descriptions,
    "controllers": lambda: first_lines(all_controllers()),
    "nets": lambda: first_lines(all_nets()),
    "views": lambda: first_lines(all_views()),
    "likelihoods": lambda: first_lines(all_likelihoods()),
}


@pytest.mark.parametrize("kind", SHELVES)
def test_the_catalogue_has_what_discovery_finds(kind):
    assert catalogue(kind) == dict(sorted(FOUND[kind]().items()))
