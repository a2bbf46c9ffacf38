"""The package as a whole: examples in docstrings, discovery, import without side effects."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import prismae
from prismae.errors import unknown_name
from prismae.methods.vae import VAE
from prismae.metrics import all_metrics

MODULES = sorted(
    info.name for info in pkgutil.walk_packages(prismae.__path__, "prismae.") if "__main__" not in info.name
)


class Finder(doctest.DocTestFinder):
    """Finds the examples of decorated functions, too."""

    def _from_module(self, module, object):
        return super()._from_module(module, inspect.unwrap(object) if callable(object) else object)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["prismae", *MODULES])
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    names = {name: getattr(prismae, name) for name in prismae.__all__} | {"np": np, "pr": prismae}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    found = Finder().find(module, name, extraglobs=names)
    metrics = {
        f"{name}.{key}"
        for key, value in vars(module).items()
        if getattr(value, "__module__", "") == name and hasattr(value, "__metric__")
    }
    assert metrics <= {each.name for each in found if each.examples}
    for each in found:
        runner.run(each)
    assert runner.failures == 0


def test_no_package_takes_a_private_name_of_another():
    """A module that begins with "_" is one that discovery passes over; a function or class is its package's own."""
    taken = []
    for name in MODULES:
        own = ".".join(name.split(".")[:2])
        source = Path(importlib.import_module(name).__file__ or "").read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (module := node.module or "").startswith("prismae."):
                names = {f"{module}.{each.name}" for each in node.names if re.match("_[^_]", each.name)}
                taken += [(name, each) for each in names - {*MODULES} if not each.startswith(f"{own}.")]
    assert taken == []


def test_names_are_found_when_first_asked_for_and_leave_random_numbers_and_threads_alone():
    # Python's own `random` is moved by an import of some dependency; nothing here draws from it
    state = "numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), torch.get_num_threads()"
    code = (
        "import sys, prismae; assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules);"
        f"import numpy, torch; before = {state};"
        "assert set(prismae.__all__) <= set(dir(prismae));"
        "assert all(getattr(prismae, name) is not None for name in prismae.__all__);"
        "assert prismae.control.PI and prismae.VAE; assert 'lightning_fabric' not in sys.modules;"
        f"assert before == ({state})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_methods_are_attributes_of_the_package():
    assert prismae.VAE is VAE
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = prismae.Nonsense


def test_an_unknown_name_offers_the_nearest_or_lists_all():
    names = ["beta-vae", "vae", "gcae"]
    assert (
        str(unknown_name("method", "betavae", names))
        == "Unknown method 'betavae': did you mean 'beta-vae' or 'vae'?"
    )
    assert (
        str(unknown_name("method", "xxxx", names))
        == "Unknown method 'xxxx': expected one of beta-vae, gcae, vae."
    )


def test_a_setting_of_trainings_stands_once_and_everything_reads_it():
    """A new field of `Training` is an option, part of a job and its id, an axis of plans, and a parameter."""
    from dataclasses import fields

    from prismae.cli._app import loaded
    from prismae.settings import Reading, Training
    from prismae.studies.plan import SETTINGS

    names = {each.name for each in fields(Training)}
    parameters = inspect.signature(prismae.Autoencoder).parameters
    elsewhere = {
        "seed": "random_state",
        "controls": "controllers",
        "snapshots": None,
    }  # as scikit-learn has them
    for name in names:
        own = elsewhere.get(name, name)
        assert own is None or own in parameters
    for name in names - elsewhere.keys() - {"steps", "batch"}:  # "auto" there
        assert parameters[name].default == getattr(Training, name)
    options = {each.name for each in loaded("fit").params}
    assert names | {each.name for each in fields(Reading)} <= options
    assert names - {"seed"} <= set(SETTINGS)


def test_every_metric_has_an_example():
    without = [name for name, each in all_metrics().items() if ">>> " not in inspect.getdoc(each.function)]
    assert without == []
