"""Held-out losses: measured without a trace in the training, and a stop where they no longer fall."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import prismae as pr
from prismae.errors import InputError, Interrupted
from prismae.settings import MOST, Training
from prismae.studies import Job, run
from prismae.train import stopping, train
from prismae.train.stopping import last_fall

SMALL = Training(n_latents=2, net="mlp:width=8", likelihood="gaussian", batch=16, lr=1e-2, steps=30)


@pytest.fixture(scope="module")
def parts():
    x = np.random.default_rng(0).normal(size=(120, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
    return pr.world(x.astype(np.float32)).split(0.2)


@pytest.fixture
def impatient(monkeypatch):
    """Trainings that stop soon: after 20 steps without a fall, looked at every second one."""
    monkeypatch.setattr(stopping, "FEWEST", 20)
    monkeypatch.setattr("prismae.settings.MOST", 200)


@pytest.mark.parametrize(
    ("losses", "fall"),
    [
        ([5.0], 0),
        ([5, 4, 3, 2, 1, 0], 5),
        ([5, 1, 1, 1, 1, 1, 1, 1], 1),
        ([5, 1, 1.2, 0.9, 1.1, 0.85, 1.2, 0.9, 1.1, 0.85, 1.2], 1),  # noise of 0.2 hides 0.15
        ([5, 1, 1.2, 0.9, 1.1, 0.6, 0.8, 0.55, 0.8], 5),
        ([100.0, 1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8], 1),  # half a percent of 99 is 0.495
        ([1.0, 2.0, 3.0], 0),
        ([1.0, float("nan"), 0.5], 0),  # no noise is known
    ],
)
def test_a_fall_is_more_than_noise_and_half_a_percent(losses, fall):
    assert last_fall(losses) == fall


@pytest.mark.parametrize("method", ["beta-vae", "beta-tcvae", "gmvae", "factor-vae", "vade"])
def test_measuring_changes_nothing_of_the_training(parts, method):
    fields = {"factor-vae": {"critic_width": 8}, "vade": {"n_components": 2}, "gmvae": {"n_components": 2}}
    chosen, (kept, held) = pr.method(method, **fields.get(method, {})), parts
    alone, watched = (train(chosen, kept, SMALL, device="cpu", held=each) for each in (None, held))
    for name, value in alone.ae.state_dict().items():
        assert torch.equal(value, watched.ae.state_dict()[name]), name
    assert "monitor:unseen_loss" in watched.history
    assert "monitor:unseen_loss" not in alone.history


def test_the_curve_is_the_loss_of_the_held_out_rows(parts):
    trained = train(pr.method("ae"), parts[0], SMALL, device="cpu", held=parts[1])  # whose loss has no noise
    x = parts[1].data[torch.arange(len(parts[1]))]
    with torch.no_grad():
        nll = trained.ae.nll(x, trained.ae.encode(x).mean).mean()
    last = trained.history.iloc[-1]
    assert last["unseen:recon"] == pytest.approx(float(nll), rel=1e-5)
    assert last["monitor:unseen_loss"] == last["unseen:recon"]


def test_auto_stops_and_keeps_the_lowest(parts, impatient):
    auto = replace(SMALL, steps="auto")
    trained = train(pr.method("vae"), parts[0], auto, device="cpu", held=parts[1])
    losses = trained.history[["step", "monitor:unseen_loss"]].dropna()
    lowest = int(losses["step"].iloc[losses["monitor:unseen_loss"].argmin()]) + 1
    assert trained.kept == lowest < trained.steps < 200
    fixed = train(pr.method("vae"), parts[0], replace(SMALL, steps=lowest), device="cpu")
    for name, value in fixed.ae.state_dict().items():
        assert torch.equal(value, trained.ae.state_dict()[name]), name


def test_auto_needs_something_held_out(parts):
    with pytest.raises(InputError, match="stops by observations that are not trained on"):
        train(pr.method("vae"), parts[0], replace(SMALL, steps="auto"), device="cpu")
    with pytest.raises(InputError, match="snapshots are taken at steps that are known"):
        Training(steps="auto", snapshots=(5,))
    for wrong, said in (("many", "a valid integer or 'auto'"), (0, "greater than or equal to 1 or 'auto'")):
        with pytest.raises(InputError, match=f"training: steps should be {said}, got {wrong!r}"):
            Training(steps=wrong)
    assert Training(steps="auto").limit == MOST


def test_a_job_that_stops_by_itself_resumes_to_the_bit(impatient, tmp_path):
    job = Job("vae", "digits", n_latents=2, net="mlp:width=8", steps="auto", lr=1e-2)
    assert job.holdout == 0.1
    assert job.id != replace(job, steps=MOST).id

    def stop(step):
        if step == 24:
            raise Interrupted("here")

    with pytest.raises(Interrupted):
        run(job, tmp_path / "pieces", device="cpu", checkpoint_every=8, on_step=stop)
    folders = [run(job, tmp_path / name, device="cpu") for name in ("pieces", "whole")]
    one, other = (folder.load()[1] for folder in folders)
    assert (one.steps, one.kept) == (other.steps, other.kept)
    assert one.kept < one.steps
    assert one.history.equals(other.history)
    for name, value in one.ae.state_dict().items():
        assert torch.equal(value, other.ae.state_dict()[name]), name
    about = folders[0].job
    assert (about["steps"], about["kept"], about["n"]) == (one.steps, one.kept, 1617)
    assert "the held-out loss was lowest then" in (folders[0].path / "README.md").read_text()
