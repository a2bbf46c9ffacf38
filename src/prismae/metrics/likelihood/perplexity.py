"""Likelihood of text by the word."""

from __future__ import annotations

from math import inf

from numpy.typing import ArrayLike
from torch import Tensor

from prismae.metrics._base import metric
from prismae.metrics.likelihood._observations import (
    WordScore,
    as_words,
    evidence_bound,
    importance_weighted,
)

INVARIANT = ("permute_observations", "permute_samples")


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=(1, inf),
    better="lower",
    invariant=INVARIANT,
)
def perplexity(log_weights: ArrayLike | Tensor, words: ArrayLike | Tensor) -> WordScore:
    """Perplexity of text by the importance-weighted likelihood: exp(nats of all texts / their words).

    As language models are compared, with the likelihood of `nll` (Burda et al. 2016, arXiv:1509.00519, Eq. 8; He et al.
    2019, arXiv:1901.05534). A word counts as much wherever it stands: this is no mean over texts.

    Parameters
    ----------
    log_weights
        [n, k], log p(x, z) - log q(z|x) of n texts at k samples of their posteriors each, nats.
    words
        [n] predicted words of each, the end of the sentence among them and its start not.

    Returns
    -------
    WordScore
        `float(...)` is the score, lower is better; as many words as there are is what an even guess scores.

    Examples
    --------
    >>> round(float(perplexity(np.full((2, 8), -np.log(50.0) * 10), [10, 10])), 3)  # as good as guessing among 50 words
    50.0
    """
    nats, said = importance_weighted(log_weights)
    return WordScore(nats.numpy(), as_words(words, len(nats)), True, said)


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=(1, inf),
    better="lower",
    invariant=("permute_observations", "permute_samples", "permute_codes"),
)
def perplexity_bound(
    losses: ArrayLike | Tensor,
    mean: ArrayLike | Tensor,
    log_var: ArrayLike | Tensor,
    words: ArrayLike | Tensor,
) -> WordScore:
    """Perplexity of text by the ELBO: exp((reconstruction + KL of all texts) / their words).

    What most papers on text print (Bowman et al. 2016, arXiv:1511.06349): an upper bound on `perplexity`, in
    expectation.

    Parameters
    ----------
    losses
        [n, k], -log p(x|z) of n texts at k samples of their posteriors each, nats.
    mean, log_var
        [n, m] of their posteriors.
    words
        [n] predicted words of each, the end of the sentence among them and its start not.

    Returns
    -------
    WordScore
        `float(...)` is the score, lower is better.

    Examples
    --------
    >>> zeros = np.zeros((2, 3))  # the posterior is the prior: no nats of KL
    >>> round(float(perplexity_bound([[10 * np.log(50.0)]] * 2, zeros, zeros, [10, 10])), 3)
    50.0
    """
    nats, said = evidence_bound(losses, mean, log_var)
    return WordScore(nats.numpy(), as_words(words, len(nats)), True, said)


@metric(
    needs="densities",
    protocol="likelihood",
    bounds=(-inf, inf),
    better="lower",
    invariant=INVARIANT,
)
def nll_per_word(log_weights: ArrayLike | Tensor, words: ArrayLike | Tensor) -> WordScore:
    """Negative log-likelihood of text, nats a word: the logarithm of `perplexity`.

    Burda et al. 2016, arXiv:1509.00519, Eq. 8.

    Parameters
    ----------
    log_weights, words
        As for `perplexity`.

    Returns
    -------
    WordScore
        `float(...)` is the score, lower is better.

    Examples
    --------
    >>> float(nll_per_word(np.full((2, 8), -90.0), [10, 20]))  # 180 nats of 30 words
    6.0
    """
    nats, said = importance_weighted(log_weights)
    return WordScore(nats.numpy(), as_words(words, len(nats)), False, said)
