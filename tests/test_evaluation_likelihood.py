"""The likelihood of models on a world: of a linear one, where it is known; in Python, in a run, on the command line."""

from __future__ import annotations

import json
import sys
from math import exp, log

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

import prismae as pr
from prismae import cli
from prismae._progress import Bar
from prismae.data import Summary, Texts, World
from prismae.data.text import SPECIAL, Vocabulary
from prismae.errors import InputError
from prismae.evaluation import sampling
from prismae.evaluation.sampling import at_samples
from prismae.latent.gaussian import Gaussian
from prismae.methods.vae import VAE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Gaussian as GaussianLikelihood
from prismae.report import write_report
from prismae.train.build import build

LIKELIHOOD = {"nll", "reconstruction", "kl", "mutual-information", "active-units-posterior"}


def likelihood_scores(net, world, metrics="likelihood", **how):
    return pr.evaluate(net, world, metrics=metrics, **how)


@pytest.fixture(scope="module")
def linear():
    """A linear autoencoder, observations of its own model N(0, W W^T + I), and their mean -log-likelihood."""
    torch.manual_seed(0)
    loading = torch.linalg.qr(torch.randn(6, 2))[0] * torch.tensor([3.0, 1.0])
    marginal = MultivariateNormal(torch.zeros(6), loading @ loading.T + torch.eye(6))
    x = marginal.sample((300,))
    variance = 1 / (1 + loading.square().sum(0))
    encoder, decoder = nn.Linear(6, 4), nn.Linear(2, 6, bias=False)
    with torch.no_grad():
        encoder.weight.copy_(torch.cat([variance.unsqueeze(1) * loading.T, torch.zeros(2, 6)]))
        encoder.bias.copy_(
            torch.cat([torch.full((2,), 0.1), variance.log() + 0.3])
        )  # near the exact posterior
        decoder.weight.copy_(loading)
    net = AutoencoderNet(encoder, decoder, VAE().posterior, GaussianLikelihood(), 0.0, 1.0)
    return net, pr.world(x), -float(marginal.log_prob(x).mean())


def test_the_likelihood_of_a_linear_model_is_found_from_above(linear):
    net, world, exact = linear
    found = [likelihood_scores(net, world, samples=k) for k in (1, 10, 500)]
    gaps = [each["nll"].score - exact for each in found]
    assert gaps[0] > 2 * gaps[1] > 4 * abs(gaps[2])
    assert abs(gaps[2]) < 0.01
    elbo = found[0]["reconstruction"].score + found[0]["kl"].score
    gap = (
        0.1**2 * torch.tensor([10.0, 2.0]) + np.expm1(0.3) - 0.3
    ).sum() / 2  # KL of the posteriors to the exact ones
    assert elbo - exact == pytest.approx(float(gap), abs=0.05)
    assert found[2]["nll"].parameters["n_samples"] == 500
    assert 300 < found[2]["nll"].parameters["effective_samples"] < 500
    assert found[2]["mutual-information"].score < found[2]["kl"].score < log(300)


def test_scores_do_not_depend_on_the_size_of_parts_nor_on_what_else_is_taken(linear, monkeypatch):
    net, world, _ = linear
    few = {"samples": 20}
    found = likelihood_scores(net, world, **few)
    assert found.to_dict() == likelihood_scores(net, world, **few).to_dict()
    assert (
        likelihood_scores(net, world, metrics=["reconstruction"])["reconstruction"] == found["reconstruction"]
    )
    assert likelihood_scores(net, world, metrics="nll", **few)["nll"] == found["nll"]
    monkeypatch.setattr(sampling, "CHUNK", 7)
    assert likelihood_scores(net, world, **few)["kl"].score == pytest.approx(found["kl"].score)
    assert likelihood_scores(net, world, **few)["nll"].score == pytest.approx(found["nll"].score, abs=0.02)
    assert not any(each.training != net.training for each in net.modules())


def test_each_observation_keeps_its_place_among_the_samples(linear):
    net, world, _ = linear
    x = torch.cat([world.data[torch.arange(3)], world.data[torch.arange(3)] + 20])
    mean = net.encode(x).mean.detach()[[5, 0]]
    q = Gaussian(mean, torch.full_like(mean, -15.0))
    expected = net.nll(x[[5, 0]], mean).detach()
    bar = Bar("", 1, enabled=False)
    for samples in (2, 600):
        found = at_samples(net, pr.world(x).data, torch.tensor([5, 0]), q, samples, weighted=False, bar=bar)
        assert found.shape == (2, samples)
        torch.testing.assert_close(
            found.detach(), expected.unsqueeze(1).expand_as(found), rtol=1e-2, atol=0.1
        )


def test_observations_are_spread_over_the_world_and_those_of_a_test_world_where_there_is_one(
    linear, monkeypatch
):
    net, world, _ = linear
    monkeypatch.setattr("prismae.evaluation.families.densities.OBSERVATIONS", 50)
    found = pr.evaluate(net, world, metrics=["kl"])
    assert found["kl"].parameters["n_observations"] == 50
    rows = torch.linspace(0, 299, 50).long()
    expected = net.encode(world.data[rows]).kl_to_standard().sum(1).mean().detach()
    assert found["kl"].score == pytest.approx(float(expected))
    test = pr.world(world.data[torch.arange(40)] + 5)
    assert pr.evaluate(net, world, test=test, metrics=["kl"])["kl"].score > 2 * found["kl"].score


@pytest.fixture(scope="module")
def text():
    """A small LSTM autoencoder of one latent, and sentences of one to four words and their ends."""
    words = Vocabulary((*SPECIAL, "a", "b", "c"))
    rng = np.random.default_rng(0)
    sentences = [rng.choice(["a", "b", "c"], size=1 + i % 4).tolist() for i in range(40)]
    world = World("letters", words.encode(sentences), kind=Texts(words))
    torch.manual_seed(0)
    how = {"n_latents": 1, "net": "lstm:width=4", "likelihood": "categorical"}
    net = build(VAE(), world.kind, world.shape, Summary(0.0, 1.0, 0.0, 6.0), **how).eval()
    with torch.no_grad():
        for each in net.parameters():
            nn.init.uniform_(each, -0.8, 0.8)  # so that the code matters
        net.encoder.out.bias.copy_(torch.tensor([0.5, -0.5]))
    return net, world


def test_perplexity_of_a_text_is_that_of_quadrature_over_its_latent(text, monkeypatch):
    net, world = text
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    z, log_prior = (
        torch.from_numpy(nodes).float().unsqueeze(1),
        torch.from_numpy(np.log(weights / weights.sum())),
    )
    with torch.no_grad():
        parts = [net.nll(world.data[torch.tensor([i])].expand(60, -1), z) for i in range(len(world))]
    nats = -sum(float(torch.logsumexp(log_prior - part.double(), 0)) for part in parts)
    n_words = int(world.data.lengths.sum())
    assert n_words == 40 * 3.5

    found = likelihood_scores(net, world, samples=2_000)
    assert found["nll"].score == pytest.approx(nats / 40, abs=0.01)
    assert found["nll-per-word"].score == pytest.approx(nats / n_words, abs=0.003)
    assert found["perplexity"].score == pytest.approx(exp(nats / n_words), rel=0.003)
    elbo = 40 * (found["reconstruction"].score + found["kl"].score)
    assert found["perplexity-bound"].score == pytest.approx(exp(elbo / n_words), rel=1e-4)
    assert found["perplexity-bound"].score > 1.02 * found["perplexity"].score
    monkeypatch.setattr(sampling, "OUTPUTS", 1_000)  # so that a few samples are decoded at once
    assert likelihood_scores(net, world, samples=200)["nll"].score == pytest.approx(nats / 40, abs=0.03)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ae", "codes of this model are points"),
        ("wae", "codes of this model are points"),
        ("gmvae", r"prior N\(0, I\), and that of gmvae is another"),
        ("vade", "that of vade is another"),
        ("hgmvae-g", "that of hgmvae-g is another"),
    ],
)
def test_methods_without_such_a_density_are_refused_in_one_sentence(name, said):
    world = pr.world(np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))
    model = pr.Autoencoder(name, 2, steps=1, batch=20).fit(world)
    with pytest.raises(InputError, match=said) as error:
        pr.evaluate(model, world, metrics="likelihood")
    assert "\n" not in str(error.value)


def test_a_likelihood_that_is_not_in_nats_codes_alone_and_no_samples_are_refused(linear):
    net, world, _ = linear
    model = pr.Autoencoder("vae", 2, steps=1, likelihood="mse").fit(world)
    with pytest.raises(InputError, match="in nats, and 'mse' is none"):
        pr.evaluate(model, world, metrics="likelihood")
    with pytest.raises(InputError, match="a model and a World"):
        pr.evaluate(model.transform(world), world, metrics="likelihood")
    with pytest.raises(InputError, match="samples should be greater than or equal to 1, got 0"):
        pr.evaluate(net, world, metrics="nll", samples=0)
    with pytest.raises(InputError, match="perplexity: The metric counts the words of texts"):
        pr.evaluate(net, world, metrics="perplexity", samples=1)


def test_a_run_is_scored_on_the_command_line(linear, tmp_path, monkeypatch, capfd):
    digits = pr.world("digits")
    model = pr.Autoencoder("vae", 2, steps=30).fit(digits)
    folder = model.save(tmp_path / "run").path
    arguments = ["prismae", "evaluate", str(folder), "--metrics", "likelihood", "--samples", "2"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    left_out = (
        "perplexity, perplexity-bound, nll-per-word were left out: The metric counts the words of texts"
    )
    assert left_out in capfd.readouterr().out
    saved = json.loads((folder / "scores.json").read_text())
    assert set(saved["protocols"]) == {"likelihood"}
    assert set(saved["protocols"]["likelihood"]) == LIKELIHOOD
    assert saved["protocols"]["likelihood"]["nll"]["parameters"]["n_samples"] == 2
    assert "mutual-information" in write_report(folder).read_text()
