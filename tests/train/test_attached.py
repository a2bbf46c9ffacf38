"""What a method and its controllers cannot do together is refused before training: in Python, by a job, on the command
line, with the same sentence."""

from dataclasses import dataclass

import pytest
from flat import train

from prismae import Autoencoder, Job, world
from prismae.cli import main
from prismae.control import Cyclical, EntropyNoise, Evolve, Ramp, controllers_from_text
from prismae.errors import InputError
from prismae.methods import method
from prismae.methods.vae import VAE
from prismae.train.attached import check_controllers
from prismae.train.checkpoint import load_state, save_state

REFUSED = [  # method, its fields, likelihood, controller, the sentence
    (
        "gcae",
        {"weight": 0},
        "auto",
        "noise=entropy-noise:sigma_min=0.1",
        r"entropy-noise cannot move 'noise' of gcae: it reads entropy, and with these settings gcae has only recon; "
        r"with their defaults .*ed-gcae.* give it\.",
    ),
    (
        "gcae",
        {},
        "auto",
        "noise=pi:target=3",
        r"pi cannot move 'noise' of gcae: it moves the weights of terms only; 'noise' can be moved by cycl.*ramp\.",
    ),
    (
        "gcae",
        {},
        "auto",
        "noise=incremental-pi",
        r"incremental-pi cannot move 'noise' of gcae: .*entropy-noise",
    ),
    ("gcae", {}, "auto", "noise=evolve", r"evolve cannot move 'noise' of gcae: .*entropy-noise"),
    (
        "vae",
        {},
        "auto",
        "kl=entropy-noise",
        r"entropy-noise cannot move 'kl' of vae: it moves the noise of a channel",
    ),
    ("gcae", {}, "auto", "dependence=evolve", r"evolve cannot move 'dependence' of gcae: .*declares no KL"),
    ("gcae", {"weight": 0}, "auto", "dependence=ramp:end=1", r"Unknown weight of gcae 'dependence'"),
    (
        "hgmvae-g",
        {},
        "auto",
        "conditional=evolve",
        r"evolve cannot move 'conditional' of hgmvae-g: .*no KL.*beta-vae",
    ),
    (
        "vade",
        {"pretrain_steps": 0},
        "auto",
        "kl=evolve",
        r"evolve cannot move 'kl' of vade: .*declares no KL",
    ),
    ("wae", {}, "auto", "mmd=evolve", r"evolve cannot move 'mmd' of wae: .*declares no KL"),
    (
        "evae",
        {"rate": 5.0},
        "mse",
        None,
        r"evolve cannot move 'kl' of evae: it compares ELBOs in nats, and the likelihood 'mse' is not in nats; "
        r"those that are: bernoulli, ",
    ),
    (
        "beta-vae",
        {"beta": 0.0},
        "auto",
        "kl=evolve",
        r"evolve: 'kl' should start as one number within 0.001 and 1000",
    ),
]


@pytest.mark.parametrize(("name", "fields", "likelihood", "control", "sentence"), REFUSED)
def test_refused_before_training_with_one_sentence_wherever_it_is_asked(
    name, fields, likelihood, control, sentence, monkeypatch, capsys, tmp_path
):
    attached = () if control is None else controllers_from_text(control)
    monkeypatch.setattr("prismae.train.ongoing.Ongoing.advance", lambda run: pytest.fail("trained"))
    with pytest.raises(InputError, match=sentence) as python:
        Autoencoder(
            method(name, **fields), 2, likelihood=likelihood, controllers=attached, device="cpu", steps=2
        ).fit(world("digits"))
    with pytest.raises(InputError) as job:
        Job(
            name,
            "digits",
            fields,
            likelihood=likelihood,
            controls=tuple(each.described() for each in attached),
        )
    assert str(job.value) == str(python.value)
    words = [
        "prismae",
        "fit",
        name,
        "digits",
        "--likelihood",
        likelihood,
        "--out",
        str(tmp_path),
        "--device",
        "cpu",
    ]
    words += [word for pair in fields.items() for word in ("-p", "{}={}".format(*pair))]
    monkeypatch.setattr("sys.argv", words + ([] if control is None else ["--control", control]))
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert " ".join(str(python.value).split()) in " ".join(said.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "fields", "attached"),
    [
        ("gcae", {}, EntropyNoise(sigma_min=0.1)),
        ("gcae", {"weight": 0}, Ramp("noise")),
        ("gcae", {}, Cyclical("noise")),
        ("hfvae", {}, Evolve("mi,tc")),
        ("free-bits-vae", {}, Evolve("floored")),
        ("dip-vae", {}, Evolve("off_diagonal,diagonal")),
    ],
)
def test_what_goes_together_is_taken(name, fields, attached):
    check_controllers(method(name, **fields), [attached])


def test_names_that_the_run_uses_itself_are_no_names_of_terms():
    @dataclass(frozen=True)
    class Stepped(VAE):
        def weights(self):
            return {"recon": 1.0, "step": 1.0}

    with pytest.raises(InputError, match="stepped: 'step' cannot be the name of a term"):
        check_controllers(Stepped(), ())


def test_a_checkpoint_of_the_earlier_layout_is_refused(tmp_path):
    settings = {"n_latents": 2, "net": "mlp:width=8", "likelihood": "gaussian", "batch": 8, "device": "cpu"}
    ramp, data = Ramp("kl", steps=4), world("digits")
    done = train(VAE(), data, steps=3, controllers=[ramp], **settings)
    old = done.state | {
        "controllers": [each | {"kl": done.state["values"]["kl"]} for each in done.state["controllers"]]
    }
    save_state(tmp_path / "state.safetensors", old)
    assert load_state(tmp_path / "state.safetensors")["step"] == 3
    with pytest.raises(InputError, match="cannot be continued, since its controllers kept another state"):
        train(VAE(), data, steps=6, controllers=[ramp], checkpoint=tmp_path / "state.safetensors", **settings)
