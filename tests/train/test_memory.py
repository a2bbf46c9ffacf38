"""A network that is too large is refused before it takes memory."""

from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
import torch

import prismae as pr
from prismae.errors import InputError
from prismae.nets import net

build = import_module("prismae.train.build")  # the package has a function of that name


def test_too_many_weights_are_counted_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 100_000
    x = np.random.default_rng(0).normal(size=(4, size)).astype(np.float32)
    monkeypatch.setattr(build, "memory", lambda: 1e9)
    encoder, decoder = (size, 1024, 1024, 512, 10), (10, 512, 1024, 1024, size)
    weights = sum(a * b + b for widths in (encoder, decoder) for a, b in pairwise(widths))
    said = f"'mlp' has {weights:,} weights for observations of 100,000 values and takes {16 * weights / 1e9:.1f} GB"
    with pytest.raises(InputError, match=said):
        pr.Autoencoder("ae", net="mlp", steps=1).fit(pr.world(x, series="rows"))


def test_counting_draws_nothing() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    build._check_memory(net("mlp"), (1000,), 4, 2)
    assert torch.equal(before, torch.get_rng_state())
    assert 1e8 < build.memory() < 1e15
