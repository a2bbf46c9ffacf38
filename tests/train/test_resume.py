"""A run that was stopped, by Ctrl-C or by a kill, ends with the same weights as one that was not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest
import torch

from prismae._files import write_file
from prismae.errors import InputError
from prismae.runs.run import Run
from prismae.studies import Job, run, score
from prismae.train import Interrupted, loop
from prismae.train.checkpoint import load_state, save_state

SMALL = {"critic_warmup": 4, "critic_width": 16, "n_nodes": 4}
JOBS = {
    "ed-gcae": Job("ed-gcae", "digits", SMALL, n_latents=3, steps=40, batch=16),
    "gcae": Job("gcae", "digits", SMALL | {"critic_steps": 2}, n_latents=3, steps=40, batch=16),
    "vae": Job("vae", "digits", n_latents=3, net="mlp:width=16", steps=40, batch=16, precision="bf16"),
}
SCRIPT = """
import sys
from prismae.studies import Job, run
from prismae.train import loop
import os, signal

advance = loop.Ongoing.advance


def until_killed(self):
    advance(self)
    if self.step == 17:
        os.kill(os.getpid(), signal.SIGKILL)


loop.Ongoing.advance = until_killed
run(Job(**eval(sys.argv[1])), sys.argv[2], device="cpu", checkpoint_every=7)
"""


def killed(job, folder):
    content = repr({name: getattr(job, name) for name in job.__dataclass_fields__})
    words = [sys.executable, "-c", SCRIPT, content, str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def same(a, b):
    first, second = (folder.load()[1] for folder in (a, b))
    for x, y in ((first.ae, second.ae), (first.critic, second.critic)):
        if x is not None:
            for name, value in x.state_dict().items():
                assert torch.equal(value, y.state_dict()[name]), name
    pd.testing.assert_frame_equal(first.history, second.history, check_exact=True)


def goes_on(job, folder):
    """A run of what a kill at step 17 left in `folder`."""
    checkpoint = folder / job.id / "checkpoint" / "state.safetensors"
    assert load_state(checkpoint)["step"] == 14
    (checkpoint.parent / ".state.0.part.safetensors").touch()  # what a kill in the middle of a write leaves
    resumed = run(job, folder, device="cpu", checkpoint_every=7)
    assert not checkpoint.parent.exists()
    return resumed


def test_what_is_there_in_the_middle_of_a_run_is_enough_to_go_on_to_the_bit(tmp_path):
    def kept(step):
        if step == 17:
            shutil.copytree(tmp_path / "whole", tmp_path / "killed")

    whole = run(JOBS["vae"], tmp_path / "whole", device="cpu", checkpoint_every=7, on_step=kept)
    same(goes_on(JOBS["vae"], tmp_path / "killed"), whole)


@pytest.mark.slow  # the test above has what a kill leaves, without a process that imports all anew
@pytest.mark.parametrize("name", JOBS)
def test_a_killed_run_goes_on_to_the_bit(name, tmp_path):
    job = JOBS[name]
    process = killed(job, tmp_path / "killed")
    assert process.returncode == -signal.SIGKILL, process.stderr
    same(goes_on(job, tmp_path / "killed"), run(job, tmp_path / "whole", device="cpu", checkpoint_every=1000))


def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on(tmp_path):
    job = JOBS["vae"]

    def interrupt(ae):
        os.kill(os.getpid(), signal.SIGINT)

    original = loop.Ongoing.advance
    calls = []

    def advance(self):
        calls.append(1)
        original(self)
        if len(calls) == 11:
            interrupt(self.ae)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Ongoing, "advance", advance)
        with pytest.raises(Interrupted, match="after step 11 of 40; the same command goes on"):
            run(job, tmp_path / "stopped", device="cpu")
    resumed = run(job, tmp_path / "stopped", device="cpu")
    same(resumed, run(job, tmp_path / "whole", device="cpu"))


@pytest.fixture
def ended():
    """The signals that reach the process, which would end it otherwise."""
    seen = []
    before = {each: signal.signal(each, lambda signum, frame: seen.append(signum)) for each in loop.ENDS}
    yield seen
    for each, handler in before.items():
        signal.signal(each, handler)


def test_a_signal_that_ends_a_process_does_so_after_a_checkpoint(ended, tmp_path, monkeypatch):
    job, advance = JOBS["vae"], loop.Ongoing.advance

    def until_sent(self):
        advance(self)
        if self.step == 11:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Ongoing, "advance", until_sent)
        with pytest.raises(Interrupted):
            run(job, tmp_path / "ended", device="cpu")
    assert ended == [signal.SIGTERM]
    assert signal.SIGHUP in loop.ENDS  # and so does what a terminal sends when it closes
    assert load_state(tmp_path / "ended" / job.id / "checkpoint" / "state.safetensors")["step"] == 11
    same(run(job, tmp_path / "ended", device="cpu"), run(job, tmp_path / "whole", device="cpu"))


def test_a_checkpoint_of_another_run_is_told_though_it_fits(tmp_path, monkeypatch):
    job, advance = JOBS["vae"], loop.Ongoing.advance
    other = replace(job, seed=1)

    def until_stopped(self):
        advance(self)
        if self.step == 9:
            raise ZeroDivisionError

    for each in (job, other):
        with monkeypatch.context() as patch:
            patch.setattr(loop.Ongoing, "advance", until_stopped)
            with pytest.raises(ZeroDivisionError):
                run(each, tmp_path, device="cpu", checkpoint_every=7)
    mine, its = (Run(tmp_path / each.id).checkpoint for each in (job, other))
    content = mine.read_bytes()
    shutil.copy(its, mine)
    with pytest.raises(InputError, match=f"is the checkpoint of another training, '{other.id}'"):
        run(job, tmp_path, device="cpu")
    mine.write_bytes(content)
    same(run(job, tmp_path, device="cpu"), run(job, tmp_path / "whole", device="cpu"))


def test_a_clock_that_goes_back_changes_nothing(tmp_path, monkeypatch):
    job = JOBS["vae"]
    now = iter(range(2_000_000_000, 0, -3600))
    whole = run(job, tmp_path / "whole", device="cpu")
    with monkeypatch.context() as patch:
        for name, unit in (("time", 1), ("time_ns", 10**9)):
            patch.setattr(time, name, lambda unit=unit: next(now) * unit)
        turned = run(job, tmp_path / "turned", device="cpu", checkpoint_every=7)
        score(turned, metrics="mig", others=False)
    assert turned.job["seconds"] >= 0
    same(turned, whole)


def test_a_finished_run_is_not_computed_again(tmp_path, monkeypatch):
    job = JOBS["vae"]
    run(job, tmp_path, device="cpu")
    monkeypatch.setattr("prismae.studies.fit.train", lambda *args, **kwargs: pytest.fail("trained again"))
    assert run(job, tmp_path).finished


def test_nested_states_survive_a_checkpoint(tmp_path):
    state = {
        "state": {0: {"step": torch.tensor(3.0), "m": torch.arange(4)}, 1: {}},
        "groups": [{"betas": [0.5, 0.9], "lr": 1e-4, "params": [0, 1], "fused": True, "none": None}],
        "text": "a",
        "nan": float("nan"),
    }
    save_state(tmp_path / "deep" / "file.safetensors", state)
    loaded = load_state(tmp_path / "deep" / "file.safetensors")
    assert loaded["state"][0]["m"].tolist() == [0, 1, 2, 3]
    assert loaded["groups"] == state["groups"]
    assert list(loaded["state"]) == [0, 1]
    assert loaded["nan"] != loaded["nan"]


@pytest.mark.skipif(os.name != "posix", reason="of umasks")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_files_of_tensors_are_for_those_for_whom_others_are(umask, tmp_path):
    before = os.umask(umask)
    try:
        save_state(tmp_path / "state.safetensors", {"a": torch.zeros(2)})
        write_file(tmp_path / "plain.txt", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "state.safetensors").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode
