"""Controllers attached to a training: from Python, as a job's plain data, and as the command line writes them."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch
from flat import train

from prismae import Autoencoder, Job, load, world
from prismae.cli import main
from prismae.control import PI, Cyclical, Ramp, all_controllers, controllers_from_text
from prismae.errors import InputError
from prismae.methods.beta_tcvae import BetaTCVAE
from prismae.methods.control_vae import ControlVAE
from prismae.methods.dynamic_vae import DynamicVAE
from prismae.methods.vae import VAE
from prismae.train import Hook


def trained(method, steps=4, **kwargs):
    settings = {"n_latents": 4, "net": "mlp", "likelihood": "gaussian", "batch": 16, "device": "cpu"}
    return train(method, world("digits"), steps=steps, **settings | kwargs)


def test_controllers_are_found():
    assert {"pi", "incremental-pi", "ramp", "cyclical", "entropy-noise"} <= set(all_controllers())


def test_one_flat_cycle_on_the_kl_is_the_vae():
    a, b = trained(VAE(), controllers=[Cyclical("kl", cycles=1, ramp=0.0)]), trained(VAE())
    for x, y in zip(a.ae.parameters(), b.ae.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0)


def test_a_cyclical_weight_on_one_term_of_any_method():
    history = trained(BetaTCVAE(beta=6.0), 9, controllers=[Cyclical("tc", period=4, cycles=2)]).history
    assert history["weight:tc"].tolist() == pytest.approx([0, 3, 6, 6, 0, 3, 6, 6, 6])


def test_a_controller_may_move_the_noise_of_a_channel():
    from prismae.methods.gcae import GCAE

    quick = GCAE(sigma=0.2, critic_warmup=0, critic_width=8, n_nodes=3, critic_steps=1)
    history = trained(quick, 5, likelihood="mse", controllers=[Ramp("noise", steps=4)]).history
    assert history["sigma[3]"].tolist() == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])


def test_an_unknown_weight_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'tc'"):
        trained(BetaTCVAE(), controllers=[Ramp("tcc")])


def test_two_controllers_of_one_weight_are_refused():
    with pytest.raises(InputError, match="'kl' of control-vae"):
        trained(ControlVAE(), controllers=[Ramp("kl")])


def test_a_controlled_run_resumes_to_the_bit(tmp_path):
    whole = trained(DynamicVAE(beta_start=2.0), 8)
    controlled = {"checkpoint": tmp_path / "state.safetensors", "checkpoint_every": 5}

    class Stop(Exception):
        pass

    def stop(now):
        raise Stop

    with pytest.raises(Stop):
        trained(DynamicVAE(beta_start=2.0), 8, hooks=[Hook(on_step=stop, at=[7])], **controlled)
    again = trained(DynamicVAE(beta_start=2.0), 8, **controlled)
    assert whole.history["weight:kl"].tolist() == again.history["weight:kl"].tolist()


QUICK = {"target": 6.0, "kp": 0.2, "ki": 0.003}


@pytest.mark.parametrize(
    ("method", "net"),
    [
        pytest.param(
            ControlVAE(target=6.0, target_start=6.0, kp=0.05, ki=0.002, beta_min=0.0),
            "conv",
            marks=pytest.mark.slow,
        ),
        pytest.param(DynamicVAE(target_start=6.0, beta_start=0.1, **QUICK), "conv", marks=pytest.mark.slow),
        (
            DynamicVAE(
                target_start=3.0, target_step=1.5, target_every=100, target_ramp=50, beta_start=1.0, **QUICK
            ),
            "mlp:width=32",
        ),
    ],
    ids=["control-vae holds", "dynamic-vae holds", "dynamic-vae ends there"],
)
def test_controlled_vaes_have_their_target_as_kl(method, net):
    kl = trained(method, 600, net=net, likelihood="bernoulli", lr=4e-3, batch=64).history["kl"]
    assert kl.tail(100).mean() == pytest.approx(6.0, abs=0.25)


def test_texts_of_the_command_line():
    assert controllers_from_text("kl=pi:target=18,ki=0.01") == (PI("kl", target=18.0, ki=0.01),)
    assert controllers_from_text("mi, tc=ramp") == (Ramp("mi"), Ramp("tc"))
    for text, message in (
        ("kl", "expected WEIGHT=CONTROLLER"),
        ("kl=pi:target", "expected WEIGHT=CONTROLLER"),
        ("kl=pid:target=1", "did you mean 'pi'"),
        ("kl=pi:goal=1", "goal"),
        ("kl=pi:target=-1", "target should be greater than or equal to 0"),
    ):
        with pytest.raises(InputError, match=message):
            controllers_from_text(text)


def test_a_job_s_controllers_are_plain_data_with_all_their_fields():
    job = Job("vae", "digits", controls=({"controller": "pi", "moves": "kl", "target": 12},))
    assert job.controllers() == (PI("kl", target=12.0),)
    assert json.loads(json.dumps(job.controls))[0]["kp"] == 0.01
    assert Job("vae", "digits", controls=job.controls).id == job.id


def test_jobs_without_controllers_keep_the_id_of_before_there_were_any():
    job = Job("vae", "digits", steps=10_000)  # the number of steps that was the default then
    assert job.id == "vae-digits-326ad7db"
    assert replace(job, controls=({"controller": "ramp", "moves": "kl"},)).id != job.id


def test_the_command_line_attaches_controllers(tmp_path, monkeypatch, capsys):
    words = "fit beta-tcvae digits --steps 9 --batch 16 --latents 3 --no-evaluate --device cpu"
    control = ["--control", "mi,tc=cyclical:period=4,cycles=2", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["prismae", *words.split(), *control])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    (folder,) = tmp_path.iterdir()
    history = pd.read_parquet(folder / "history.parquet")
    assert history["weight:tc"].tolist() == pytest.approx([0, 3, 6, 6, 0, 3, 6, 6, 6])
    assert history["weight:mi"].tolist() == pytest.approx([0, 0.5, 1, 1, 0, 0.5, 1, 1, 1])


def test_a_saved_model_keeps_its_controllers(tmp_path):
    controllers = (Ramp("kl", steps=3),)
    model = Autoencoder("vae", 3, steps=4, batch=16, controllers=controllers, device="cpu").fit(
        world("digits")
    )
    model.save(tmp_path / "run")
    assert load(tmp_path / "run").controllers == controllers
    assert model.history_["weight:kl"].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
