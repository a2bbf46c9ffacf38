"""Optimisers as data: decay, groups, clipping and schedules, against PyTorch's own and by hand."""

from dataclasses import dataclass

import pytest
import torch
from flat import train
from torch import nn

from prismae import world
from prismae.errors import InputError
from prismae.methods import Group, Method, Optimizer
from prismae.methods.vae import VAE
from prismae.train import Hook
from prismae.train.descent import adam, follow


def layers():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def with_gradients(module, size=1.0):
    for parameter in module.parameters():
        parameter.grad = size * torch.ones_like(parameter)
    return module


@pytest.mark.parametrize("reference", [torch.optim.Adam, torch.optim.AdamW])
def test_without_groups_it_is_pytorch_s_to_the_bit(reference):
    ours, theirs = layers(), layers()
    decoupled = reference is torch.optim.AdamW
    settings = Optimizer(lr=0.1, betas=(0.5, 0.9), eps=1e-4, weight_decay=0.2, decoupled=decoupled)
    mine = adam(ours, settings, settings.lr)
    its = reference(theirs.parameters(), lr=0.1, betas=(0.5, 0.9), eps=1e-4, weight_decay=0.2, fused=True)
    for step in range(3):
        with_gradients(ours)
        with_gradients(theirs)
        follow(mine, settings, settings.lr, step)
        its.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_weights_decay_and_those_of_a_group_do_not():
    # without gradients one step of AdamW multiplies a weight by 1 - lr * weight_decay
    module = with_gradients(layers(), 0.0)
    before = {name: parameter.detach().clone() for name, parameter in module.named_parameters()}
    settings = Optimizer(
        lr=1e-3, weight_decay=0.1, decoupled=True, groups=(Group(names=("bias", "1."), weight_decay=0.0),)
    )
    follow(adam(module, settings, settings.lr), settings, settings.lr, 0)
    for name, parameter in module.named_parameters():
        factor = 0.9999 if name == "0.weight" else 1.0
        torch.testing.assert_close(parameter.detach(), factor * before[name], rtol=1e-7, atol=0)


def test_the_elements_of_a_gradient_are_clipped_per_element_of_an_observation():
    seen = {}
    module = with_gradients(layers(), 100.0)
    settings = Optimizer(max_element=2.0, groups=(Group(names=("bias",), max_element=float("inf")),))
    optimizer = adam(module, settings, settings.lr)
    optimizer.register_step_pre_hook(
        lambda *_: seen.update({name: float(p.grad.max()) for name, p in module.named_parameters()})
    )
    follow(optimizer, settings, settings.lr, 0, elements=10)
    assert seen == {"0.weight": 20.0, "0.bias": 100.0, "1.weight": 20.0, "1.bias": 100.0}
    assert all(parameter.grad is None for parameter in module.parameters())


def test_the_norm_of_all_gradients_together_is_clipped():
    norms = []
    module = with_gradients(layers(), 100.0)
    settings = Optimizer(max_norm=3.0, groups=(Group(names=("bias",), rate=2.0),))
    optimizer = adam(module, settings, settings.lr)
    optimizer.register_step_pre_hook(
        lambda *_: norms.append(float(torch.cat([p.grad.flatten() for p in module.parameters()]).norm()))
    )
    follow(optimizer, settings, settings.lr, 0)
    assert norms == [pytest.approx(3.0, rel=1e-5)]


def halved(step):
    return 0.5**step


@dataclass(frozen=True)
class Slowing(Method):
    """An autoencoder whose learning rate halves at each step, and whose decoder learns three times as fast."""

    def weights(self):
        return {"recon": 1.0}

    def terms(self, ae, x, ctx):
        return {"recon": ae.nll(x, ae.encode(x).mean)}

    def optimizer(self):
        return Optimizer(lr=0.1, groups=(Group(names=("decoder",), rate=3.0),), schedule=halved)


def trained(method, **given):
    settings = {
        "n_latents": 3,
        "net": "conv",
        "likelihood": "bernoulli",
        "batch": 16,
        "device": "cpu",
        "steps": 6,
    }
    return train(method, world("digits"), **settings | given)


def test_a_schedule_and_groups_hold_over_a_resumed_training_to_the_bit(tmp_path):
    kept = {"checkpoint": tmp_path / "state.safetensors", "checkpoint_every": 2}

    def stop(now):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(Slowing(), hooks=[Hook(on_step=stop, at=[5])], **kept)
    whole, resumed = trained(Slowing()), trained(Slowing(), **kept)
    for a, b in zip(whole.ae.parameters(), resumed.ae.parameters(), strict=True):
        assert torch.equal(a, b)
    rates = [part["lr"] for part in whole.state["optimizer"]["param_groups"]]
    assert rates == pytest.approx([0.1 / 32, 0.3 / 32])


def test_a_training_s_learning_rate_takes_the_method_s_place_also_in_groups():
    state = trained(Slowing(), steps=1, lr=0.01).state
    assert [part["lr"] for part in state["optimizer"]["param_groups"]] == pytest.approx([0.01, 0.03])


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="lr should be greater than 0"):
        Optimizer(lr=0.0)
    with pytest.raises(InputError, match="clipped to more than 0"):
        Optimizer(groups=(Group(names=("bias",), max_element=0.0),))
    assert VAE().optimizer() == Optimizer(lr=1e-4)
