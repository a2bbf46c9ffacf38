"""Metrics of likelihood: what each declares, values by hand, and a text whose likelihood is enumerated."""

from __future__ import annotations

import inspect
import re
from itertools import product
from math import exp, log

import numpy as np
import pytest
import torch

from prismae import metrics
from prismae.errors import InputError
from prismae.evaluation import evaluate_codes, evaluate_likelihood
from prismae.evaluation.families.densities import tables_needed
from prismae.metrics import all_metrics

METRICS = {name: each for name, each in all_metrics().items() if each.needs == "densities"}
RNG = np.random.default_rng(0)
N, K, M = 80, 7, 3
TABLES = {
    "log_weights": RNG.normal(-20, 3, size=(N, K)),
    "losses": RNG.normal(18, 3, size=(N, K)),
    "mean": RNG.normal(size=(N, M)) * [1.0, 0.3, 0.01],
    "log_var": RNG.normal(-1, 0.5, size=(N, M)),
    "words": RNG.integers(1, 9, size=N),
}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def score(metric, tables) -> float:
    options = {"samples": 200} if "samples" in metric.parameters else {}
    return float(metric(*(tables[name] for name in metric.arguments), **options))


def permute_observations():
    order = RNG.permutation(N)
    return {name: each[order] for name, each in TABLES.items()}


def permute_samples():
    order = RNG.permutation(K)
    return TABLES | {name: TABLES[name][:, order] for name in ("log_weights", "losses")}


def permute_codes():
    return TABLES | {name: TABLES[name][:, [2, 0, 1]] for name in ("mean", "log_var")}


def flip_codes():
    return TABLES | {"mean": TABLES["mean"] * [-1, 1, -1]}


def shift_codes():
    return TABLES | {"mean": TABLES["mean"] + [5.0, -1.0, 0.0]}


def scale_codes():
    scale = np.array([0.5, 3.0, 10.0])
    return TABLES | {"mean": TABLES["mean"] * scale, "log_var": TABLES["log_var"] + 2 * np.log(scale)}


CHANGES = (permute_observations, permute_samples, permute_codes, flip_codes, shift_codes, scale_codes)


@pytest.mark.parametrize(
    ("metric", "change"),
    [(m, change) for m in METRICS.values() for change in CHANGES if change.__name__ in m.invariant],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_declared_invariance(metric, change):
    noise = 0.05 if metric.name == "mutual-information" else 1e-9  # codes are drawn anew
    assert score(metric, change()) == pytest.approx(score(metric, TABLES), abs=noise)


@every_metric
def test_declarations_are_complete(metric):
    assert set(metric.invariant) <= {change.__name__ for change in CHANGES}
    text = inspect.getdoc(metric.function)
    assert re.search(r"arXiv:|doi:", text), "the source is missing"
    assert "better" in text, "the direction is missing"
    assert set(metric.protocols) == {"likelihood"}
    assert metric.bounds[0] <= score(metric, TABLES) <= metric.bounds[1]


@every_metric
def test_the_same_tables_give_the_same_score_from_any_framework_and_no_global_state_is_touched(metric):
    before = torch.get_rng_state()
    tensors = {name: torch.from_numpy(each).requires_grad_(name != "words") for name, each in TABLES.items()}
    assert score(metric, tensors) == score(metric, TABLES)
    assert torch.equal(before, torch.get_rng_state())


def test_scores_by_hand():
    weights = np.log([[1.0, 3.0], [4.0, 4.0]])
    words = [1, 2]
    assert float(metrics.nll(weights)) == pytest.approx(-(log(2) + log(4)) / 2)
    assert metrics.nll(weights).settings == {"n_samples": 2, "effective_samples": pytest.approx(1.6)}
    assert float(metrics.nll_per_word(-weights, words)) == pytest.approx((log(1.5) + log(4)) / 3)
    assert float(metrics.perplexity(-weights, words)) == pytest.approx((1.5 * 4) ** (1 / 3))
    assert float(metrics.reconstruction([[1.0, 3.0], [4.0, 6.0]])) == 3.5
    mean, log_var = [[0.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, log(2)]]
    kls = 2.0, 0.5 * (2 - 1 - log(2))
    assert float(metrics.kl(mean, log_var)) == pytest.approx(sum(kls) / 2)
    bound = metrics.perplexity_bound([[1.0, 3.0], [4.0, 6.0]], mean, log_var, words)
    assert float(bound) == pytest.approx(exp((7 + sum(kls)) / 3))
    assert metrics.active_units(mean) == 1


def test_mutual_information_says_the_most_that_the_observations_can_show():
    apart = metrics.mutual_information(100 * np.eye(20), np.zeros((20, 20)))
    assert float(apart) == pytest.approx(log(20))
    assert apart.settings == {"log_n": pytest.approx(log(20))}
    assert float(metrics.mutual_information(np.ones((20, 3)), np.zeros((20, 3)))) == pytest.approx(
        0, abs=1e-12
    )


def test_more_samples_and_seeds_of_the_mutual_information_agree():
    few, many = (
        [
            float(metrics.mutual_information(TABLES["mean"], TABLES["log_var"], samples=k, seed=s))
            for s in range(20)
        ]
        for k in (1, 20)
    )
    assert np.mean(few) == pytest.approx(np.mean(many), abs=0.05)
    assert np.std(many) < 0.4 * np.std(few)
    with pytest.raises(InputError, match="samples should be greater than or equal to 1, got 0"):
        metrics.mutual_information(TABLES["mean"], TABLES["log_var"], samples=0)


LOGITS = np.array(
    [[0.0, 1.0, -1.0], [0.5, -2.0, 2.0]]
)  # of a vocabulary of 3: at z = 0, and their change with z


def log_p(sentence, z):
    """log p(x|z) of two words, the second drawn from the same distribution unless it repeats the first."""
    logits = LOGITS[0] + np.multiply.outer(z, LOGITS[1])
    first, second = sentence
    after = logits + 0.7 * np.eye(3)[first]
    return sum(
        row[..., word] - np.logaddexp.reduce(row, axis=-1) for row, word in ((logits, first), (after, second))
    )


def test_a_text_model_that_is_enumerated():
    nodes, quadrature = np.polynomial.hermite_e.hermegauss(80)
    quadrature = quadrature / quadrature.sum()
    sentences = list(product(range(3), repeat=2))
    exact = np.array([np.log(quadrature @ np.exp(log_p(each, nodes))) for each in sentences])
    assert np.exp(exact).sum() == pytest.approx(1)  # every text of two words is one of the nine

    text = RNG.choice(len(sentences), size=300, p=np.exp(exact))
    mean, std = np.array([0.3 * (sum(each) - 2) for each in sentences]), 0.9
    q = {"mean": mean[text, None], "log_var": np.full((300, 1), 2 * log(std))}

    def tables(k):
        z = q["mean"] + std * RNG.normal(size=(300, k))
        losses = -np.array([log_p(sentences[i], row) for i, row in zip(text, z, strict=True)])
        normal = lambda at, scale: -0.5 * (np.square(at / scale) + log(2 * np.pi)) - log(scale)  # noqa: E731
        return {"losses": losses, "log_weights": normal(z, 1) - normal(z - q["mean"], std) - losses} | q

    found = evaluate_likelihood(**tables(2_000), words=np.full(300, 2), metrics="likelihood")
    nats = -exact[text].sum()
    assert found["nll"].score == pytest.approx(nats / 300, abs=2e-3)
    assert found["nll-per-word"].score == pytest.approx(nats / 600, abs=1e-3)
    assert found["perplexity"].score == pytest.approx(exp(nats / 600), rel=1e-3)
    elbo = found["reconstruction"].score + found["kl"].score
    assert found["perplexity-bound"].score == pytest.approx(exp(elbo / 2))
    assert found["perplexity-bound"].score > found["perplexity"].score
    one = np.mean([evaluate_likelihood(**tables(1), metrics="nll")["nll"].score for _ in range(50)])
    assert one == pytest.approx(elbo, abs=0.01)


def test_what_is_not_given_is_left_out_and_named_it_is_an_error():
    found = evaluate_likelihood(mean=TABLES["mean"], log_var=TABLES["log_var"])
    assert set(found) == {"kl", "mutual-information", "active-units-posterior"}
    assert "counts the words" in evaluate_likelihood(log_weights=TABLES["log_weights"]).skipped["perplexity"]
    with pytest.raises(InputError, match="nll: The metric needs importance weights"):
        evaluate_likelihood(mean=TABLES["mean"], log_var=TABLES["log_var"], metrics="nll")
    with pytest.raises(InputError, match="Nothing of likelihood can be scored; nll"):
        evaluate_likelihood()
    assert tables_needed([METRICS["kl"], METRICS["nll"]]) == {"mean", "log_var", "log_weights"}


def test_intervals_cover_the_choice_of_observations():
    found = evaluate_likelihood(**TABLES, bootstrap=300)
    for name in METRICS:
        assert found[name].lower <= found[name].score <= found[name].upper, name
        assert found[name].parameters["n_observations"] == N
        assert (found[name].ceiling, found[name].chance) == (None, None)
    each = metrics.nll(TABLES["log_weights"]).each
    width = found["nll"].upper - found["nll"].lower
    assert width == pytest.approx(2 * 1.96 * each.std() / N**0.5, rel=0.15)


def test_a_likelihood_of_zero_is_infinite_and_a_huge_one_does_not_overflow():
    none = np.full((2, 3), -np.inf)
    assert float(metrics.nll(none)) == float(metrics.perplexity(none, [1, 1])) == np.inf
    assert float(metrics.perplexity([[-1e4]], [1])) == np.inf


SAMPLED = [m for m in METRICS.values() if {"log_weights", "losses"} & set(m.arguments)]


@pytest.mark.parametrize("metric", SAMPLED, ids=str)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (TABLES["losses"][:, 0], r"shape \(80,\), expected \[observations, samples\]"),
        (np.full((N, K), np.nan), "hold NaN"),
        (np.full((N, K), "a"), "expected numbers"),
        (np.empty((N, 0)), r"shape \(80, 0\)"),
    ],
    ids=["rank 1", "NaN", "text", "none"],
)
def test_bad_samples_get_one_sentence(metric, bad, message):
    with pytest.raises(InputError, match=message) as error:
        score(metric, TABLES | {"log_weights": bad, "losses": bad})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["kl", "mutual-information", "perplexity-bound"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"mean": TABLES["mean"][0]}, r"means have shape \(3,\), expected \[observations, codes\]"),
        ({"log_var": TABLES["log_var"][:, :2]}, r"their log-variances \(80, 2\), expected the same"),
        ({"log_var": np.full((N, M), np.inf)}, "log-variances must be finite"),
    ],
    ids=["rank 1", "other shape", "infinite"],
)
def test_bad_posteriors_get_one_sentence(name, bad, message):
    with pytest.raises(InputError, match=message) as error:
        score(METRICS[name], TABLES | bad)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["perplexity", "perplexity-bound", "nll-per-word"])
@pytest.mark.parametrize(
    ("words", "message"),
    [(np.ones(N - 1), r"shape \(79,\), expected one of each of 80"), (np.zeros(N), "at least 1")],
    ids=["too few", "empty"],
)
def test_bad_numbers_of_words_get_one_sentence(name, words, message):
    with pytest.raises(InputError, match=message):
        score(METRICS[name], TABLES | {"words": words})


def test_tables_of_other_lengths_and_codes_alone_are_refused():
    with pytest.raises(InputError, match=r"different numbers of rows .*words 79"):
        evaluate_likelihood(**TABLES | {"words": TABLES["words"][1:]})
    with pytest.raises(InputError, match="losses of 79 observations and 80 posteriors"):
        score(METRICS["perplexity-bound"], TABLES | {"losses": TABLES["losses"][1:]})
    with pytest.raises(InputError, match="codes are given: see evaluate_likelihood"):
        evaluate_codes(TABLES["mean"], metrics="likelihood")
