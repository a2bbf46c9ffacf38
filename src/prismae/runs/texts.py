"""Sentences that a run on texts writes: drawn from the prior, and those between two others."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from prismae._random import Draws
from prismae._text import listed
from prismae.data import Tokens, Vocabulary
from prismae.data.text import as_sentences
from prismae.errors import DataWarning, InputError
from prismae.methods import Method
from prismae.nets.text import TextAutoencoderNet
from prismae.runs.run import Run

PATH = 7  # sentences from one to another


def text_model(run: Run) -> tuple[Method, TextAutoencoderNet, Vocabulary, int]:
    """Method, net, vocabulary and number of latents of a finished run on texts.

    Raises
    ------
    InputError
        For a run on anything but texts.
    """
    method, trained = run.load()
    if not isinstance(trained.ae, TextAutoencoderNet):
        raise InputError(
            f"{str(run.path)!r} was not trained on texts, so it writes no sentences: see `prismae picture`."
        )
    return (
        method,
        trained.ae,
        Vocabulary(tuple(run.job["vocabulary"]), run.job.get("tokens") == "characters"),
        run.job["n_latents"],
    )


def written(
    net: TextAutoencoderNet, vocabulary: Vocabulary, z: Tensor, *, temperature: float = 0.0, seed: int = 0
) -> list[str]:
    """Sentences for codes [n, m]: the likeliest word at each place, or drawn at a `temperature` above 0."""
    if not temperature >= 0:
        raise InputError(f"A temperature should be at least 0, got {temperature:g}.")
    with Draws(seed):
        return vocabulary.decode(net.generate(z, temperature=temperature))


def sampled(run: Run, n: int, *, temperature: float = 1.0, seed: int = 0) -> list[str]:
    """n sentences for codes drawn from the prior.

    Raises
    ------
    InputError
        For a run on anything but texts, a method without a prior, fewer than one sentence, a negative temperature.
    """
    method, net, vocabulary, n_latents = text_model(run)
    if not method.has_prior:
        raise InputError(f"{method.name()} has no prior to draw codes from.")
    if n < 1:
        raise InputError(f"At least 1 sentence can be drawn, got {n}.")
    with Draws(seed):
        z = method.prior_sample(net, n_latents, n)
    return written(net, vocabulary, z, temperature=temperature, seed=seed)


def interpolated(run: Run, first: str, last: str, steps: int = PATH) -> list[str]:
    """The likeliest sentences at `steps` codes on the line between the mean codes of two sentences, ends included.

    Raises
    ------
    InputError
        For a run on anything but texts, an empty or too long sentence, fewer than two steps.
    """
    _, net, vocabulary, _ = text_model(run)
    if steps < 2:
        raise InputError(f"A way from one sentence to another has at least 2 steps, got {steps}.")
    pairs = (("The first sentence", first), ("The last sentence", last))
    sentences = [_words(text, vocabulary, where) for where, text in pairs]
    return between(net, vocabulary, vocabulary.encode(sentences), steps)


def between(net: TextAutoencoderNet, vocabulary: Vocabulary, two: Tokens, steps: int) -> list[str]:
    """The likeliest sentences at `steps` codes on the line between the mean codes of two."""
    with torch.no_grad():
        first, last = (net.encode(two[torch.tensor([i])]).mean for i in range(2))
    return written(net, vocabulary, torch.lerp(first, last, torch.linspace(0, 1, steps).unsqueeze(1)))


def _words(text: str, vocabulary: Vocabulary, where: str) -> list[str]:
    """Words as the training's text had them: apart by spaces where so all of them are known, else `split_words`."""
    if not text.strip():
        raise InputError(f"{where} is empty, expected words.")
    known = set(vocabulary.words)
    apart = set(text.split()) <= known
    words = as_sentences([text], where, tokenised=apart, characters=vocabulary.characters)[0]
    if new := [word for word in dict.fromkeys(words) if word not in known]:
        what = "characters" if vocabulary.characters else "words"
        said = f"{where} has {what} that the model does not know, all of them one to it: {listed(new)}."
        warnings.warn(said, DataWarning, stacklevel=4)
    return words
