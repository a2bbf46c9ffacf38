"""The package as a whole: examples in docstrings, discovery, import without side effects."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import prismae
from prismae.errors import unknown_name
from prismae.methods.vae import VAE

MODULES = sorted(
    info.name for info in pkgutil.walk_packages(prismae.__path__, "prismae.") if "__main__" not in info.name
)


@pytest.mark.parametrize("name", ["prismae", *MODULES])
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    names = {name: getattr(prismae, name) for name in prismae.__all__} | {"np": np, "pr": prismae}
    results = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


def test_importing_leaves_random_numbers_and_threads_alone():
    # Python's own `random` is moved by an import of some dependency; nothing here draws from it
    state = "numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), torch.get_num_threads()"
    code = f"import numpy, torch; before = {state}; import prismae; prismae.run; assert before == ({state})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_are_found_when_they_are_first_asked_for():
    code = (
        "import sys, prismae; assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules);"
        "assert set(prismae.__all__) <= set(dir(prismae));"
        "assert all(getattr(prismae, name) is not None for name in prismae.__all__);"
        "assert prismae.control.PI and prismae.VAE; assert 'lightning_fabric' not in sys.modules"
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
