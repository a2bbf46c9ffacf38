"""Runs on texts, from the file to sentences, scores and report."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from flat import train
from typer.testing import CliRunner

import prismae as pr
from prismae import export
from prismae.cli import app
from prismae.errors import DataWarning, InputError
from prismae.nets.text import TextAutoencoderNet
from prismae.report import write_picture, write_report
from prismae.runs.run import Run
from prismae.runs.scoring import score
from prismae.runs.texts import interpolated, sampled, text_model
from prismae.studies import Job, run
from prismae.views import add_views, complete

WORDS = ("red", "green", "blue", "cat", "dog", "runs", "sleeps", "here", "there")
NET = "lstm:width=24,dropout=0.0"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Sentences of a colour, an animal, what it does and where: four independent factors."""
    rng = np.random.default_rng(0)
    picked = [rng.choice(part, 400) for part in (WORDS[:3], WORDS[3:5], WORDS[5:7], WORDS[7:])]
    file = tmp_path_factory.mktemp("texts") / "animals.txt"
    file.write_text("".join(f"the {' '.join(words)}\n" for words in zip(*picked, strict=True)))
    return file


@pytest.fixture(scope="module")
def folder(path, tmp_path_factory):
    job = Job("beta-vae", str(path), {"beta": 0.02}, n_latents=4, net=NET, steps=220, batch=32, lr=1e-2)
    return run(job, tmp_path_factory.mktemp("runs"))


def test_a_trained_model_rebuilds_sentences_from_their_codes(folder, path):
    data = pr.world(path)
    x = data.data[torch.arange(60)]
    _, net, vocabulary, m = text_model(folder)
    assert m == 4
    rebuilt = vocabulary.decode(net.generate(net.encode(x).mean))
    assert np.mean([a == b for a, b in zip(vocabulary.decode(x), rebuilt, strict=True)]) > 0.8
    found = score(folder, protocols=())
    assert (
        found["reconstruction"]["nats"] < 1.5 < np.log(24)
    )  # nats of a sentence; all 24 sentences are equally likely
    assert found["reconstruction"]["mse"] < 0.2


def test_a_run_is_read_back_with_its_vocabulary(folder, path):
    _, net, vocabulary, _ = text_model(Run.open(folder.path))
    assert isinstance(net, TextAutoencoderNet)
    assert vocabulary == pr.world(path).kind.vocabulary


def test_sentences_are_drawn_alike_for_the_same_seed(folder):
    first = sampled(folder, 20, seed=1)
    assert first == sampled(folder, 20, seed=1) != sampled(folder, 20, seed=2)
    assert {word for sentence in first for word in sentence.split()} <= {"the", *WORDS}
    assert len(set(sampled(folder, 20, temperature=0.0))) > 3  # the code decides


def test_the_way_between_two_sentences_leads_from_one_to_the_other(folder):
    way = interpolated(folder, "the red cat runs here", "The blue dog sleeps there", 5)
    with pytest.warns(
        DataWarning, match=r"The first sentence has words that the model does not know, .*: zebra, walks"
    ):
        interpolated(folder, "the zebra walks", "the cat", 2)
    assert (len(way), way[0], way[-1]) == (5, "the red cat runs here", "the blue dog sleeps there")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: sampled(f, 0), "At least 1 sentence"),
        (lambda f: sampled(f, 1, temperature=-1), "temperature should be at least 0, got -1"),
        (lambda f: interpolated(f, " ", "the cat"), "The first sentence is empty"),
        (lambda f: interpolated(f, "the cat", "dog " * 300), "The last sentence, line 1 has 300 words"),
        (lambda f: interpolated(f, "the cat", "the dog", 1), "at least 2 steps, got 1"),
        (
            lambda f: add_views(f, ["manifold"], pr.world("digits")),
            "Texts have no picture of kind 'manifold'",
        ),
    ],
)
def test_what_cannot_be_written(folder, call, said):
    with pytest.raises(InputError, match=said):
        call(folder)


def test_other_runs_write_no_sentences(tmp_path):
    other = run(Job("vae", "digits", n_latents=2, net="mlp:width=8", steps=2, batch=8), tmp_path)
    with pytest.raises(InputError, match="was not trained on texts"):
        sampled(other, 1)


def test_resumed_training_on_texts_is_the_same_to_the_bit(path, tmp_path):
    given = {"n_latents": 3, "net": "lstm:width=8,word-dropout=0.2", "likelihood": "categorical", "batch": 16}
    whole = train(pr.method("vae"), pr.world(path), steps=20, **given)
    half = train(pr.method("vae"), pr.world(path), steps=9, **given)
    again = train(pr.method("vae"), pr.world(path), steps=20, start=half.state, **given)
    for name, value in whole.ae.state_dict().items():
        assert torch.equal(value, again.ae.state_dict()[name]), name


def test_gradients_are_clipped(path):
    data, given = pr.world(path), {"n_latents": 3, "net": "lstm:width=8", "likelihood": "categorical"}
    shaken = train(pr.method("beta-vae", beta=1e6), data, steps=30, batch=16, lr=1e-2, **given)
    assert np.isfinite(shaken.history["recon"]).all()


def test_any_method_learns_texts(path):
    for name in ("factor-vae", "wae", "ed-gcae", "dip-vae"):
        method = pr.method(name)
        if method.likelihood != "auto":
            with pytest.raises(InputError, match=r"the observations are words: .* is defined with it"):
                pr.Autoencoder(name, steps=1).fit(pr.world(path))
            continue
        model = pr.Autoencoder(name, n_latents=3, net="lstm:width=8", steps=3, batch=16).fit(pr.world(path))
        assert model.transform(pr.world(path)).shape == (400, 3)


def test_the_scikit_learn_face(path, tmp_path):
    data = pr.world(path)
    kept, held = data.split(0.2)
    model = pr.Autoencoder(
        pr.method("beta-vae", beta=0.02), n_latents=4, net=NET, steps=150, batch=32, lr=1e-2
    ).fit(kept)
    assert model.transform(held).shape == (80, 4)
    again = model.inverse_transform(model.transform(kept))
    assert again.shape == (320,)
    assert set(" ".join(again).split()) <= {"the", *WORDS}
    assert 0.6 < model.score(kept) < 1
    model.save(tmp_path / "model")
    loaded = pr.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(kept), model.transform(kept))
    for wrong in (np.zeros((3, 6)), ["the cat"], np.array(["the cat"]), pd.Series(["the cat"]), "the cat"):
        with pytest.raises(InputError, match=r"expected texts, .* prismae\.world\('new\.txt'\)"):
            model.transform(wrong)
    with pytest.raises(InputError, match="cannot be exported"):
        export.to_torch(model, tmp_path, kept)
    numbers = pr.Autoencoder("vae", n_latents=2, steps=2).fit(np.random.default_rng(0).normal(size=(20, 7)))
    with pytest.raises(InputError, match=r"expected no texts|features"):
        numbers.transform(data)


def test_texts_with_other_words_are_read_in_those_of_the_fit(path, tmp_path):
    model = pr.Autoencoder("vae", n_latents=3, net="lstm:width=8", steps=3, batch=16).fit(pr.world(path))
    other = tmp_path / "other.txt"
    other.write_text("here the cat sleeps\nthe red cat runs here\n")
    data = pr.world(path)
    with pytest.raises(InputError, match="expected tokens='words'"):
        model.transform(pr.world(other, tokens="characters"))
    place = data.kind.vocabulary.decode(data.data.values).index("the red cat runs here")
    first = model.transform(data)[place]
    np.testing.assert_allclose(model.transform(pr.world(other))[1], first, rtol=1e-5, atol=1e-6)


def test_command_line_and_report(folder, monkeypatch):
    go = CliRunner()
    said = go.invoke(app, ["sample", str(folder.path), "--n", "3"])
    assert (said.exit_code, len(said.output.splitlines())) == (0, 3)
    said = go.invoke(
        app, ["interpolate", str(folder.path), "the red cat runs here", "the blue dog sleeps there"]
    )
    assert (said.exit_code, len(said.output.splitlines())) == (0, 7)
    said = go.invoke(app, ["evaluate", str(folder.path), "--metrics", "likelihood", "--samples", "3"])
    assert said.exit_code == 0, said.output
    assert "perplexity" in said.output
    for kind in ("reconstructions", "samples", "gif"):
        said = go.invoke(app, ["picture", str(folder.path), "--kind", kind])
        assert isinstance(said.exception, InputError)
        assert (
            f"Texts have no picture of kind '{kind}': expected one of 'critic', 'information', 'latents', 'tsne'"
            in str(said.exception)
        )
        with pytest.raises(InputError, match="Texts have no picture of kind"):
            write_picture(folder.path, kind)
    said = go.invoke(app, ["report", str(folder.path)])
    assert said.exit_code == 0, said.output
    page = (folder.path / "report.html").read_text()
    assert "earlier version" not in page
    assert "400 sentences of up to 6 words" in page
    assert "per word" in page
    for part in ("Sentences", "rebuilt from its code", "Drawn from the prior", "nats a sentence"):
        assert part in page
    assert "No traversals" not in page
    assert "&lt;pad&gt;" not in page  # the vocabulary is not among the settings


def test_a_sentence_of_no_words_is_said_to_be_one(folder):
    arrays = dict(Run(folder.path).pictures)
    arrays["sentence_samples"] = np.array(["", *arrays["sentence_samples"][1:]])
    np.savez(folder.path / "pictures.npz", **arrays)
    (folder.path / "manifest.json").unlink()
    assert "<li><i>no words</i></li>" in write_report(folder.path).read_text()


def test_what_a_report_lacks_is_computed(folder, path):
    data = pr.world(path)
    (folder.path / "pictures.npz").unlink()
    complete(folder, data)
    with np.load(folder.path / "pictures.npz") as arrays:
        assert {"sentences", "sentence_path", "sentence_traversals", "tsne"} <= set(arrays)
        assert arrays["sentence_traversals"].shape == (4, 5)
