"""Limits: with these settings a method equals a simpler one."""

from dataclasses import replace

import pytest
import torch
from flat import train

from prismae import world
from prismae.control import Ramp
from prismae.methods.beta_vae import BetaVAE
from prismae.methods.control_vae import ControlVAE
from prismae.methods.dynamic_vae import DynamicVAE
from prismae.methods.ed_gcae import EDGCAE
from prismae.methods.gcae import GCAE
from prismae.methods.vae import VAE


def trained(method, likelihood="mse", steps=4, **kwargs):
    return train(
        method,
        world("pulses"),
        n_latents=4,
        net="mlp:width=32",
        likelihood=likelihood,
        steps=steps,
        batch=16,
        device="cpu",
        **kwargs,
    )


def same(a, b, tolerance):
    for x, y in zip(a.ae.parameters(), b.ae.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=tolerance)


FIXED = {
    "alpha": 1.0,
    "gamma": 1.0,
    "critic_type": "independent",
    "critic_steps": 5,
    "critic_lr": GCAE.critic_lr,
}


@pytest.mark.parametrize("rule", ["ema", "literal"])
@pytest.mark.parametrize("nodes", ["independent", "stratified"])
def test_ed_gcae_with_fixed_noise_and_independent_critics_is_gcae(nodes, rule):
    small = {"critic_warmup": 5, "critic_width": 16, "n_nodes": 6, "nodes": nodes}
    # Eq. 4 as printed keeps sigma only where its floor holds it
    fixed = FIXED | {"alpha": 0.0} if rule == "literal" else FIXED
    ed = EDGCAE(sigma_max=0.2, sigma_min=0.2, noise_rule=rule, **fixed, **small)
    a, b = trained(ed), trained(GCAE(sigma=0.2, critic_steps=5, **small))
    same(a, b, 1e-6)
    for x, y in zip(a.critic.parameters(), b.critic.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-6)
    assert (a.history.filter(like="sigma") - b.history.filter(like="sigma")).abs().max(axis=None) < 1e-7


def test_the_noise_does_matter_to_ed_gcae():
    small = {"critic_warmup": 5, "critic_width": 16, "n_nodes": 6}
    a = trained(EDGCAE(**FIXED | {"alpha": 0.1}, **small))
    b = trained(GCAE(sigma=0.2, critic_steps=5, **small))
    assert any((x - y).abs().max() > 1e-5 for x, y in zip(a.ae.parameters(), b.ae.parameters(), strict=True))


def test_gcae_without_its_latent_loss_does_not_depend_on_the_critic():
    method = GCAE(weight=0.0, critic_warmup=0, critic_width=16, critic_steps=1)
    a, b = trained(method), trained(replace(method, critic_lr=0.05))
    same(a, b, 0)


def test_beta_vae_of_beta_1_is_the_vae():
    same(trained(BetaVAE(beta=1.0), "gaussian"), trained(VAE(), "gaussian"), 0)


@pytest.mark.parametrize("method", [ControlVAE(kp=0, ki=0, beta_min=3), DynamicVAE(kp=0, ki=0, beta_start=3)])
def test_a_controlled_vae_without_gains_is_the_beta_vae(method):
    same(trained(method, "gaussian"), trained(BetaVAE(beta=3.0), "gaussian"), 0)


def test_a_flat_ramp_of_a_weight_is_the_method_without_it():
    same(trained(VAE(), "gaussian", controllers=[Ramp("kl", start=1.0)]), trained(VAE(), "gaussian"), 0)
