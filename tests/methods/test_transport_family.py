"""Deterministic and transport autoencoders, InfoVAE, HFVAE and NashAE: limits, and what each must refuse."""

import pytest
import torch
from flat import train

from prismae import world
from prismae.control import Cyclical, Ramp
from prismae.errors import InputError
from prismae.latent.gaussian import Gaussian, Point
from prismae.methods import Context, Optimizer
from prismae.methods.ae import AE
from prismae.methods.beta_tcvae import BetaTCVAE
from prismae.methods.beta_vae import BetaVAE
from prismae.methods.hfvae import HFVAE
from prismae.methods.info_vae import InfoVAE
from prismae.methods.nash_ae import NashAE
from prismae.methods.swae import SWAE
from prismae.methods.vae import VAE
from prismae.methods.wae import WAE
from prismae.train.attached import attached

N = 500


class Codes:
    """An autoencoder of which only the posterior is asked; its reconstruction term depends on the code."""

    def __init__(self, q):
        self.q = q

    def encode(self, x):
        return self.q

    def nll(self, x, z):
        return z.square().sum(1)


def gaussian(batch=64, m=4):
    torch.manual_seed(0)
    return Gaussian.from_parameters(torch.randn(batch, 2 * m, dtype=torch.float64))


def loss(method, q, **more):
    torch.manual_seed(1)
    found = method.terms(Codes(q), q.mean, Context(N, {}, **more))
    return sum(weight * found[name].mean() for name, weight in method.weights().items()).item()


def trained(method, *controllers):
    settings = {"n_latents": 2, "net": "mlp:width=8", "steps": 6, "batch": 16, "device": "cpu"}
    return train(method, world("digits"), controllers=controllers, **settings)


def test_info_vae_at_its_vae_point_is_the_vae():
    q = gaussian()
    assert loss(InfoVAE(alpha=0.0, lam=1.0), q) == loss(VAE(), q)


def test_info_vae_of_alpha_1_minus_beta_and_lam_beta_is_the_beta_vae():
    q = gaussian()
    assert loss(InfoVAE(alpha=0.25, lam=0.75), q) == loss(BetaVAE(beta=0.75), q)


def test_info_vae_s_kl_vanishes_at_alpha_1():
    assert InfoVAE(alpha=1.0, lam=5.0).weights() == {"recon": 1.0, "kl": 0.0, "mmd": 5.0}


def test_info_vae_refuses_a_negative_mmd_weight():
    # a public default: alpha 0 and lambda 0.001
    with pytest.raises(
        InputError, match=r"MMD's weight .* should be at least 0, got 0 \+ 0.001 - 1 = -0.999"
    ):
        InfoVAE(alpha=0.0, lam=0.001)


@pytest.mark.parametrize("method", [WAE(weight=0.0), WAE(weight=0.0, kernel="rbf"), SWAE(weight=0.0)])
def test_transport_autoencoders_without_their_distance_are_the_autoencoder(method):
    q = Point(gaussian().mean)
    assert loss(method, q) == loss(AE(), q)


def test_default_weights_are_the_authors_ratio_in_nats():
    # tolstikhin/wae on MNIST: 0.05 sum (x - x')^2 + 10 MMD; here sum (x - x')^2 / 2 s^2 + weight MMD, s^2 the variance
    squares, mmd, deviation = 17.5, 0.003, 0.308
    theirs = 10 * mmd / (0.05 * squares)
    ours = WAE().weight * mmd / (squares / (2 * deviation**2))
    assert ours == pytest.approx(theirs, rel=0.06)
    # skolouri/swae: a mean over 784 pixels + 10 distance; ours is below that ratio, but by less than ten times
    assert 784 < SWAE().weight < 784 * 10


def test_wae_has_its_authors_optimiser():
    # tolstikhin/wae, configs.py for MNIST: lr 0.001, adam_beta1 0.5
    assert WAE().optimizer() == Optimizer(lr=1e-3, betas=(0.5, 0.999))


def test_wae_s_weight_rises_from_0_to_its_own_in_the_first_steps():
    history = trained(WAE(weight=80.0, ramp=4)).history
    assert history["weight:mmd"].tolist() == [0.0, 20.0, 40.0, 60.0, 80.0, 80.0]
    assert "weight:mmd" not in trained(WAE(weight=80.0, ramp=0)).history


def test_a_controller_of_the_user_replaces_wae_s_own():
    steady = Ramp("mmd", start=5.0, end=5.0)
    assert set(trained(WAE(), steady).history["weight:mmd"]) == {5.0}
    own, other = Ramp("mmd", steps=1000), Cyclical("recon")
    assert attached(WAE(), [steady]) == (steady,)
    assert attached(WAE(), [other]) == (own, other)


@pytest.mark.parametrize("method", [WAE(), WAE(kernel="rbf"), SWAE()])
def test_transport_distances_are_0_at_the_prior_and_grow_away_from_it(method):
    torch.manual_seed(0)
    z = torch.randn(2000, 3)
    at, off, far = (
        next(
            value for name, value in method.terms(Codes(Point(scale * z)), z, None).items() if name != "recon"
        )
        for scale in (1.0, 0.5, 0.1)
    )
    assert abs(at) < 0.02 < off < far


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_hfvae_s_parts_sum_to_the_kl_sample_by_sample(size):
    q = gaussian()
    found = HFVAE(size).terms(Codes(q), q.mean, Context(N, {}))
    torch.manual_seed(1)
    assert loss(HFVAE(size, beta4=1.0), q) == pytest.approx(loss(HFVAE(1, beta4=1.0), q))
    assert found["tc"].abs().max() > 1e-3 or size == 4
    assert found["inner_tc"].abs().max() > 1e-3 or size == 1


def test_hfvae_of_single_latents_is_the_beta_tcvae(monkeypatch):
    q = gaussian(batch=40)
    # all observations in the batch: both estimators have equal weights for all
    torch.manual_seed(1)
    ours = HFVAE(1, beta2=0.7, beta3=0.9, beta4=5.0).terms(Codes(q), q.mean, Context(40, {}))
    torch.manual_seed(1)
    theirs = BetaTCVAE().terms(Codes(q), q.mean, Context(40, {}))
    for name in ("recon", "mi", "tc", "dwkl"):
        torch.testing.assert_close(ours[name].mean(), theirs[name].mean(), rtol=0.02, atol=0.02)
    assert ours["inner_tc"].abs().max() < 1e-12


def nash_terms(method, z, critic):
    return method.terms(Codes(Point(z)), z, Context(N, {}, critic=critic))


def test_nash_ae_s_predictors_do_not_see_what_they_predict():
    torch.manual_seed(0)
    critic = NashAE().critic(3).double()
    z = torch.rand(5, 3, dtype=torch.float64, requires_grad=True)
    for i, column in enumerate(critic(z).unbind(1)):
        (gradient,) = torch.autograd.grad(column.sum(), z, retain_graph=True)
        assert (gradient[:, i] == 0).all()
        assert gradient.abs().sum() > 0


def test_nash_ae_s_covariance_reaches_the_codes_through_the_predictors_only():
    z = torch.rand(50, 2, dtype=torch.float64, requires_grad=True)
    copies = lambda z: z.flip(1)  # noqa: E731 (predicts each latent by the other)
    covariance = nash_terms(NashAE(), z, copies)["covariance"]
    expected = torch.cov(z.detach().T, correction=0)[0, 1]
    assert covariance.item() == pytest.approx(2 * expected.item())
    (gradient,) = torch.autograd.grad(covariance, z)
    centred = (z - z.mean(0)).detach() / 50
    torch.testing.assert_close(gradient, centred.flip(1))


def test_nash_ae_without_covariance_is_half_the_autoencoder():
    q = Point(torch.rand(20, 3))
    assert loss(NashAE(weight=0.0), q, critic=torch.zeros_like) == pytest.approx(0.5 * loss(AE(), q))
