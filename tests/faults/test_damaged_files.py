"""A bit of a run's files that has changed on the disk is found, and the file named."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from prismae.errors import InputError
from prismae.runs.files import HISTORY, WEIGHTS, read_history
from prismae.runs.run import Run
from prismae.studies import Job, run
from prismae.train.checkpoint import load_state, read_tensors, save_state


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A small run."""
    job = Job("vae", "digits", n_latents=2, steps=4, batch=8, net="mlp:width=4")
    return run(job, tmp_path_factory.mktemp("runs"), device="cpu").path


def flipped(path: Path, n: int):
    """Write a file with one bit changed, n times, each bit another one; the content before is written again."""
    content = path.read_bytes()
    for place in np.random.default_rng(0).choice(8 * len(content), n, replace=False):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        yield place
    path.write_bytes(content)


def test_a_flipped_bit_of_weights_is_found_wherever_it_is(finished, tmp_path):
    path = Path(shutil.copy(finished / WEIGHTS, tmp_path))
    for place in flipped(path, 60):
        with pytest.raises(InputError, match=r"weights.safetensors' is damaged"):
            print(place, read_tensors(path).keys())


def test_a_flipped_bit_of_a_checkpoint_is_found_wherever_it_is(tmp_path):
    import torch

    path = tmp_path / "state.safetensors"
    state = {"weights": {0: torch.randn(50, 4), 1: torch.arange(9).bool()}, "step": 3, "lr": 0.1}
    save_state(path, state | {"half": torch.ones(3, dtype=torch.bfloat16), "one": torch.tensor(2.0)})
    assert load_state(path)["one"] == 2.0
    for place in flipped(path, 60):
        with pytest.raises(InputError, match=r"state.safetensors' is damaged"):
            print(place, load_state(path).keys())
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"sha256"', b'"sha257"'))
    with pytest.raises(InputError, match=r"state.safetensors' is damaged"):
        load_state(path)


def test_a_flipped_bit_of_a_history_is_found_or_changes_nothing(finished, tmp_path):
    path = Path(shutil.copy(finished / HISTORY, tmp_path))
    whole, found = read_history(path), 0
    for _ in flipped(path, 60):
        try:
            assert read_history(path).equals(whole)
        except InputError:
            found += 1
    assert found > 10


def test_a_number_of_a_history_that_has_changed_is_found(finished, tmp_path):
    history = read_history(finished / HISTORY)
    import pandas as pd

    told = pd.read_parquet(finished / HISTORY)
    told.iloc[-1, 1] += 1e-9  # type: ignore[assignment]
    told.to_parquet(tmp_path / HISTORY)  # with the digest of what it was
    with pytest.raises(InputError, match=r"history.parquet is damaged, its content is not what was written"):
        read_history(tmp_path / HISTORY)
    assert len(history) == len(told)


def test_weights_of_another_size_are_found(finished, tmp_path):
    other = Job("vae", "digits", n_latents=3, steps=4, batch=8, net="mlp:width=4")
    made = run(other, tmp_path, device="cpu")
    shutil.copy(finished / WEIGHTS, made.path)
    with pytest.raises(InputError, match="does not hold the weights of the network"):
        Run(made.path).load()
