"""What a critic sees, against the dependence of known codes; which methods have such a view, and what it says."""

from __future__ import annotations

from math import log

import numpy as np
import pandas as pd
import pytest
import torch
from blank import blank_figures
from flat import train
from torch import nn

from prismae import Autoencoder
from prismae.data import world
from prismae.errors import Unavailable
from prismae.methods import method
from prismae.methods.factor_vae import FactorVAE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Gaussian as Likelihood
from prismae.optimizer import Optimizer
from prismae.report import write_report
from prismae.runs.critics import sight
from prismae.runs.run import Run
from prismae.train.trained import Trained
from prismae.views import compute, view
from prismae.views._subject import Subject

RHO = 0.9
X = np.random.default_rng(0).multivariate_normal([0, 0], [[1, RHO], [RHO, 1]], size=2_000).astype(np.float32)


class Quick(FactorVAE):
    """One whose critic learns at a higher rate: so few updates are enough here."""

    def critic_optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3, betas=(0.5, 0.9))


CHOSEN = Quick(critic_width=32, critic_layers=2)
SMALL = {"n_latents": 3, "net": "mlp:width=16", "batch": 32, "device": "cpu"}


def blind() -> Trained:
    """Codes that are the data, all but exact, and a critic whose logit is 0."""
    encoder, decoder = nn.Linear(2, 4), nn.Linear(2, 2)
    with torch.no_grad():
        encoder.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0, 0], [0, 0]]))
        encoder.bias.copy_(torch.tensor([0.0, 0, -9, -9]))
    net = AutoencoderNet(encoder, decoder, CHOSEN.posterior, Likelihood(), 0.0, 1.0).eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        critic = CHOSEN.critic(2)
    nn.init.zeros_(critic[-2].weight)
    nn.init.zeros_(critic[-2].bias)
    return Trained(net, critic.eval(), pd.DataFrame({"step": [0]}), 1.0, steps=4_000)


def test_a_blind_critic_that_is_trained_on_comes_to_see_the_total_correlation():
    trained = blind()
    before = [weight.clone() for weight in trained.critic.parameters()]
    first, last = sight(CHOSEN, trained, world(X), (0, 200), seed=0)
    assert first == 0
    assert last == pytest.approx(-log(1 - RHO**2) / 2, abs=0.2)  # of a Gaussian, nats
    assert all(torch.equal(*each) for each in zip(before, trained.critic.parameters(), strict=True))


def test_the_view_looks_at_no_more_updates_than_a_quarter_of_the_training_s():
    found = view("critic", updates=12).compute(Subject(CHOSEN, blind().ae, world(X), blind()))
    assert found["critic_updates"].tolist()[-1] == 12
    few = train(CHOSEN, world(X), steps=20, seed=0, **SMALL)
    updates = compute(CHOSEN, few.ae, world(X), few)["critic_updates"]
    assert updates.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("vae", {}, "vae has no critic"),
        ("gcae", {"weight": 0.0, "critic_warmup": 1, "critic_width": 8}, "no term that its critic estimates"),
    ],
)
def test_methods_without_a_dependence_have_no_such_view(name, fields, words):
    chosen = method(name, **fields)
    trained = train(chosen, world(X), steps=2, seed=0, **SMALL)
    with pytest.raises(Unavailable, match=words):
        view("critic").compute(Subject(chosen, trained.ae, world(X), trained))
    assert "critic_sees" not in compute(chosen, trained.ae, world(X), trained)


@pytest.mark.parametrize("name", ["gcae", "ed-gcae", "factor-vae", "nash-ae"])
def test_every_critic_method_ends_with_what_its_critic_sees(name):
    chosen = method(name, critic_warmup=2, critic_width=8)
    trained = train(chosen, world(X[:200]), steps=8, seed=0, **SMALL)
    found = compute(chosen, trained.ae, world(X[:200]), trained)
    assert np.isfinite(found["critic_sees"]).all()
    assert len(found["critic_sees"]) == len(found["critic_updates"]) >= 3


def test_the_page_says_what_the_critic_sees(tmp_path, monkeypatch):
    blank_figures(monkeypatch)
    model = Autoencoder(Quick(critic_width=8, critic_layers=1), steps=8, random_state=0, **SMALL).fit(X[:200])
    run = model.save(tmp_path / "run", X[:200])
    page = " ".join(write_report(run.path).read_text().split())
    assert "What the critic sees" in page
    made_up = {"critic_updates": np.array([0, 50]), "critic_sees": np.array([0.1, 0.8])}
    run.write_arrays("pictures.npz", run.pictures | made_up)
    assert view("critic").sentence(Run(run.path)).startswith("The critic sees 12.5\xa0% of the dependence")
    run.write_arrays("pictures.npz", run.pictures | {"critic_sees": np.array([-0.1, 0.0])})
    assert "no dependence between latents, nor after 50 more" in view("critic").sentence(Run(run.path))
