"""Choices that published protocols make differently, each against a few lines that follow its definition."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import grid, small_world, standardised
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from prismae import metrics
from prismae.errors import InputError
from prismae.evaluation import evaluate_codes
from prismae.metrics._votes import group_rows
from prismae.metrics.disentanglement.infomec import local_information

FACTORS = small_world()
IDEAL = standardised(FACTORS)
RNG = np.random.default_rng(0)


def ross(values, labels, neighbours):
    """Ross 2014 by comparing every point with every other."""
    usable = np.array([np.sum(labels == label) > 1 for label in labels])
    x, c = values[usable], labels[usable]
    distance = np.abs(x[:, None] - x[None])
    shares = []
    for i in range(len(x)):
        same = np.sort(distance[i][c == c[i]])  # itself first, at distance 0
        k = min(neighbours, len(same) - 1)
        nearer = np.sum(distance[i] < same[k])  # itself among them
        shares.append(digamma(len(x)) - digamma(len(same)) + digamma(k) - digamma(nearer))
    return np.mean(shares)


@pytest.mark.parametrize("neighbours", [1, 3, 10])
@pytest.mark.parametrize(("n", "classes"), [(60, 3), (60, 20), (500, 4), (2_000, 10)])
def test_information_by_neighbours_is_that_of_ross(n, classes, neighbours):
    labels = RNG.integers(classes, size=n)
    values = 0.3 * labels + RNG.normal(size=n)
    found = np.nanmean(local_information(values, labels, neighbours))
    assert found == pytest.approx(ross(values, labels, neighbours), rel=1e-12)
    if np.bincount(labels).min() > 2 * neighbours + 1:  # or it takes radii of squares, which are rounded
        theirs = mutual_info_classif(values[:, None], labels, n_neighbors=neighbours, random_state=0)[0]
        assert max(found, 0) == pytest.approx(theirs, abs=1e-9)  # it adds noise of 1e-10, and clips


def test_neighbours_are_counted_by_differences():
    # 0.3 - 0.2 < 0.1 in floating point, but 0.2 + 0.1 > 0.3: the neighbour itself must not count as nearer.
    values, labels = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]), np.array([0, 0, 1, 1, 0, 1, 0, 1])
    found = np.mean(local_information(values, labels, 1))
    assert found == pytest.approx(ross(values, labels, 1), rel=1e-12)


def rare(n=900):
    """Two factors, the first with a rare value, and noisy codes of them."""
    factors = np.column_stack([RNG.choice(3, n, p=[0.8, 0.17, 0.03]), RNG.integers(4, size=n)])
    return standardised(factors) + 0.7 * RNG.normal(size=factors.shape), factors


def test_infomec_takes_the_regressions_of_either_version():
    z, v = rare()
    x = StandardScaler().fit_transform(z)
    for protocol, weight in (("definition", None), ("qlae-training", "balanced")):
        expected = []
        for column in v.T:
            cost = [
                log_loss(
                    column,
                    LogisticRegression(C=np.inf, class_weight=weight).fit(each, column).predict_proba(each),
                )
                for each in (x, np.zeros_like(x))
            ]
            expected.append(1 - cost[0] / cost[1])
        found = metrics.infomec(z, v, protocol=protocol)
        assert found.explicitness == pytest.approx(np.mean(expected), abs=1e-4)
        unbalanced = metrics.infomec(z, v)
        np.testing.assert_array_equal(found.matrix, unbalanced.matrix)  # over H(v), whatever the weights


def test_infomec_refuses_what_has_no_neighbours():
    z, v = rare(100)
    with pytest.raises(InputError, match=r"infomec: protocol .*qlae-training.*got 'own'"):
        metrics.infomec(z, v, protocol="own")
    with pytest.raises(InputError, match="No two points share a value of factor 1"):
        metrics.infomec(z, np.column_stack([v[:, 0], np.arange(100)]))


@pytest.mark.parametrize(("held", "shares"), [("values", [1 / 3, 1 / 3, 1 / 3]), ("rows", [0.9, 0.08, 0.02])])
def test_how_often_each_value_is_held(held, shares):
    labels = np.repeat([0, 1, 2, 3], [900, 80, 20, 1])  # a value of one row is never held
    drawn = labels[group_rows(labels, "a value", held).draw(60_000, 2, np.random.default_rng(0))]
    assert (drawn[:, 0] == drawn[:, 1]).all()
    np.testing.assert_allclose(np.bincount(drawn[:, 0], minlength=4) / 60_000, [*shares, 0], atol=0.01)


def votes_one_by_one(z, v, held, most, n=6_000, points=50):
    """Z-min (or z-max) variance without any of the library: one vote at a time."""
    rng = np.random.default_rng(5)
    tally, spread = np.zeros((2, v.shape[1], z.shape[1])), z.var(axis=0, ddof=1)
    for part in range(2):
        for _ in range(n):
            k = rng.integers(v.shape[1])
            key = v[:, 1 - k] if most else v[:, k]  # two factors: all but one is the other
            value = rng.choice(np.unique(key)) if held == "values" else rng.choice(key)
            ratio = z[rng.choice(np.flatnonzero(key == value), points)].var(axis=0, ddof=1) / spread
            tally[part, k, ratio.argmax() if most else ratio.argmin()] += 1
    winner = tally[0].argmax(axis=0)
    accuracy = tally[1][winner, np.arange(z.shape[1])].sum() / n
    return max(0.0, (accuracy - 1 / v.shape[1]) / (1 - 1 / v.shape[1]))


@pytest.mark.parametrize("held", ["values", "rows"])
@pytest.mark.parametrize("most", [False, True], ids=["z-min", "z-max"])
def test_votes_on_factors_of_rare_values(held, most):
    rng = np.random.default_rng(3)
    v = np.column_stack([rng.choice(3, 600, p=[0.9, 0.07, 0.03]), rng.choice(2, 600, p=[0.8, 0.2])])
    z = v + rng.normal(size=v.shape) * (0.2 + 1.5 * (v[:, [0]] > 0))  # noisy where the value is rare
    metric = metrics.z_max_variance if most else metrics.z_min_variance
    found = metric(z, v, votes=6_000, test_votes=6_000, points=50, held=held).score
    assert found == pytest.approx(votes_one_by_one(z, v, held, most), abs=0.05)


def test_rare_values_weigh_more_when_values_are_held_alike():
    rng = np.random.default_rng(3)
    v = np.column_stack([rng.choice(2, 2_000, p=[0.95, 0.05]), rng.integers(4, size=2_000)])
    z = standardised(v) + 2.0 * rng.normal(size=v.shape) * [[1, 0]] * (v[:, [0]] == 1)
    by_value, by_row = (metrics.z_min_variance(z, v, held=held).score for held in ("values", "rows"))
    assert by_value < by_row - 0.1


@pytest.mark.parametrize("metric", [metrics.z_min_variance, metrics.z_max_variance])
def test_votes_refuse_numbers_that_give_none(metric):
    with pytest.raises(InputError, match="votes should be greater than or equal to 1, got 0"):
        metric(IDEAL, FACTORS, votes=0)
    with pytest.raises(InputError, match="variance_points should be greater than or equal to 2"):
        metric(IDEAL, FACTORS, variance_points=1)
    with pytest.raises(InputError, match="held should be 'values' or 'rows', got 'value'"):
        metric(IDEAL, FACTORS, held="value")


def test_fac_yeats2023_takes_the_unbiased_variance():
    # 20 points of variance 0.049 with ddof 0, and 0.0516 with ddof 1: the threshold 0.05 lies between.
    code = np.sqrt(0.049) * np.tile([-1.0, 1.0], 10)
    factors = np.column_stack([np.tile([0, 1], 10), np.repeat([0, 1], 10)])
    found = metrics.fac_yeats2023(np.column_stack([code, code * 0.9]), factors, votes=50, test_votes=50)
    assert found.active.tolist() == [True, False]


def sap_yeats(z, v, categorical, constant):
    """The protocol's SAP from its definition, one pair at a time."""
    gaps = []
    for code in z.T:
        row = [0.0 if k in categorical else np.corrcoef(code, v[:, k])[0, 1] ** 2 for k in range(v.shape[1])]
        row = sorted(row + [1.0] * constant)
        gaps.append(row[-1] - row[-2])
    return np.mean(gaps)


@pytest.mark.parametrize("constant", [True, False])
def test_sap_yeats2023_is_of_the_test_points(constant):
    z = IDEAL + RNG.normal(size=IDEAL.shape)
    kinds = ("categorical", "continuous", "continuous")
    train, test = slice(0, 800), slice(800, None)
    found = metrics.sap_yeats2023(
        z[train],
        FACTORS[train],
        test=(z[test], FACTORS[test]),
        factor_kinds=kinds,
        constant_factor=constant,
    )
    assert found == pytest.approx(sap_yeats(z[test], FACTORS[test], {0}, constant), rel=1e-9)


@pytest.mark.parametrize(
    ("sizes", "variant", "numbers"),
    [((3, 20, 150), "dsprites", (5_000, 1_000)), ((3, 120), "beamsynthesis", (240, 120))],
)
def test_sap_yeats2023_is_given_the_public_code_s_numbers_of_points(sizes, variant, numbers):
    factors = grid(sizes)
    kinds = ("categorical", *["continuous"] * (len(sizes) - 1))
    score = evaluate_codes(
        standardised(factors),
        factors,
        factor_kinds=kinds,
        metrics="sap",
        protocol=f"yeats2023/{variant}",
        baselines=False,
    )["sap"]
    assert (score.parameters["n_train"], score.parameters["n_test"]) == numbers


def test_of_many_points_only_so_many_are_scored():
    codes = RNG.normal(size=(35_000, 2))
    labels = (codes[:, :1] > 0).astype(int)
    found = evaluate_codes(codes, labels, metrics="knn-accuracy", baselines=False)["knn-accuracy"]
    assert (found.parameters["n_train"], found.parameters["n_test"]) == (25_000, 10_000)


@pytest.mark.parametrize("metric", [metrics.dci, metrics.unfairness, metrics.sap, metrics.boosted_accuracy])
def test_one_test_row_or_none_with_a_known_factor_gets_one_sentence(metric):
    z, v = IDEAL[:300], FACTORS[:300].astype(float)
    with pytest.raises(InputError, match="at least 2 points, got 1"):
        metric(z, v, test=(z[:1], v[:1]))
    unknown = v[:20].copy()
    unknown[:, 1] = np.nan
    with pytest.raises(InputError, match="Factor 1 is unknown at every test point"):
        metric(z, v, test=(z[:20], unknown))


@pytest.mark.parametrize("metric", [metrics.logistic_accuracy, metrics.boosted_accuracy])
@pytest.mark.parametrize("labels", [(), (0, 10), (100_000,)])
def test_numbers_of_labels_that_cannot_be_had(metric, labels):
    with pytest.raises(InputError, match="labels"):
        metric(IDEAL, FACTORS, labels=labels)


def test_a_constant_code_of_any_value_takes_no_part_in_logistic_regression():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    live = labels[:, None] + 0.3 * rng.normal(size=(90, 2))
    train, test = slice(0, 60), slice(60, None)
    scaler = StandardScaler().fit(live[train])
    learner = LogisticRegression(max_iter=1_000).fit(scaler.transform(live[train]), labels[train])
    expected = learner.score(scaler.transform(live[test]), labels[test])
    for constant in (0.3, 1e15 / 3, 1e49):
        codes = np.c_[live, np.full(90, constant)]
        found = metrics.logistic_regression_accuracy(
            codes[train], labels[train, None], test=(codes[test], labels[test, None])
        )
        assert float(found) == pytest.approx(expected)
