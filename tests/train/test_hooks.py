"""Hooks see a training as it goes on, may end it, and change nothing by looking."""

import numpy as np
import pandas as pd
import pytest
import torch
from flat import train
from sklearn.pipeline import make_pipeline
from torch import nn

from prismae import Autoencoder, Hook, world
from prismae.errors import InputError, NotFinite
from prismae.methods.factor_vae import FactorVAE
from prismae.methods.vae import VAE


def dropping(shape, n_outputs, n_latents):
    """A network that is another one in evaluation mode, and whose statistics move in training mode."""
    return (
        nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.2), nn.Linear(64, n_outputs)),
        nn.Sequential(nn.Linear(n_latents, 64), nn.Dropout(0.2), nn.Unflatten(1, shape)),
    )


def trained(method, steps=12, **given):
    settings = {"n_latents": 3, "net": dropping, "likelihood": "bernoulli", "batch": 16, "device": "cpu"}
    return train(method, world("digits"), steps=steps, **settings | given)


def same(a, b):
    for name, value in a.ae.state_dict().items():
        assert torch.equal(value, b.ae.state_dict()[name]), name
    pd.testing.assert_frame_equal(a.history, b.history, check_exact=True)


@pytest.mark.parametrize("method", [VAE(), FactorVAE(critic_width=8, critic_layers=2)])
def test_looking_changes_nothing(method):
    seen = []

    def look(now):
        seen.append((now.step, now.steps, now.ae.training, now.values()["recon"]))
        x = now.ae.standardise(world("digits").data[torch.arange(4)])
        now.ae.encode(x).rsample().sum().backward()  # which draws, and leaves gradients
        now.ae.train()
        torch.rand(3)

    watched = trained(method, hooks=[Hook(on_step=look), Hook(on_step=look, at=[5])])
    same(trained(method), watched)
    assert [step for step, *_ in seen] == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12]
    assert {(steps, mode) for _, steps, mode, _ in seen} == {(12, False)}
    recon = watched.history["recon"]
    assert [value for *_, value in seen] == [recon[step - 1] for step, *_ in seen]


def test_values_have_the_newest_monitored_errors():
    found = []
    done = trained(
        VAE(), steps=300, hooks=[Hook(on_step=lambda now: found.append(now.values()), at=[7, 300])]
    )
    errors = done.history.set_index("step")["monitor:mse"]
    assert [values["monitor:mse"] for values in found] == [errors[5], errors[299]]


def test_a_hook_ends_the_training_with_what_a_shorter_one_gives():
    ended = []
    stop = Hook(on_step=lambda now: now.step >= 7, on_end=ended.append, at=range(2, 100, 5))
    stopped = trained(VAE(), hooks=[stop])
    assert stopped.steps == 7
    assert len(ended) == 1
    assert ended[0] is stopped
    short = trained(VAE(), steps=7)
    for a, b in zip(stopped.ae.parameters(), short.ae.parameters(), strict=True):
        assert torch.equal(a, b)
    assert stopped.history["monitor:mse"].iloc[-1] == short.history["monitor:mse"].iloc[-1]


def test_what_is_true_but_not_true_ends_nothing():
    assert trained(VAE(), hooks=[Hook(on_step=lambda now: "yes")]).steps == 12


def test_a_hook_that_asks_for_values_hears_of_nan():
    def spoil(now):
        now.ae.encoder[-1].bias.data.fill_(float("nan"))

    with pytest.raises(NotFinite, match="at step 1"):
        trained(VAE(), hooks=[Hook(on_step=spoil, at=[1]), Hook(on_step=lambda now: now.values(), at=[2])])


def test_what_is_no_hook_is_refused_before_training():
    with pytest.raises(
        InputError, match=r"Hooks should be given as \[prismae.Hook\(on_step=…\)\], got <function"
    ):
        trained(VAE(), hooks=[lambda now: None])


def test_an_estimator_takes_hooks_and_says_where_it_stopped():
    X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    stop, ended = Hook(on_step=lambda now: now.step == 5), []
    model = Autoencoder("ae", 2, steps=20, warm_start=True, device="cpu").fit(X, hooks=[stop])
    assert (model.steps_, model.about_["steps"], model.about_["updates"]) == (5, 5, 5)
    whole = Autoencoder("ae", 2, steps=20, device="cpu").fit(X)
    np.testing.assert_array_equal(model.fit(X).transform(X), whole.transform(X))
    pipeline = make_pipeline(Autoencoder("ae", 2, steps=3, device="cpu"))
    pipeline.fit(X, autoencoder__hooks=[Hook(on_end=ended.append)])
    assert ended[0].steps == 3
