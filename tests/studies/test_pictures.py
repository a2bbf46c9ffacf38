"""What is computed of a model for its report, and how runs of several seeds are compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import r2_score
from torch import nn

from prismae import AE, VAE, BetaVAE, InputError, VaDE, world
from prismae.nets.autoencoder import AutoencoderNet
from prismae.runs.decoder import describe_decoder
from prismae.runs.run import Run
from prismae.runs.stability import match, stability
from prismae.runs.verdict import Verdict
from prismae.studies import Job, run
from prismae.studies.selection import agreement
from prismae.train.build import build
from prismae.views import add_views, complete, compute, view
from prismae.views._subject import Subject
from prismae.views.latents import statistics

RNG = np.random.default_rng(0)
TABLE = world(RNG.normal(size=(60, 5)).astype(np.float32))


def net_for(method, data=TABLE, n_latents=3, net="mlp", likelihood="gaussian") -> AutoencoderNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(
            method, data.kind, data.shape, data.summary, n_latents=n_latents, net=net, likelihood=likelihood
        ).eval()


class Doubling(nn.Module):
    """A decoder of known effects: element i is code i, element 3 is twice code 0, element 4 is nothing."""

    def forward(self, z):
        return torch.cat([z, 2 * z[:, :1], torch.zeros_like(z[:, :1])], 1)


def test_latents_of_known_codes() -> None:
    n = 4000
    normal, other = RNG.normal(size=(2, n))
    switch = np.where(RNG.random(n) < 0.5, -1.0, 1.0) + 1e-3 * RNG.normal(size=n)
    codes = np.stack([normal, -2 * normal + 0.1 * other, switch, np.full(n, 0.3), RNG.uniform(size=n)], 1)
    found = statistics(codes)
    np.testing.assert_allclose(found["spread"], codes.std(0, ddof=1))
    assert found["correlation"][0, 1] == pytest.approx(np.corrcoef(codes[:, 0], codes[:, 1])[0, 1])
    assert found["correlation"][3].tolist() == [0.0] * 5
    assert found["at_ends"][2] == 1.0
    assert found["at_ends"][3] == 0.0
    assert found["at_ends"][4] == pytest.approx(0.04, abs=0.01)
    assert found["at_ends"][0] < 0.01
    assert found["code_entropy"][0] == pytest.approx(0.5 * np.log(2 * np.pi * np.e), abs=0.05)
    assert found["code_entropy"][4] == pytest.approx(0.0, abs=0.05)
    assert found["code_entropy"][3] == -np.inf


def test_effects_of_a_known_decoder() -> None:
    net = net_for(AE(), n_latents=3)
    net.decoder = Doubling()
    net.mean.zero_()
    net.std.fill_(10.0)
    subject = Subject(AE(), net, TABLE)
    subject.__dict__["ends"] = torch.tensor([-1.0, 0.0, 0.0]), torch.tensor([1.0, 3.0, 0.5])
    found = view("effects").compute(subject)["effects"]
    expected = 10 * np.array([[2, 0, 0, 4, 0], [0, 3, 0, 0, 0], [0, 0, 0.5, 0, 0]])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_errors_name_the_worst_observations() -> None:
    net = net_for(VAE())
    rows = torch.arange(60)
    subject = Subject(VAE(), net, TABLE)
    found = view("errors").compute(subject) | view("worst").compute(subject)
    assert found["errors"].mean() == pytest.approx(float(net.errors(TABLE.data[rows])[0].detach()), rel=1e-4)
    assert found["worst_rows"].tolist() == np.argsort(-found["errors"], kind="stable")[:8].tolist()
    np.testing.assert_array_equal(found["worst"], TABLE.data[torch.from_numpy(found["worst_rows"])].numpy())
    x = TABLE.data[rows].numpy()
    np.testing.assert_allclose(found["element_mean"], x.mean(0), atol=1e-6)
    np.testing.assert_allclose(found["element_std"], x.std(0, ddof=1), rtol=1e-5)
    again = net.generate(net.encode(TABLE.data[rows]).mean).detach().numpy()
    explained = 1 - found["errors"].mean() / found["mean_error"]
    assert explained == pytest.approx(r2_score(x, again, multioutput="variance_weighted"), abs=1e-5)


def test_manifold_has_the_reconstructions_at_its_corners() -> None:
    net = net_for(VAE())
    subject = Subject(VAE(), net, TABLE)
    found = view("manifold", corners=(3, 1, 4, 15)).compute(subject)
    with torch.no_grad():
        rebuilt = net.generate(net.encode(TABLE.data[torch.tensor([3, 1, 4, 15])]).mean).numpy()
    grid = found["manifold"]
    corners = np.stack([grid[0, 0], grid[0, -1], grid[-1, 0], grid[-1, -1]])
    np.testing.assert_allclose(corners, rebuilt, atol=1e-5)
    assert found["manifold_rows"].tolist() == [3, 1, 4, 15]
    first, second = (view("manifold", seed=seed).compute(subject)["manifold_rows"] for seed in (0, 1))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("corners", [(1, 2, 3), (0, 1, 2, 60), (-1, 0, 1, 2)])
def test_manifold_refuses_corners_that_are_not_there(corners: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="four numbers of observations between 0 and 59"):
        view("manifold", corners=corners).compute(Subject(VAE(), net_for(VAE()), TABLE))


def test_clusters_of_k_means_and_of_a_method() -> None:
    found = view("clusters").compute(Subject(VAE(), net_for(VAE()), TABLE))
    assert str(found["cluster_source"]) == "k-means of the codes, k = 10"
    assert found["cluster_sizes"].sum() == 60
    mean = (found["clusters"] * found["cluster_sizes"][:, None]).sum(0) / 60
    np.testing.assert_allclose(mean, TABLE.data[torch.arange(60)].numpy().mean(0), atol=1e-5)
    method = VaDE(n_components=4)
    found = view("clusters").compute(Subject(method, net_for(method), TABLE))
    assert str(found["cluster_source"]) == "assignments of vade"
    assert len(found["clusters"]) <= 4


def test_means_of_clusters_are_of_the_values_that_are_there() -> None:
    x = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
    x[::2, 1] = np.nan
    table = world(pd.DataFrame(x, columns=list("abc")))
    found = view("clusters").compute(Subject(VAE(), net_for(VAE(), table), table))
    assert np.isfinite(found["clusters"][found["cluster_sizes"] > 9]).all()
    seen = np.ma.masked_invalid(table.data[torch.arange(60)].numpy())
    mean = np.ma.average(
        np.ma.masked_invalid(found["clusters"]), axis=0, weights=found["cluster_sizes"]
    )  # of columns without gaps it is that of all
    np.testing.assert_allclose(mean[[0, 2]], seen.mean(0)[[0, 2]], atol=1e-5)


def test_noise_rarely_seems_to_know_more_of_a_factor_than_shuffled_codes() -> None:
    rng = np.random.default_rng(3)
    factors = rng.integers(5, size=(200, 60))
    noise = world(rng.normal(size=(200, 4)).astype(np.float32), factors=factors)
    found = view("information").compute(Subject(VAE(), net_for(VAE(), noise), noise))
    above = (found["mutual_information"].max(0) > found["shuffled_information"]).sum()
    assert above <= 8  # of 60, each with a probability of 1/20: more than 8 in one of 500 draws


def test_samples_come_from_the_methods_own_prior() -> None:
    method = VaDE(n_components=2)
    net = net_for(method)
    with torch.no_grad():
        net.parts["mixture"].mean.fill_(50.0)  # far from N(0, I)
    net.decoder = Doubling()
    net.mean.zero_()
    net.std.fill_(1.0)
    assert view("samples").compute(Subject(method, net, TABLE))["samples"][:, 0].min() > 40
    standard = Subject(VAE(), net_for(VAE()), TABLE)
    first, again, other = (
        view("samples", seed=seed).compute(standard)["samples"].tolist() for seed in (0, 0, 1)
    )
    assert first == again != other


def test_a_method_without_a_prior_has_no_samples() -> None:
    with pytest.raises(InputError, match="ae has no prior"):
        view("samples").compute(Subject(AE(), net_for(AE()), TABLE))
    assert "samples" not in compute(AE(), net_for(AE()), TABLE)
    assert "samples" in compute(VAE(), net_for(VAE()), TABLE)


def test_tsne_repeats_and_counts_its_points() -> None:
    subject = Subject(VAE(), net_for(VAE()), TABLE)
    found = view("tsne", points=30).compute(subject)
    assert found["tsne"].shape == (30, 2)
    np.testing.assert_array_equal(found["tsne"], view("tsne", points=30).compute(subject)["tsne"])
    with pytest.raises(InputError, match="at least 10 points, got 9"):
        view("tsne", points=9).compute(subject)
    few = world(RNG.normal(size=(5, 5)).astype(np.float32))
    with pytest.raises(InputError, match="at least 10 observations, but there are 5"):
        view("tsne").compute(Subject(VAE(), subject.net, few))


def test_decoder_names_layers_that_it_cannot_describe() -> None:
    net = net_for(VAE())
    kinds = [layer["kind"] for layer in describe_decoder(net)["layers"]]
    assert kinds == ["linear", "selu", "linear", "selu", "linear", "selu", "linear", "reshape", "affine"]
    net.decoder = nn.Sequential(nn.Linear(3, 5), nn.Dropout(), nn.GELU())
    assert [layer["kind"] for layer in describe_decoder(net)["layers"]] == [
        "linear",
        "Dropout",
        "GELU",
        "affine",
    ]


def test_match_finds_a_permutation_with_signs() -> None:
    codes = RNG.normal(size=(200, 4))
    partner, r = match(codes, -3 * codes[:, [2, 0, 3, 1]] + 1)
    assert partner.tolist() == [1, 3, 0, 2]
    np.testing.assert_allclose(r, 1.0)
    assert match(codes, np.zeros((200, 4)))[1].tolist() == [0.0] * 4


def test_runs_are_completed_and_compared(tmp_path) -> None:
    np.save(tmp_path / "mine.npy", TABLE.data[torch.arange(60)].numpy())
    shared = {"world": str(tmp_path / "mine.npy"), "n_latents": 3, "steps": 3, "batch": 8}
    first, second = (run(Job(method="vae", seed=seed, **shared), tmp_path) for seed in (0, 1))
    before = Run(first.path).pictures
    assert {"effects", "clusters", "samples"} <= before.keys()
    assert not {"tsne", "manifold"} & before.keys()  # the one is slow, the other not of a table
    complete(first, TABLE)
    after = Run(first.path).pictures
    assert "tsne" in after
    np.testing.assert_array_equal(after["clusters"], before["clusters"])
    with pytest.raises(InputError, match="Unknown view 'tsn'"):
        add_views(first, ["tsn"], TABLE)
    found = stability([first, second], TABLE)
    assert found["seeds"] == [0, 1]
    assert [len(latent["matches"]) for latent in found["latents"]] == [1, 1, 1]
    assert first.stability == found
    second.write_json("verdict.json", Verdict([0.0] * 3, [0.0] * 3).to_json())
    assert stability([first, second], TABLE)["udr"] is None  # one of them has collapsed
    assert len(agreement([first.path.name, second.path.name], tmp_path)[0]) == 0
    alive = Verdict([1.0, 1.0, 0.01], [1.0] * 3, explained=0.5)
    for each in (first, second):
        each.write_json("verdict.json", alive.to_json())
    again = stability([first, second], TABLE)
    assert (again["live"], again["explained"]) == ([2, 2], [0.5, 0.5])
    assert [latent["live"] for latent in again["latents"]] == [True, True, False]
    assert 0 <= again["udr"] <= 1
    scores, beside = agreement([first.path.name, second.path.name], tmp_path)
    assert scores[0] == pytest.approx(again["udr"], abs=0.2)  # of other rows
    assert beside == {"live": 2.0, "explained": 0.5}
    assert [latent["mean"] for latent in stability([first, first], TABLE)["latents"]] == pytest.approx(
        [1.0] * 3
    )
    with pytest.raises(InputError, match="at least 2 runs, got 1"):
        stability([first], TABLE)
    other = run(Job(method="beta-vae", fields=BetaVAE().fields(), **shared), tmp_path)
    with pytest.raises(InputError, match="differ in 'method'"):
        stability([first, other], TABLE)
