"""Verdicts on autoencoders whose worth is known: linear ones, with weights by hand, and histories made up."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

import prismae as pr
from prismae.data import world
from prismae.methods import method
from prismae.methods.ae import AE
from prismae.methods.beta_tcvae import BetaTCVAE
from prismae.methods.beta_vae import BetaVAE
from prismae.methods.factor_vae import FactorVAE
from prismae.methods.vade import VaDE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Gaussian as Likelihood
from prismae.runs.judge import Judge, faster_critic, lighter
from prismae.runs.measured import channel_noise
from prismae.runs.verdict import Finding, Verdict
from prismae.train.trained import Trained

RNG = np.random.default_rng(0)
N, D, M = 600, 8, 4
X = (RNG.uniform(-1, 1, size=(N, 2)) @ RNG.normal(size=(2, D)) + 0.05 * RNG.normal(size=(N, D))).astype(
    np.float32
)
FLAT = {"step": np.arange(300), "recon": np.ones(300), "monitor:mse": np.full(300, 0.01)}


def linear_net(into, back, log_var=None, cls=AE) -> AutoencoderNet:
    """z = x @ into, again = z @ back; with a posterior of these log-variances [m] if they are given."""
    k = into.shape[1]
    encoder, decoder = nn.Linear(D, k if log_var is None else 2 * k), nn.Linear(k, D)
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.bias.zero_()
        encoder.weight[:k] = torch.tensor(into.T)
        if log_var is not None:
            encoder.bias[k:] = torch.tensor(log_var)
        decoder.weight.copy_(torch.tensor(back.T))
        decoder.bias.zero_()
    return AutoencoderNet(encoder, decoder, cls().posterior, Likelihood(), 0.0, 1.0).eval()


PARTS = PCA(2).fit(X - X.mean(0)).components_.astype(np.float32)  # [2, D]
GOOD = np.vstack([PARTS, np.zeros((M - 2, D), dtype=np.float32)])  # two latents that move nothing


def judged(net, chosen=None, history=FLAT, unseen=None, kept=None, **about) -> Verdict:
    chosen = AE() if chosen is None else chosen
    settings = {"n_latents": M, "steps": 300, "lr": 1e-3, "batch": 64, "likelihood": "gaussian"} | about
    columns = {"step": np.arange(len(next(iter(history.values())))), **dict.fromkeys(chosen.weights(), 0.0)}
    trained = Trained(net, None, pd.DataFrame(columns | history), 1.0, kept=kept)
    data = world(X - X.mean(0))
    return Judge(chosen, trained, net, settings, data, None if unseen is None else world(unseen)).verdict()


def names(verdict: Verdict) -> list[str]:
    return [each.name for each in verdict.findings]


def test_a_linear_autoencoder_is_what_it_is_pca():
    found = judged(linear_net(GOOD.T, GOOD))
    assert found.live.tolist() == [True, True, False, False]
    pca = PCA(2).fit(X)
    assert found.explained == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-5)
    assert found.baselines["pca"].explained == pytest.approx(found.explained, abs=1e-5)
    assert found.baselines["pca"].agreement == pytest.approx(1, abs=1e-4)
    assert found.baselines["ica"].agreement < 0.95  # uniform factors: their own axes, not the principal ones
    assert names(found) == ["linear"]
    assert found.word == "linear"  # no fault, and yet not "good" beside "components do as well"
    assert not found.warnings
    assert found.warnings == []
    # what each tells is the capacity of its variance beside the residual error
    error = np.square(X - X.mean(0) - pca.inverse_transform(pca.transform(X)) + X.mean(0)).mean()
    expected = 0.5 * np.log1p(pca.transform(X).var(0) / error)
    np.testing.assert_allclose(found.information[:2], expected, atol=0.15)  # of 256 draws


def test_a_posterior_as_wide_as_all_codes_has_collapsed_and_says_how_to_mend_it():
    found = judged(linear_net(0.01 * GOOD.T, 0.01 * GOOD, [0.0] * M, BetaVAE), BetaVAE())
    assert found.collapsed
    assert found.word == "collapsed"
    assert names(found) == ["collapsed"]
    assert found.findings[0].fields == {"beta": 1.0}
    assert found.findings[0].settings == {"likelihood": "gaussian-learned"}
    assert "Fit again with --likelihood gaussian-learned -p beta=1." in found.warnings[0]
    assert found.baselines["pca"].agreement is None


def test_an_encoder_that_the_decoder_does_not_read_has_collapsed():
    found = judged(linear_net(GOOD.T, 0 * GOOD, [-6.0] * M, BetaVAE), BetaVAE())
    assert min(found.information[:2]) > 1
    assert found.collapsed


def test_little_of_the_data_is_weak_and_too_short_where_it_still_improves():
    half = GOOD.copy()
    half[0] *= 0.15
    half[1] *= 0.15  # what is rebuilt is a seventh of what it should be: 1 - 0.85^2 is explained
    net = linear_net(GOOD.T, half, [-6.0] * M, BetaVAE)
    found = judged(net, BetaVAE())
    assert found.explained == pytest.approx(
        (1 - 0.85**2) * PCA(2).fit(X).explained_variance_ratio_.sum(), abs=1e-3
    )
    assert names(found) == ["weak"]
    assert found.findings[0].settings == {"likelihood": "gaussian-learned"}
    falling = FLAT | {"monitor:mse": np.linspace(1.0, 0.3, 300)}
    assert judged(net, BetaVAE(), falling).findings[0].settings == {"steps": 1200}


def test_noise_that_principal_components_explain_is_no_fault_to_leave_out():
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, (600, 2))
    counts = rng.poisson(np.exp(0.8 * factors @ rng.normal(size=(2, 10))))
    columns = [f"kind {i}" for i in range(10)]
    given = {"n_latents": 10, "net": "mlp:width=64", "steps": 200, "lr": 5e-3}
    model = pr.Autoencoder("vae", **given).fit(pd.DataFrame(counts, columns=columns))
    found = model.verdict_
    assert found.live.sum() == 2
    assert found.explained < 0.5  # what ten components of ten columns explain is 1
    assert "weak" not in names(found)


def test_a_learned_likelihood_and_no_heavy_weight_leave_a_lighter_weight_or_more_time():
    net = linear_net(0 * GOOD.T, GOOD)
    light = judged(net, BetaVAE(beta=1.0), likelihood="gaussian-learned", steps=2000).findings[0]
    assert (light.name, light.fields) == ("collapsed", {"beta": 0.25})
    bare = judged(net, AE(), likelihood="gaussian-learned", lr=1e-4, steps=2000).findings[0]
    assert (bare.name, bare.settings) == ("collapsed", {"steps": 8000, "lr": 1e-3})


def test_a_plateau_is_no_divergence_and_needs_time():
    plateau = FLAT | {"monitor:mse": np.full(300, 1.4)}
    still = linear_net(0 * GOOD.T, 0 * GOOD, [0.0] * M, BetaVAE)
    learned = {"likelihood": "gaussian-learned"}
    found = judged(still, BetaVAE(beta=1.0), plateau, **learned)
    assert names(found) == ["unlearned"]
    assert "nothing yet: reconstructions have" in found.findings[0].text
    assert found.findings[0].settings == {"steps": 1200}
    # a weight that is heavy, a variance that is fixed and a long training are reasons of another kind
    for chosen, about in (
        (BetaVAE(beta=4.0), learned),
        (BetaVAE(beta=1.0), {}),
        (BetaVAE(1.0), learned | {"steps": 3000}),
    ):
        other = judged(still, chosen, plateau, **about)
        assert names(other) == ["collapsed"]
        assert "rebuilt as the mean, or worse" in other.findings[0].text


def test_still_improving_and_not_where_it_is_all_but_done():
    net = linear_net(GOOD.T, GOOD)
    assert names(judged(net, history=FLAT | {"monitor:mse": np.linspace(1.0, 0.3, 300)})) == [
        "improving",
        "linear",
    ]
    tiny = FLAT | {"monitor:mse": np.linspace(1e-3, 1e-4, 300)}
    assert names(judged(net, history=tiny)) == ["linear"]


def test_a_training_that_was_thrown_back_is_told_to_take_shorter_steps():
    rise = np.repeat([1.0, 0.1, 0.3], [50, 150, 100])
    thrown = {"step": np.arange(300), "recon": 10 * rise, "monitor:mse": rise}
    net = linear_net(GOOD.T, GOOD)
    found = judged(net, history=thrown)
    assert names(found) == ["set-back", "linear"]
    assert found.findings[0].options == "--lr 0.00033"
    assert names(judged(net, history=thrown, kept=200)) == ["linear"]  # its best state was kept


def test_held_out_rows_that_are_rebuilt_badly_are_memorised():
    other = np.random.default_rng(1).normal(size=(100, D)).astype(np.float32)
    found = judged(linear_net(GOOD.T, GOOD), unseen=other)
    assert found.n_held_out == 100
    assert found.held_out < 0.5
    assert names(found)[0] == "memorised"
    assert found.findings[0].settings == {"steps": "auto"}
    stopped = judged(linear_net(GOOD.T, GOOD), unseen=other, kept=300)
    assert stopped.findings[0].settings == {"n_latents": 1}  # half of the two live ones
    one = np.vstack([PARTS[:1], np.zeros((M - 1, D), dtype=np.float32)])
    last = judged(linear_net(one.T, one), unseen=other, kept=300)
    assert last.live.sum() == 1
    assert [each.options for each in last.findings if each.name == "memorised"] == [""]
    assert "1 of 4 latents is live and tells" in last.sentences[1].replace(str(M), "4")
    assert "memorised" not in names(judged(linear_net(GOOD.T, GOOD), unseen=X[:100] - X.mean(0)))


def test_a_gap_of_few_rows_that_may_be_chance_is_not_memorised():
    """One of a dozen rows is rebuilt badly: the gap is great, and so is its error."""
    few = X[:12] - X.mean(0)
    few[0] += 4 * RNG.normal(size=D).astype(np.float32)
    found = judged(linear_net(GOOD.T, GOOD), unseen=few)
    assert found.explained - found.held_out > 0.2
    assert "memorised" not in names(found)
    whole = X[:300] - X.mean(0)
    whole[::12] += 4 * RNG.normal(size=(25, D)).astype(np.float32)  # as large a share, of many rows
    found = judged(linear_net(GOOD.T, GOOD), unseen=whole)
    assert found.explained - found.held_out > 0.2
    assert "memorised" in names(found)


def test_duplicates_are_grouped_in_one_sentence():
    into = np.stack([PARTS[0], PARTS[0], PARTS[1], -PARTS[1]], 1)
    found = judged(linear_net(into, into.T / 2))
    assert found.findings[0].name == "duplicated"
    assert found.findings[0].text.endswith("z0 and z1; z2 and z3.")
    assert found.findings[0].settings == {"n_latents": 2}


def test_a_loss_that_leaves_is_diverged_and_nothing_else():
    loss = np.ones(300)
    loss[-5:] = 1e9
    found = judged(linear_net(GOOD.T, GOOD), history=FLAT | {"recon": loss})
    assert names(found) == ["diverged"]
    assert found.findings[0].settings == {"lr": pytest.approx(1e-4)}


def test_a_short_training_is_not_judged():
    found = judged(linear_net(0 * GOOD.T, GOOD), steps=20)
    assert names(found) == ["short"]
    assert found.word == "not judged"
    assert found.warnings == []
    assert found.collapsed


def test_one_cluster_of_ten_is_few():
    chosen = VaDE()
    net = linear_net(GOOD.T, GOOD, [-6.0] * M, VaDE)
    net.parts = chosen.modules(M)
    with torch.no_grad():
        net.parts["mixture"].logits.copy_(torch.tensor([50.0] + [0.0] * 9))
    found = judged(net, chosen)
    assert names(found)[0] == "few-clusters"
    assert "1 of 10 hold any of 600 observations" in found.findings[0].text


class Blind(nn.Module):
    """A critic that says the same of all codes."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return 0 * z.sum(1) + self.bias


class Seeing(Blind):
    """A critic that knows that the first two codes are alike."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return 2 - 3 * (z[:, 0] - z[:, 1]).square()


@pytest.mark.parametrize(("critic", "dead"), [(Blind(), True), (Seeing(), False)])
def test_a_critic_at_chance_is_dead_where_codes_depend_on_each_other(critic, dead):
    into = np.stack([PARTS[0], PARTS[0] + 0.1 * PARTS[1], PARTS[1], 0 * PARTS[1]], 1)
    chosen = FactorVAE(critic_width=8, critic_layers=1)
    net = linear_net(into, np.linalg.pinv(into, rcond=1e-3), [-6.0] * M, FactorVAE)
    settings = {"n_latents": M, "steps": 300, "lr": 1e-3, "batch": 64, "likelihood": "gaussian"}
    trained = Trained(net, critic, pd.DataFrame(FLAT | {"kl": 1.0, "tc": 0.0}), 1.0)
    found = Judge(chosen, trained, net, settings, world(X - X.mean(0))).verdict()
    assert ("dead-critic" in names(found)) == dead


def test_lighter_fields_are_those_of_the_terms_beside_the_reconstruction():
    assert lighter(BetaVAE(), at_most=1.0) == {"beta": 1.0}
    assert lighter(BetaTCVAE(), at_most=1.0) == {"beta": 1.0}
    assert lighter(BetaTCVAE(beta=1.0), by=4) == {"alpha": 0.25, "beta": 0.25, "gamma": 0.25}
    assert lighter(FactorVAE(), at_most=1.0) == {"gamma": 1.0}
    assert lighter(AE(), at_most=1.0) == {}
    assert lighter(method("gmvae"), by=4) == {}
    assert faster_critic(FactorVAE()) == {"critic_steps": 4}
    assert faster_critic(method("gcae", critic_lr=1e-9)) == {"critic_lr": 2e-4}


def test_the_noise_of_a_channel_is_that_of_its_last_row():
    history = pd.DataFrame({"step": [0, 1], "sigma[0]": [0.4, 0.2], "sigma[1]": [0.4, 0.1]})
    assert channel_noise(history).tolist() == [0.2, 0.1]
    assert channel_noise(pd.DataFrame({"step": [0]})) is None


def test_a_verdict_is_read_as_it_was_written():
    found = judged(linear_net(GOOD.T, GOOD), unseen=X[:50] - X.mean(0))
    assert Verdict.from_json(json.loads(json.dumps(found.to_json())), "it") == found
    assert str(Finding("weak", "Weak.", "Why.", {"beta": 1.0}, {"n_latents": 3})) == (
        "Weak. Why. Fit again with --latents 3 -p beta=1."
    )
