"""The record of a run: read when it is asked for, and anew once it has been written; refused where it is no run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from prismae.errors import InputError
from prismae.runs import Run

OLD = Path(__file__).parent / "runs" / "0.1" / "gcae-digits-077e13ba"


@pytest.fixture
def run(tmp_path):
    return Run.open(shutil.copytree(OLD, tmp_path / "run"))


def test_what_is_written_is_read_anew(run):
    first = run.scores
    assert first is run.scores  # read once
    run.write_json("scores.json", first | {"spread": [1.0] * run.job["n_latents"]})
    assert run.scores["spread"] == [1.0] * 3 == json.loads((run.path / "scores.json").read_text())["spread"]
    (run.path / "scores.json").unlink()
    assert Run(run.path).scores is None


def test_snapshots_are_codes_of_all_observations(run):
    (step,) = run.job["snapshots"]
    assert run.snapshot(step).shape == (run.job["n"], run.job["n_latents"])
    with pytest.raises(InputError, match=rf"codes-{step + 1}\.npz is missing, or holds no codes"):
        run.snapshot(step + 1)


def test_what_is_no_finished_run_is_refused(run):
    with pytest.raises(InputError, match="There is no run folder"):
        Run.open(run.path / "nowhere")
    (run.path / "weights.safetensors").unlink()
    with pytest.raises(
        InputError, match=r"not a finished run: weights.safetensors missing \(it is not a run"
    ):
        Run.open(run.path)
    run.checkpoint.parent.mkdir()
    run.checkpoint.touch()
    with pytest.raises(InputError, match="run the same fit again to go on"):
        Run.open(run.path)


def test_arrays_of_objects_are_not_pickled(tmp_path):
    with pytest.raises(TypeError, match="odd would hold objects: b"):
        Run(tmp_path).write_arrays("odd", {"a": np.zeros(2), "b": np.array([{}, None])})
    assert [*tmp_path.iterdir()] == []
