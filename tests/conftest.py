"""Where tests find real data; and a garbage collector that does not walk again and again over half a million objects of
imports, which live to the end."""

import gc
import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[1].parent / "shared" / "data"
_CHOSEN = os.environ.get("PRISMAE_DATA")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the official data files: PRISMAE_DATA, else the one beside the repository."""
    folder = Path(_CHOSEN) if _CHOSEN else _BESIDE
    if not folder.is_dir():
        pytest.skip("no real data: set PRISMAE_DATA to the folder of the official files")
    return folder


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    gc.disable()
    result = yield
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()
    return result
