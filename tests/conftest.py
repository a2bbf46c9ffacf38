"""The garbage collector need not walk again and again over what lives to the end: half a million objects of imports."""

import gc

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    gc.disable()
    result = yield
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()
    return result
