"""What a latent tells, against worlds whose answer is known: by numerical integration, and probabilistic PCA."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.decomposition import PCA

from prismae.latent.gaussian import Discrete, Gaussian
from prismae.latent.information import (
    channel_information,
    decoded_information,
    discrete_information,
    effect,
    posterior_information,
    variance_of_each,
)
from prismae.latent.live import LIVE, live

RNG = np.random.default_rng(0)


def test_kl_to_the_nearest_gaussian_by_integration():
    means, deviations = np.array([-1.0, 0.5, 3.0]), np.array([0.3, 1.0, 0.7])
    centre = means.mean()
    width = np.sqrt((deviations**2).mean() + means.var())

    def kl(mean: float, deviation: float) -> float:
        p, q = norm(mean, deviation), norm(centre, width)
        return quad(lambda z: p.pdf(z) * (p.logpdf(z) - q.logpdf(z)), mean - 9, mean + 9)[0]

    expected = np.mean([kl(*each) for each in zip(means, deviations, strict=True)])
    q = Gaussian(torch.tensor(means)[:, None], torch.tensor(deviations).log()[:, None] * 2)
    assert posterior_information(q).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_a_collapsed_posterior_tells_nothing_wherever_it_lies(offset):
    q = Gaussian(torch.full((100, 1), offset), torch.full((100, 1), -0.4))
    assert posterior_information(q).item() == 0


def test_two_clusters_tell_at_least_which_one_and_at_most_one_gaussian():
    # the mutual information of two far clusters is log 2; the best Gaussian of both gives a bound from above
    mean = torch.tensor([[-5.0], [5.0]])
    found = posterior_information(Gaussian(mean, torch.zeros(2, 1))).item()
    assert log(2) < found == pytest.approx(0.5 * log(26))


def test_all_three_agree_in_probabilistic_pca():
    d, m, n, r = 12, 3, 20_000, 0.3
    w = np.linalg.qr(RNG.normal(size=(d, m)))[0] * np.array([2.0, 1.0, 0.2])
    x = RNG.normal(size=(n, m)) @ w.T + r * RNG.normal(size=(n, d))
    variance = np.linalg.svd(w, compute_uv=False) ** 2 + r**2  # eigenvalues of the model's covariance
    expected = 0.5 * np.log(variance / r**2)
    # the exact posterior of z given x: covariance (I + W'W / r^2)^-1
    precision = np.eye(m) + w.T @ w / r**2
    mean = x @ w @ np.linalg.inv(precision).T / r**2
    log_var = np.log(1 / np.diag(precision)) + np.zeros_like(mean)
    by_posterior = posterior_information(Gaussian(torch.tensor(mean), torch.tensor(log_var)))
    np.testing.assert_allclose(by_posterior, expected, atol=0.02)
    # the same latent through a channel whose noise is that of the data along it
    spread, noise = torch.tensor(np.linalg.norm(w, axis=0)), torch.full((m,), r)
    np.testing.assert_allclose(channel_information(spread, noise), expected, atol=1e-6)
    # a linear autoencoder at its optimum, which is PCA: its residual error is that of the other directions
    pca = PCA(m).fit(x)
    codes, axes = torch.tensor(pca.transform(x)), torch.tensor(pca.components_)
    error = torch.tensor(pca.explained_variance_).sum() * 0 + (
        torch.tensor(x - pca.inverse_transform(pca.transform(x))).square().sum() / (n * (d - m))
    )
    order = torch.from_numpy(RNG.permutation(n))
    moved = variance_of_each(lambda a, b: ((a - b) @ axes).square(), codes, order).sum(1)
    by_effect = decoded_information(moved, error)
    # signal and noise of x itself lie along the axis, so that 1 + lambda / r^2 stands for lambda / r^2
    np.testing.assert_allclose(by_effect, 0.5 * np.log(1 + variance / r**2), atol=0.03)


def test_a_latent_that_the_decoder_does_not_read_has_no_effect():
    z = torch.tensor(RNG.normal(size=(500, 2)))
    x = torch.stack([3 * z[:, 0], torch.zeros(500, dtype=torch.float64)], 1)

    def change(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.stack([3 * (a - b)[:, 0], torch.zeros(500, dtype=torch.float64)], 1).square()

    variances = variance_of_each(change, z, torch.arange(500))
    assert variances[1].max() == 0
    assert effect(variances, 9.0)[0].item() == pytest.approx(
        1.0, abs=0.1
    )  # it moves x_0 by one deviation of 3
    assert decoded_information(variances.sum(1), x.var())[1] == 0


def test_live_is_a_posterior_nine_tenths_as_wide_as_all_codes():
    assert -log(0.9) == pytest.approx(LIVE, abs=0.01)


def test_live_is_both_to_tell_and_to_move():
    assert live([0.5, 0.5, 0.05, np.nan], [0.5, 0.01, 0.5, 1.0]).tolist() == [True, False, False, False]
    assert live([0.1, 0.09]).tolist() == [True, False]


def test_a_value_tells_the_entropy_of_how_often_it_is_taken():
    index = torch.tensor([[0, 1, 0], [1, 1, 0], [2, 1, 1], [3, 1, 0]])
    q = Discrete(index.float(), index, torch.arange(4.0).expand(3, 4))
    expected = [log(4), 0.0, 0.25 * log(4) + 0.75 * log(4 / 3)]
    np.testing.assert_allclose(discrete_information(q), expected, atol=1e-12)
