"""HFS: its limits, and that it finds correlated factors that the VAE turns."""

import pytest
import torch
from planes import correlations

from prismae.control import Ramp
from prismae.latent.gaussian import Gaussian
from prismae.latent.support import hausdorff
from prismae.methods import Context
from prismae.methods.beta_vae import BetaVAE
from prismae.methods.hfs import HFS
from prismae.methods.vae import VAE


class Codes:
    """An autoencoder of which only the posterior is asked."""

    def __init__(self, q):
        self.q = q

    def encode(self, x):
        return self.q

    def nll(self, x, z):
        return z.square().sum(1)


def terms(method, m=6):
    torch.manual_seed(0)
    q = Gaussian(torch.randn(20, m, dtype=torch.float64), torch.randn(20, m, dtype=torch.float64))
    torch.manual_seed(1)
    return q, method.terms(Codes(q), q.mean, Context(100, {}))


def test_its_term_is_summed_over_all_pairs_where_there_are_no_more():
    q, found = terms(HFS(n_pairs=15))
    expected = hausdorff(q.mean, torch.combinations(torch.arange(6))).sum()
    torch.testing.assert_close(found["support"], expected)
    assert terms(HFS(n_pairs=4))[1]["support"] < expected
    assert terms(HFS(), m=1)[1]["support"] == 0


def test_without_the_term_it_is_the_beta_vae():
    _, found = terms(HFS(beta=3.0, gamma=0.0, n_pairs=1), m=1)
    _, expected = terms(BetaVAE(beta=3.0), m=1)
    for name in ("recon", "kl"):
        torch.testing.assert_close(found[name], expected[name])
    assert HFS(beta=3.0, gamma=0.0).weights() == {**BetaVAE(beta=3.0).weights(), "support": 0.0}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_correlated_factors_are_found_where_the_vae_turns_them(seed):
    # the term begins when codes have taken their place: before, it is lowest where a latent has none
    grows = Ramp("support", end=10.0, delay=300, steps=300)
    assert correlations(HFS(gamma=10.0), seed, controllers=[grows]) > 0.9
    assert correlations(VAE(), seed) < 0.8
