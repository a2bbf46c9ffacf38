"""How a training went wrong: on made-up histories, on counts, and where it is said."""

import json
import warnings
from math import exp, log

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from prismae import Autoencoder
from prismae.cli import app
from prismae.errors import TrainingWarning
from prismae.methods.beta_vae import BetaVAE
from prismae.methods.hgmvae import HGMVAE
from prismae.train.outcome import divergence, effective_number, setback, times_the_mean


def history(recon, mse=None, **columns):
    """A history of one step a row; the monitored error in every tenth row."""
    n = len(recon)
    errors = np.full(n, np.nan)
    if mse is not None:
        errors[9::10] = np.interp(np.arange(n)[9::10], np.linspace(9, n - 1, len(mse)), mse)
    return pd.DataFrame({"step": np.arange(n), "recon": recon, "monitor:mse": errors, **columns})


def falling(n=400, start=550.0, end=98.0):
    rng = np.random.default_rng(0)
    return end + (start - end) * np.exp(-np.arange(n) / (n / 8)) + rng.normal(size=n)


WELL = [1.2, 0.3, 0.2, 0.2]
ONE = {"recon": 1.0}


def test_a_training_that_falls_has_no_sentence():
    assert divergence(history(falling(), WELL), ONE) is None


def test_a_loss_that_jumps_in_its_last_rows_diverged():
    loss = falling()
    loss[-4:] *= 60_000
    assert "diverged: its loss ended at 5.9" in divergence(history(loss, WELL), ONE)


def thrown_back(by, loss_by):
    """A history whose error and loss rise after two thirds of it."""
    loss, errors = (
        falling(start=500.0, end=100.0),
        np.full(40, 0.2) + np.r_[np.linspace(1, 0, 5), np.zeros(35)],
    )
    loss[270:] += loss_by
    errors[27:] += by
    return history(loss, errors)


def test_a_training_that_was_thrown_back_is_told_from_one_that_pays_for_another_term():
    said = setback(thrown_back(0.08, 20.0), ONE)
    assert "20.0\u00a0% of the variance after" in said
    assert said.endswith("28.0\u00a0% at the end.")
    assert setback(thrown_back(0.08, 0.0), ONE) is None  # the error rose, the loss did not
    assert setback(thrown_back(0.03, 20.0), ONE) is None  # less than 5 % of the variance
    assert setback(thrown_back(0.08, 20.0), ONE, error_of_mean=2.0) is None
    kl = np.zeros(400)
    kl[:270] = 30.0  # the error is paid for by a term that fell as much
    paid = thrown_back(0.08, 20.0).assign(kl=kl)
    assert setback(paid, ONE | {"kl": 1.0}) is None


def test_one_odd_batch_or_a_noisy_error_is_no_setback():
    errors = 0.3 + 0.1 * np.random.default_rng(0).normal(size=40)
    assert setback(history(falling(), errors), ONE) is None
    loss = falling()
    loss[-1] = 1e9
    assert setback(history(loss, [*WELL, 0.9]), ONE) is None


def test_one_odd_batch_is_no_divergence():
    for place in (200, -1):
        loss = falling()
        loss[place] = 1e9
        assert divergence(history(loss, WELL), ONE) is None


def test_a_loss_far_below_0_fell_without_end_and_a_log_density_did_not():
    loss = falling()
    assert "no lower bound" in divergence(
        history(loss, WELL, fisher=-np.geomspace(1, 1e24, 400)), ONE | {"fisher": 1.0}
    )
    assert divergence(history(falling(start=90.0, end=-300.0), WELL), ONE) is None


def test_a_weight_that_is_raised_is_no_rise_of_the_loss():
    kl = 60 * np.exp(-np.arange(400) / 50) + 15
    weight = np.where(np.arange(400) < 300, 0.0, 50.0)
    raised = history(falling(), WELL, kl=kl, **{"weight:kl": weight})
    assert divergence(raised, ONE | {"kl": 0.0}) is None


def test_an_observation_is_no_part_of_the_loss():
    assert divergence(history(falling(), WELL, entropy=np.geomspace(1, 1e9, 400)), ONE) is None


def test_an_error_that_rose_above_the_mean_s_diverged():
    said = divergence(history(falling(), [1.2, 0.2, 0.2, 1.37]), ONE)
    assert said.startswith(
        "The training diverged: reconstructions ended with 1.37 times the error of the mean"
    )
    assert "had 0.2 times" in said


def test_an_error_about_the_mean_s_is_a_plateau_and_no_divergence():
    for errors in ([1.3, 1.2, 1.2], [1.6, 1.5, 1.45], [0.999] * 3, [9.0, 8.0, 7.0]):
        assert divergence(history(falling(), errors), ONE) is None
        assert times_the_mean(history(falling(), errors)) == pytest.approx(errors[-1])
    # the probe's own spread is the unit: the mean itself has 1.5 there
    assert times_the_mean(history(falling(), [1.6, 1.5, 1.5]), 1.5) == pytest.approx(1.0)
    assert times_the_mean(history(falling(), [1.6, 1.5, 1.4]), 1.5) is None
    assert times_the_mean(history(falling())) is None


def test_an_error_far_above_the_mean_s_from_the_start_on_diverged():
    assert "ended with 30 times the error" in divergence(history(falling(), [50.0, 30.0, 30.0]), ONE)


def test_codes_that_all_mean_the_same_are_said():
    # MNIST's kind of image: the mean image alone explains a third of the variance of pixels around their common mean
    rng = np.random.default_rng(0)
    images = np.clip(np.linspace(0, 1, 64).reshape(8, 8) + 0.2 * rng.normal(size=(300, 8, 8)), 0, 1)
    model = Autoencoder(BetaVAE(1e5), n_latents=2, steps=150, lr=1e-2, device="cpu", net="mlp:width=16")
    with pytest.warns(TrainingWarning, match="Every observation is rebuilt as the mean"):
        model.fit(images)


def test_a_short_training_that_exploded_in_its_first_steps_diverged():
    loss = np.r_[5.0, np.full(29, 90.0)]
    said = divergence(history(loss, [38.0]), ONE)
    assert said.startswith("The training diverged: reconstructions ended with 38 times the error of the mean")
    assert "above the 5 of its first step" in said
    assert divergence(history(loss, [3.0]), ONE) is None
    # the first steps of a training that has not come to the mean yet go up and down
    assert divergence(history(loss, [9.0, 2.0, 4.7]), ONE) is None
    assert "diverged" in divergence(history(loss, [9.0, 0.9, 4.7]), ONE)
    # images that hardly vary: a network that is still far from their mean has had no time, and gets nearer
    assert divergence(history(loss[::-1], [38.0]), ONE) is None


def test_few_rows_and_no_monitor_have_no_sentence():
    assert divergence(history(falling(3)), ONE) is None
    assert divergence(history(falling(400)), ONE) is None


def test_components_in_use_are_counted_by_the_entropy_of_their_shares():
    assert effective_number([200] * 10) == pytest.approx(10)
    assert effective_number([2000] + [0] * 9) == pytest.approx(1)
    assert effective_number([1800, 200, 0, 0]) == pytest.approx(exp(-0.9 * log(0.9) - 0.1 * log(0.1)))


@pytest.mark.slow
def test_a_raw_fisher_term_of_weight_1_is_called_diverged_by_the_estimator():
    method = HGMVAE(fisher="raw", fisher_weight=1.0, n_components=3)
    rows = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)
    model = Autoencoder(method, n_latents=3, steps=600, lr=1e-2, device="cpu")
    with pytest.warns(TrainingWarning, match="The training diverged") as said:
        model.fit(rows)
    assert {str(each.message) for each in said if each.category is TrainingWarning} == set(
        model.about_["warnings"]
    )


def test_a_good_training_has_no_warning():
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(200, 2)) @ rng.normal(size=(2, 12))).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        model = Autoencoder("ae", n_latents=2, steps=800, lr=1e-2, net="mlp:width=32", device="cpu").fit(rows)
    assert model.about_["warnings"] == []
    assert model.verdict_.word == "linear"


def test_fit_says_so_in_a_line_keeps_it_in_the_run_folder_and_the_report_has_it_first(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(60, 6)))
    command = ["fit", "ae", str(tmp_path / "x.npy"), "--net", "mlp:width=16", "--likelihood", "gaussian"]
    command += [
        "--latents",
        "2",
        "--steps",
        "60",
        "--lr",
        "3",
        "--no-evaluate",
        "--out",
        str(tmp_path / "runs"),
    ]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    kept = json.loads((folder / "job.json").read_text())["warnings"]
    assert "diverged" in kept[0]
    for sentence in kept:
        assert f"warning: {sentence}" in done.output
    from prismae.report.findings import findings
    from prismae.runs.run import Run

    first = findings(Run(folder).read())[0]
    assert (first.kind, first.text) == ("warning", kept[0])
