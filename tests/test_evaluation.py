"""Scoring models by families of metrics: what is compared with what; in Python, in a run, on the command line."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

import prismae as pr
from prismae import cli
from prismae.errors import InputError, Unavailable
from prismae.report import write_report
from prismae.runs.run import Run
from prismae.studies import score

FAST = {"steps": 60, "batch": 32, "lr": 1e-3, "net": "mlp:width=16"}


@pytest.fixture(scope="module", autouse=True)
def quick_classifier():
    """Features of a classifier that has seen less than usual."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prismae.metrics.generation._features.STEPS", 20)
        yield


@pytest.fixture(scope="module")
def digits():
    return pr.world("digits")


@pytest.fixture(scope="module")
def model(digits):
    return pr.Autoencoder("vae", 4, **FAST).fit(digits)


def test_images_of_a_model_are_reconstructions_and_samples(model, digits):
    found = pr.evaluate(model, digits, metrics="generation")
    assert {
        "ssim",
        "psnr",
        "frechet[pixels-pca]-samples",
        "frechet[classifier:digits]-reconstructions",
    } <= set(found)
    assert found["frechet[pixels-pca]-samples"].parameters["n_samples"] == len(digits) // 3
    assert found["frechet[pixels-pca]-samples"].ceiling < found["frechet[pixels-pca]-samples"].score
    assert found["psnr"].chance < found["psnr"].score
    assert found.to_dict() == pr.evaluate(model, digits, metrics="generation").to_dict()


def test_reconstructions_are_of_the_test_images_that_are_given(model, digits):
    x = torch.rand(50, *digits.shape, generator=torch.Generator().manual_seed(0))
    found = pr.evaluate(model, digits, test=pr.world(x), metrics=["pixel-mse"], baselines=False)
    assert found["pixel-mse"].parameters["n_images"] == 50
    error = model.inverse_transform(model.transform(x.numpy())) - x.numpy()
    assert found["pixel-mse"].score == pytest.approx(np.square(error).mean(), rel=1e-3)


def test_samples_come_from_the_methods_own_prior(model, digits, monkeypatch):
    elsewhere = pr.evaluate(model, digits, metrics=["frechet"], baselines=False)
    monkeypatch.setattr(type(model.method_), "prior_sample", lambda self, ae, m, n: torch.full((n, m), 9.0))
    far = pr.evaluate(model, digits, metrics=["frechet"], baselines=False)
    key = "frechet[pixels-pca]-samples"
    assert far[key].score > elsewhere[key].score
    assert far["frechet[pixels-pca]-reconstructions"] == elsewhere["frechet[pixels-pca]-reconstructions"]


def test_images_need_a_model_and_images(model, digits):
    series = pr.world("pulses")
    with pytest.raises(InputError, match=r"world 'pulses' has shape \(1000,\)"):
        pr.evaluate(pr.Autoencoder("vae", 2, steps=1).fit(series), series, metrics="generation")
    with pytest.raises(InputError, match="a model and a World"):
        pr.evaluate(model.transform(digits), digits, metrics="generation")
    bright = pr.world(10 * digits.data[torch.arange(100)])
    with pytest.raises(InputError, match=r"range from 0 to 10, expected pixels in \[0, 1\]"):
        pr.evaluate(pr.Autoencoder("vae", 2, steps=1).fit(bright), bright, metrics="generation")


def test_images_without_labels_have_features_of_pixels_alone(model, digits):
    bare = pr.world(digits.data[torch.arange(300)])
    found = pr.evaluate(model, bare, metrics=["frechet"], baselines=False)
    assert set(found) == {"frechet[pixels-pca]-reconstructions", "frechet[pixels-pca]-samples"}


def test_a_clusterings_own_clusters_are_scored(digits):
    mixture = pr.Autoencoder("gmvae", 4, **FAST).fit(digits)
    found = pr.evaluate(mixture, digits, metrics="clustering", baselines=False)
    assert {"silhouette[labels]", "nmi[k-means]"} <= set(found)
    shares = mixture.method_.responsibilities(mixture.net_, digits.data[torch.arange(len(digits))])  # type: ignore[attr-defined]
    given = pr.evaluate(
        mixture.transform(digits), digits, metrics=["ari"], assignments=shares, baselines=False
    )
    assert given["ari[assigned]"].score == pytest.approx(found["ari[assigned]"].score)
    assert (
        pr.evaluate(mixture.net_, digits, metrics=["ari"], method=mixture.method_, baselines=False) == given
    )


def test_classifiers_are_scored_on_a_test_world(model, digits):
    rows = torch.arange(300)
    test = pr.world(digits.data[rows], factors=digits.factors[:300], factor_names=("class",))
    found = pr.evaluate(model, digits, test=test, metrics=["knn-accuracy"])
    assert found["knn-accuracy"].parameters["n_test"] == 300
    assert found["knn-accuracy"].score > 2 * found["knn-accuracy"].chance
    with pytest.raises(InputError, match="nothing can be tested on it"):
        pr.evaluate(model, digits, test=pr.world(digits.data[rows]), metrics="classification")


def test_families_stand_beside_the_protocols_in_a_run(model, tmp_path, monkeypatch, capfd):
    folder = model.save(tmp_path / "run")
    monkeypatch.setattr(
        sys, "argv", ["prismae", "evaluate", str(folder.path), "--metrics", "clustering,mig,psnr"]
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    printed = capfd.readouterr().out
    assert "silhouette[labels]" in printed
    assert "psnr" in printed
    saved = json.loads((folder.path / "scores.json").read_text())["protocols"]
    assert {name: set(scores) & {"mig", "psnr", "nmi[k-means]"} for name, scores in saved.items()} == {
        "locatello2019": {"mig"},
        "clustering": {"nmi[k-means]"},
        "generation": {"psnr"},
    }
    page = write_report(folder.path).read_text()
    assert "silhouette[labels]" in page


def test_a_family_that_a_world_does_not_allow_is_one_sentence(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    np.save(tmp_path / "bare.npy", x)
    bare = pr.world(x)
    folder = pr.Autoencoder("vae", 2, steps=1).fit(bare).save(tmp_path / "run")
    for family, said in {
        "clustering": "neither class labels",
        "classification": "needs the factors of the points",
        "generation": "has shape",
    }.items():
        with pytest.raises(InputError, match=said):
            score(Run.open(folder.path), metrics=family, data=bare)


def test_rmig_and_udr_look_at_the_posteriors_of_models(model, digits, tmp_path):
    pulses = pr.world("pulses")
    models = [pr.Autoencoder("vae", 4, random_state=seed, **FAST).fit(pulses) for seed in (0, 1)]
    with torch.no_grad():
        posteriors = [each.net_.encode(pulses.data[torch.arange(len(pulses))]) for each in models]
    stds = [torch.exp(0.5 * each.log_var).numpy() for each in posteriors]
    means = [each.mean.numpy() for each in posteriors]
    told = [
        0.5 * np.log((std**2).mean(0) + mean.var(0)) - np.log(std).mean(0)
        for mean, std in zip(means, stds, strict=True)
    ]
    wanted = ["rmig", "udr-spearman"]
    found = pr.evaluate(models[0], pulses, metrics=wanted, other_runs=models[1:], baselines=False)
    assert found["rmig"].score == pytest.approx(pr.metrics.rmig(means[0], pulses.factors, stds[0]), abs=1e-5)
    assert found["udr-spearman"].score == pytest.approx(
        float(pr.metrics.udr_spearman(means, kl=told, least_kl=0.1)), abs=1e-5
    )
    given = pr.evaluate(
        means[0],
        pulses,
        metrics=wanted,
        other_runs=means[1:],
        stds=stds[0],
        other_stds=stds[1:],
        baselines=False,
    )
    assert given["rmig"].score == pytest.approx(found["rmig"].score, abs=1e-6)
    assert given["udr-spearman"].score == pytest.approx(found["udr-spearman"].score, abs=1e-6)
    folder = models[0].save(tmp_path / "run", pulses)
    scores = score(Run.open(folder.path), metrics=wanted, data=pulses, protocols=("locatello2019",))
    assert scores["protocols"]["locatello2019"]["rmig"]["score"] == pytest.approx(
        found["rmig"].score, abs=1e-6
    )
    assert "codes of one run alone" in scores["skipped"]["locatello2019"]["udr-spearman"]


def test_codes_without_a_density_have_deviations_of_zero():
    pulses = pr.world("pulses")
    model = pr.Autoencoder("ae", 4, **FAST).fit(pulses)
    found = pr.evaluate(model, pulses, metrics="rmig", baselines=False)
    assert found["rmig"].score == pytest.approx(pr.metrics.rmig(model.transform(pulses), pulses.factors))


def test_a_run_keeps_the_scores_that_it_can_have(model, digits, tmp_path):
    folder = Run.open(model.save(tmp_path / "run").path)
    found = score(folder, metrics=["mig", "dci", "psnr", "perplexity", "udr-lasso"], data=digits)
    assert "mig" in found["protocols"]["locatello2019"]
    assert "psnr" in found["protocols"]["generation"]
    assert {"dci", "udr-lasso"} <= set(found["skipped"]["locatello2019"])
    assert "counts the words of texts" in found["skipped"]["likelihood"]["perplexity"]
    with pytest.raises(Unavailable, match="modularity: The metric compares factors"):
        score(folder, metrics=["modularity", "unfairness"], data=digits)
    saved = json.loads((folder.path / "scores.json").read_text())
    assert {"dci", "modularity", "unfairness"} <= set(saved["skipped"]["locatello2019"])
    assert set(saved["protocols"]["locatello2019"]) == {"mig"}


@pytest.mark.parametrize("value", [None, -1, float("nan"), True, object()], ids=str)
@pytest.mark.parametrize("name", ["metrics", "protocol"])
def test_what_is_no_metric_and_no_protocol_is_one_sentence(name, value):
    codes, factors = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40).reshape(-1, 1) % 3
    with pytest.raises(InputError, match=f"^{name.capitalize()}: expected (names|a name)"):
        pr.evaluate_codes(codes, factors, **{name: value})


@pytest.mark.parametrize("name", ["factor_names", "factor_kinds", "other_runs", "other_stds"])
@pytest.mark.parametrize("value", [5, "ab", {"a": 1}], ids=str)
def test_what_is_no_list_is_one_sentence(name, value):
    codes, factors = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40).reshape(-1, 1) % 3
    with pytest.raises(InputError, match=f"^{name}: expected a list"):
        pr.evaluate_codes(codes, factors, metrics=["mig"], **{name: value})


def test_names_may_stand_in_an_array_and_are_texts():
    codes, factors = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40).reshape(-1, 1) % 3
    scores = pr.evaluate_codes(
        codes, factors, metrics=["mig"], factor_names=np.array(["a"]), factor_kinds=np.array(["categorical"])
    )
    assert "mig" in scores
    with pytest.raises(InputError, match=r"factor_names: expected a list of texts, got \[1\]"):
        pr.evaluate_codes(codes, factors, metrics=["mig"], factor_names=[1])
