"""GMVAE and VaDE: limits, the mixture's start, and pre-training."""

from math import log

import numpy as np
import pytest
import torch
from flat import train

from prismae import world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.latent.gaussian import Gaussian
from prismae.latent.mixture import log_assignments
from prismae.methods import Context
from prismae.methods.gmvae import GMVAE
from prismae.methods.vade import VaDE
from prismae.methods.vae import VAE
from prismae.train import Hook, build

M = 3


@pytest.fixture(scope="module")
def digits():
    return world("digits")


def made(method, data):
    torch.manual_seed(0)
    return build(method, data.kind, data.shape, data.summary, n_latents=M, net="conv", likelihood="bernoulli")


def terms(method, ae, x, step=0):
    torch.manual_seed(1)
    return method.terms(ae, x, Context(1797, {}, step=step))


def test_gmvae_of_one_component_is_the_two_level_vae(digits):
    method = GMVAE(n_components=1, w_latents=2, floor=0.0, prior_width=8)
    ae, x = made(method, digits), digits.data[torch.arange(40)]
    parameters = ae.encoded(x)
    q_z, q_w = (Gaussian.from_parameters(part) for part in (parameters[:, : 2 * M], parameters[:, 2 * M :]))
    expected, found = [], []
    torch.manual_seed(0)
    with torch.no_grad():
        for _ in range(300):
            prior = Gaussian.from_parameters(ae.parts["components"](q_w.rsample())[:, 0])
            expected.append((q_z.kl_to(prior).sum(1) + q_w.kl_to_standard().sum(1)).mean().item())
            one = method.terms(ae, x, Context(1797, {}))
            assert one["c_prior"] == 0
            found.append((one["conditional"] + one["w_prior"]).mean().item())
    error = (np.var(expected) + np.var(found)) ** 0.5 / 300**0.5
    assert abs(np.mean(expected) - np.mean(found)) < 4 * error


def test_gmvae_s_terms_are_a_bound_on_its_own_evidence(digits):
    # recon + conditional + w_prior + c_prior = E[log q - log p] with c summed out exactly
    method = GMVAE(n_components=4, w_latents=2, floor=0.0, prior_width=8)
    ae, x = made(method, digits), digits.data[torch.arange(40)]
    found = terms(method, ae, x)
    torch.manual_seed(1)
    parameters = ae.encoded(x)
    q_z, q_w = (Gaussian.from_parameters(part) for part in (parameters[:, : 2 * M], parameters[:, 2 * M :]))
    z = q_z.rsample()
    components = Gaussian.from_parameters(ae.parts["components"](q_w.rsample()))
    log_p_z = torch.logsumexp(components.log_prob(z.unsqueeze(1)).sum(2) - log(4), 1)
    expected = ae.nll(x, z) + q_z.log_prob(z).sum(1) - log_p_z + q_w.kl_to_standard().sum(1)
    total = sum(found[name].mean() for name in method.weights())
    torch.testing.assert_close(total, expected.mean())


def test_gmvae_s_floor_stops_the_assignment_s_gradient(digits):
    ae, x = made(GMVAE(), digits), digits.data[torch.arange(16)]
    assert terms(GMVAE(floor=3.0), ae, x)["c_prior"].item() == 3.0  # log K = 2.3 is the most there is
    assert terms(GMVAE(floor=0.0), ae, x)["c_prior"].item() < log(10)


def test_vade_of_one_standard_component_is_the_vae(digits):
    method = VaDE(n_components=1, pretrain_steps=0)
    ae, x = made(method, digits), digits.data[torch.arange(40)]
    with torch.no_grad():
        ae.parts["mixture"].mean.zero_()
    ours, vae = terms(method, ae, x), terms(VAE(), ae, x)
    torch.testing.assert_close(ours["recon"], vae["recon"])
    torch.testing.assert_close(ours["kl"], vae["kl"])
    assert ours["c_prior"].abs().max() == 0


def test_vade_pretrains_without_noise_and_without_its_prior(digits):
    method = VaDE(pretrain_steps=3)
    ae, x = made(method, digits), digits.data[torch.arange(8)]
    torch.testing.assert_close(terms(method, ae, x, step=2)["recon"], ae.nll(x, ae.encode(x).mean))
    assert not torch.equal(terms(method, ae, x, step=3)["recon"], terms(method, ae, x, step=2)["recon"])
    done = train(
        method, digits, n_latents=M, net="conv", likelihood="bernoulli", steps=6, batch=16, device="cpu"
    )
    assert done.history["weight:kl"].tolist() == done.history["weight:c_prior"].tolist() == [0, 0, 0, 1, 1, 1]


def test_vade_s_mixture_starts_at_the_clusters_of_the_codes():
    torch.manual_seed(0)
    centres = torch.tensor([[4.0, 0.0, 0.0], [-4.0, 0.0, 0.0], [0.0, 4.0, 4.0]])
    labels = torch.arange(600) % 3
    x = centres[labels] + 0.3 * torch.randn(600, 3)
    method = VaDE(n_components=3, pretrain_steps=1)
    data = World("clusters", Dense(x))
    torch.manual_seed(0)
    ae = build(method, data.kind, data.shape, data.summary, n_latents=2, net="mlp", likelihood="gaussian")
    with torch.no_grad():
        method.prepare(ae, lambda n: x[:n], 0)
        before = ae.parts["mixture"].mean.clone()
        method.prepare(ae, lambda n: x[:n], 1)
        components, log_weights = ae.parts["mixture"]()
        found = log_assignments(ae.encode(x).mean, components, log_weights).argmax(1)
    assert not torch.equal(before, ae.parts["mixture"].mean)
    assert log_weights.exp().tolist() == pytest.approx([1 / 3] * 3, abs=0.02)
    assert all(len(found[labels == each].unique()) == 1 for each in range(3))


def test_vade_s_optimiser_has_its_authors_epsilon(digits, monkeypatch):
    # slim1017/VaDE, VaDE.py: Adam(lr=0.002, epsilon=1e-4)
    made = []

    class Adam(torch.optim.Adam):
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            made.append(self)

    monkeypatch.setattr(torch.optim, "Adam", Adam)
    train(VaDE(), digits, n_latents=M, net="conv", likelihood="bernoulli", steps=1, batch=16, device="cpu")
    (optimizer,) = made
    assert (optimizer.defaults["lr"], optimizer.defaults["eps"]) == (2e-3, 1e-4)


def test_vade_resumed_around_its_mixture_s_start_is_the_same_to_the_bit(tmp_path, digits):
    def run(**kwargs):
        settings = {"n_latents": M, "net": "conv", "likelihood": "bernoulli", "batch": 16, "device": "cpu"}
        return train(VaDE(pretrain_steps=3), digits, steps=6, **settings, **kwargs)

    class Stop(Exception):
        pass

    def stop(now):
        raise Stop

    kept = {"checkpoint": tmp_path / "state.safetensors", "checkpoint_every": 3}
    with pytest.raises(Stop):
        run(hooks=[Hook(on_step=stop, at=[5])], **kept)
    for x, y in zip(run(**kept).ae.parameters(), run().ae.parameters(), strict=True):
        assert torch.equal(x, y)
