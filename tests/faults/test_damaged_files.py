"""A bit of a run's files that has changed on the disk is found, and the file named."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from prismae.errors import InputError
from prismae.runs.files import HISTORY, WEIGHTS, read_history
from prismae.runs.manifest import MANIFEST, check, whole, written
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


FILES = ("job.json", "verdict.json", "history.parquet", "pictures.npz", "decoder.json", "weights.safetensors")


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_flipped_bit_of_any_file_of_a_run_is_found_and_the_file_named(name, finished, tmp_path):
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    Run(folder).read()
    assert {each.name for each in folder.iterdir() if each.suffix != ".md"} >= set(FILES)
    for _ in flipped(folder / name, 12):
        with pytest.raises(InputError, match=rf"{name}' is damaged"):
            Run(folder).read()
    (folder / name).write_bytes((folder / name).read_bytes()[:-2])
    with pytest.raises(InputError, match=rf"{name}' is damaged"):
        Run(folder).read()
    (folder / "manifest.json").unlink()  # as in runs of earlier versions
    assert name == "job.json" or Run(folder).job["n_latents"] == 2


def test_files_of_another_run_are_found_though_they_fit(finished, tmp_path):
    other = Job("vae", "digits", n_latents=2, steps=4, batch=8, net="mlp:width=4", seed=1)
    made = run(other, tmp_path, device="cpu")
    for name in ("weights.safetensors", "verdict.json"):
        own = (made.path / name).read_bytes()
        assert own != (finished / name).read_bytes()
        shutil.copy(finished / name, made.path)
        read = Run(made.path).load if name == "weights.safetensors" else Run(made.path).read
        with pytest.raises(InputError, match=rf"{name}' is damaged, or of another run"):
            read()
        (made.path / name).write_bytes(own)
    Run(made.path).read().load()


def test_a_kill_between_the_manifest_and_the_file_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    for content in ("1", "2"):
        with written(path) as part:
            part.write_text(content)
    original = os.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda self, to: original(self, to) if to.name == MANIFEST else 1 / 0)
        with pytest.raises(ZeroDivisionError), written(path) as part:
            part.write_text("3")
    assert whole(path) == b"2"
    for content in ("4", "5"):
        with written(path) as part:
            part.write_text(content)
        assert whole(path) == content.encode()
    path.write_text("3")  # which never was there
    with pytest.raises(InputError, match=r"scores.json' is damaged"):
        whole(path)


def test_what_is_written_at_once_is_all_in_the_manifest(tmp_path):
    def write(i):
        with written(tmp_path / f"codes-{i % 4}.npz") as part:
            part.write_text(f"{i}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert {*json.loads((tmp_path / MANIFEST).read_text())["files"]} == {f"codes-{i}.npz" for i in range(4)}
    check(tmp_path)


def test_weights_of_another_size_are_found(finished, tmp_path):
    other = Job("vae", "digits", n_latents=3, steps=4, batch=8, net="mlp:width=4")
    made = run(other, tmp_path, device="cpu")
    shutil.copy(finished / WEIGHTS, made.path)
    (made.path / MANIFEST).unlink()
    with pytest.raises(InputError, match="does not hold the weights of the network"):
        Run(made.path).load()
