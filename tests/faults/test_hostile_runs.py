"""Run folders of strangers: what is in them is read or refused in one sentence, and reaches nothing else."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from prismae._files import sweep
from prismae.errors import InputError
from prismae.runs.claim import claim
from prismae.runs.files import PICTURES, WEIGHTS
from prismae.runs.manifest import MANIFEST, whole
from prismae.runs.run import Run
from prismae.studies import Job, run
from prismae.train.checkpoint import save_state

RUNS = Path(__file__).parents[1] / "runs" / "0.1"


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(RUNS / "gcae-digits-077e13ba", tmp_path / "run"))


@pytest.mark.parametrize("name", [".lock", ".scores.lock"])
def test_a_link_in_place_of_a_lock_empties_no_file(folder, tmp_path, name):
    mine = tmp_path / "mine.txt"
    mine.write_text("my work")
    (folder / name).symlink_to(mine)
    with pytest.raises(InputError, match=f"{name} is a link, and a lock is to stand there"):
        claim(Run(folder), lock=name).__enter__()
    left = folder / f".{'a' * 32}.part"
    left.mkdir()
    (left / ".held").symlink_to(mine)
    sweep(folder)
    assert mine.read_text() == "my work"


def test_a_link_in_place_of_the_manifests_lock_empties_no_file(folder, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("my work")
    (folder / ".manifest.lock").symlink_to(mine)
    with pytest.raises(InputError, match=r".manifest.lock is a link"):
        Run(folder).write_json("scores.json", {})
    assert mine.read_text() == "my work"


def test_what_is_written_takes_a_links_place_and_not_that_of_its_file(folder, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("my work")
    (folder / "stability.json").symlink_to(mine)
    Run(folder).write_json("stability.json", {"udr": 1})
    assert mine.read_text() == "my work"
    assert json.loads((folder / "stability.json").read_text()) == {"udr": 1}


def test_a_pipe_in_place_of_weights_is_not_waited_for(folder):
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)
    with pytest.raises(InputError, match=r"is not a finished run: weights.safetensors missing"):
        Run.open(folder)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"n_latents": 1e400}',
        '{"source": "\\ud800"}',
        '{"n": ' + "9" * 5_000 + "}",
    ],
    ids=["deep list", "deep object", "infinite", "half a letter", "thousands of digits"],
)
def test_json_that_is_none_that_a_run_has_is_one_sentence(folder, text):
    job = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(job)[:-1] + f", {text[1:]}" if text.endswith("}") else text)
    with pytest.raises(InputError, match=r"job.json"):
        _ = Run(folder).job


@pytest.mark.parametrize("text", ["[" * 100_000, '{"sha256": 1, "files": []}', "1e400", "null"])
def test_a_manifest_that_is_none_is_one_sentence(folder, text):
    (folder / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=r"manifest.json' is damaged"):
        whole(folder / "job.json")


def test_arrays_that_unpack_to_more_than_there_is_memory_are_refused(folder, monkeypatch):
    with zipfile.ZipFile(folder / PICTURES, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.npy", b"\0" * 2_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(os, "sysconf", lambda name: 2**10)  # 1 MB
        with pytest.raises(InputError, match="holds 0 GB of numbers"):
            _ = Run(folder).pictures


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"step": "three", "controllers": []},
        {"controllers": [1, 2]},
        {
            "step": 3,
            "critic_updates": 0,
            "seconds": 1.0,
            "controllers": [],
            "ae": {"a": np.zeros(3).tolist()},
        },
    ],
    ids=["nothing", "a text", "numbers", "other weights"],
)
def test_a_checkpoint_of_anothers_making_is_one_sentence(tmp_path, state):
    job = Job("vae", "digits", n_latents=2, steps=4, batch=8, net="mlp:width=4")
    save_state(Run(tmp_path / job.id).checkpoint, state)
    with pytest.raises(InputError, match=r"The checkpoint does not fit this training .* delete it"):
        run(job, tmp_path, device="cpu")
