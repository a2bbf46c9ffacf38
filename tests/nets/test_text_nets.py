"""Networks of texts: what they see, what they write, and the likelihood of words."""

from __future__ import annotations

from math import log

import pytest
import torch

from prismae._words import BOS, EOS, PAD, UNK
from prismae.data import Summary, Table, Texts, Vocabulary
from prismae.errors import InputError
from prismae.methods import method
from prismae.methods.vae import VAE
from prismae.nets.likelihood import Categorical, squared_errors
from prismae.nets.lstm import LSTM
from prismae.train.build import build, choose_likelihood, choose_net

WORDS = 9
TEXTS = Texts(Vocabulary(tuple("abcdefghi")))
SENTENCES = torch.tensor([[4, 5, 6, EOS], [7, EOS, PAD, PAD]])


def made(net):
    summary = Summary(0.1, 0.3, 0, 1)
    return build(VAE(), TEXTS, (4,), summary, n_latents=3, net=net, likelihood="categorical")


@pytest.fixture
def net():
    torch.manual_seed(0)
    return made("lstm:width=8").eval()


def test_likelihood_is_the_sum_over_words_without_padding():
    logits = torch.zeros(2, 4, WORDS)
    torch.testing.assert_close(Categorical().nll(logits, SENTENCES), torch.tensor([4.0, 2.0]) * log(WORDS))
    p = torch.log_softmax(torch.randn(2, 4, WORDS, generator=torch.Generator().manual_seed(0)), -1)
    by_hand = -(p[1, 0, 7] + p[1, 1, EOS])
    torch.testing.assert_close(Categorical().nll(p, SENTENCES)[1], by_hand)


def test_squared_errors_lie_between_0_and_2_per_word():
    hit = torch.full((2, 4, WORDS), -50.0).scatter(-1, SENTENCES.unsqueeze(-1), 50.0)
    torch.testing.assert_close(squared_errors(hit, SENTENCES), torch.zeros(2))
    torch.testing.assert_close(squared_errors(hit.roll(1, -1), SENTENCES), 2 * torch.tensor([4.0, 2.0]))


def test_padding_changes_nothing(net):
    alone, z = SENTENCES[1:, :2], torch.randn(1, 3)
    torch.testing.assert_close(net.encode(alone).mean, net.encode(SENTENCES).mean[1:])
    torch.testing.assert_close(net.nll(alone, z), net.nll(SENTENCES[1:], z))
    mse, nats = net.errors(SENTENCES)
    each = [net.errors(row[None, : int((row != PAD).sum())]) for row in SENTENCES]
    torch.testing.assert_close(nats, (each[0][1] + each[1][1]) / 2)
    torch.testing.assert_close(mse, (4 * each[0][0] + 2 * each[1][0]) / 6)  # per word


def test_the_decoder_sees_only_the_words_before(net):
    z = torch.randn(2, 3)
    other = SENTENCES.clone()
    other[0, 2] = 8
    logits, changed = net.decoder(z, SENTENCES), net.decoder(z, other)
    torch.testing.assert_close(logits[0, :3], changed[0, :3])
    assert not torch.allclose(logits[0, 3], changed[0, 3])


def test_likelihoods_of_all_sentences_sum_to_at_most_1(net):
    z = torch.randn(1, 3)
    words = [w for w in range(WORDS) if w != PAD]
    total, left = 0.0, [[]]
    for _ in range(3):
        ended = [[*start, EOS] for start in left]
        x = torch.tensor(ended)
        total += float((-net.nll(x, z.expand(len(x), -1))).exp().sum().detach())
        left = [[*start, w] for start in left for w in words if w != EOS]
    assert 0 < total < 1


def test_greedy_writing_is_the_likeliest_word_each_time(net):
    z = torch.randn(5, 3)
    written = net.generate(z)
    for row, code in zip(written, z, strict=True):
        ids = row[row != PAD]
        logits = net.decoder(code[None], ids[None])[0]
        logits[:, [PAD, BOS, UNK]] = -torch.inf
        torch.testing.assert_close(logits.argmax(-1), ids)
    assert written.shape[1] <= net.longest


def test_drawn_sentences_follow_the_model(net):
    torch.manual_seed(0)
    z = torch.randn(1, 3)
    first = net.generate(z.expand(20_000, -1), temperature=1.0)[:, 0]
    logits = net.decoder(z, SENTENCES[:1])[0, 0]
    logits[[PAD, BOS, UNK]] = -torch.inf
    share = torch.bincount(first, minlength=WORDS) / len(first)
    torch.testing.assert_close(share, torch.softmax(logits, -1), atol=0.015, rtol=0)


def test_word_dropout_hides_words_in_training_only():
    torch.manual_seed(0)
    _, decoder = LSTM(width=8, dropout=0.0, word_dropout=1.0).build((4, WORDS), 6, 3)
    z, other = torch.randn(2, 3), SENTENCES.clone()
    other[0, 1] = 8
    torch.testing.assert_close(decoder(z, SENTENCES), decoder(z, other))  # every word before is unknown
    decoder.eval()
    assert not torch.allclose(decoder(z, SENTENCES), decoder(z, other))


def test_names_for_texts():
    summary = Summary(0, 1, 0, 1)
    assert choose_net("auto", VAE(), TEXTS, (4,)) == choose_net("auto", method("gcae"), TEXTS, (4,)) == LSTM()
    assert choose_likelihood("auto", VAE(), TEXTS, summary).name() == "categorical"
    words, numbers = "and the observations are words: expected", "and the observations are numbers: expected"
    with pytest.raises(InputError, match=f"Network 'conv' is for numbers, {words} one of lstm, auto"):
        choose_net("conv", VAE(), TEXTS, (4,))
    with pytest.raises(InputError, match=f"Network 'lstm' is for words, {numbers} one of additive"):
        choose_net("lstm", VAE(), Table(), (4,))
    with pytest.raises(InputError, match=f"Likelihood 'gaussian' is for numbers, {words} categorical"):
        choose_likelihood("gaussian", VAE(), TEXTS, summary)
    with pytest.raises(InputError, match=f"Likelihood 'categorical' is for words, {numbers} bernoulli or "):
        choose_likelihood("categorical", VAE(), Table(), summary)
    own = next(m for m in (method("gcae"), method("nash-ae")) if m.likelihood != "auto")
    with pytest.raises(InputError, match=f"{own.name()} is defined with it"):
        choose_likelihood("auto", own, TEXTS, summary)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        ("lstm:widht=3", "Unknown field of lstm 'widht'"),
        ("lstm:width=wide", "lstm: width should be a valid integer"),
        ("lstm:width=0", "lstm: width should be greater than or equal to 1"),
        ("lstm:word-dropout=2", "lstm: word_dropout should be less than or equal to 1"),
    ],
)
def test_settings_that_cannot_be(net, said):
    with pytest.raises(InputError, match=said):
        made(choose_net(net, VAE(), TEXTS, (4,)))
