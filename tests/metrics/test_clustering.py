"""Indices of clusters against plain definitions and scikit-learn; which clusters are scored; classifiers on codes."""

from __future__ import annotations

from itertools import permutations
from math import inf

import numpy as np
import pytest
import sklearn.metrics
from sklearn.manifold import TSNE

from prismae import metrics
from prismae.errors import InputError
from prismae.evaluation import evaluate_codes

RNG = np.random.default_rng(0)
LABELS = np.arange(300) % 3
CODES = (np.array([[0, 0], [3, 0], [0, 3]])[LABELS] + 0.8 * RNG.normal(size=(300, 2))).astype(np.float32)
FAR = CODES.astype(np.float64) + 1e6
FAMILY = {"silhouette", "calinski-harabasz", "davies-bouldin"}
AGREEMENT = {"clustering-accuracy", "nmi", "ari"}


@pytest.mark.parametrize("codes", [CODES, FAR], ids=["near", "far from the origin"])
def test_indices_are_those_of_scikit_learn(codes):
    expected = {
        "silhouette": sklearn.metrics.silhouette_score(CODES, LABELS),
        "calinski_harabasz": sklearn.metrics.calinski_harabasz_score(CODES, LABELS),
        "davies_bouldin": sklearn.metrics.davies_bouldin_score(CODES, LABELS),
    }
    for name, value in expected.items():
        assert float(getattr(metrics, name)(codes, LABELS)) == pytest.approx(value, rel=1e-4)


def test_an_index_by_hand():
    codes, clusters = np.array([[0.0], [2.0], [10.0], [14.0]]), [0, 0, 1, 1]
    # widths 1 and 2, means 1 and 12
    assert metrics.davies_bouldin(codes, clusters) == pytest.approx(3 / 11)
    assert metrics.calinski_harabasz(codes, clusters) == pytest.approx(4 * 5.5**2 / (10 / 2))
    silhouettes = [1 - 2 / 12, 1 - 2 / 10, 1 - 4 / 9, 1 - 4 / 13]
    assert float(metrics.silhouette(codes, clusters)) == pytest.approx(np.mean(silhouettes))


def test_means_that_coincide_are_not_apart():
    codes = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    assert metrics.davies_bouldin(codes, [0, 0, 1, 1]) == inf
    assert metrics.calinski_harabasz(codes, [0, 0, 1, 1]) == 0


def test_clusters_of_one_place_each():
    codes = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert metrics.calinski_harabasz(codes, [0, 0, 1, 1]) == inf
    assert metrics.davies_bouldin(codes, [0, 0, 1, 1]) == 0
    assert float(metrics.silhouette(codes, [0, 0, 1, 1])) == 1


def test_one_cluster_has_nothing_to_be_apart_from():
    one = np.zeros(300)
    assert float(metrics.silhouette(CODES, one)) == metrics.calinski_harabasz(CODES, one) == 0
    assert metrics.davies_bouldin(CODES, one) == inf


def test_the_silhouette_of_many_points_is_that_of_some_drawn_by_the_seed():
    some = metrics.silhouette(CODES, LABELS, points=100)
    assert len(some.points) == 100
    assert float(some) == pytest.approx(float(metrics.silhouette(CODES, LABELS)), abs=0.05)
    assert float(some) != float(metrics.silhouette(CODES, LABELS, points=100, seed=1))


@pytest.mark.parametrize("n_clusters", [2, 3, 4])
def test_clustering_accuracy_is_the_best_of_all_maps(n_clusters):
    clusters = RNG.integers(n_clusters, size=60)
    labels = RNG.integers(3, size=60)
    size = max(n_clusters, 3)
    best = max(np.mean(np.array(p)[clusters] == labels) for p in permutations(range(size)))
    assert metrics.clustering_accuracy(clusters, labels) == pytest.approx(best)
    assert metrics.clustering_accuracy((labels + 1) % 3, labels) == 1


BAD = {
    "rank 2": (np.zeros((300, 2)), "expected one whole number a point"),
    "fractions": (LABELS + 0.5, "must be whole numbers"),
    "NaN": (np.where(LABELS == 0, np.nan, LABELS), "none missing"),
    "too few": (LABELS[:-1], "300 points but 299 clusters"),
    "one point each": (np.arange(300), "cluster of its own"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", ["silhouette", "calinski_harabasz", "davies_bouldin"])
def test_bad_clusters_get_one_sentence(name, case):
    clusters, message = BAD[case]
    with pytest.raises(InputError, match=message):
        getattr(metrics, name)(CODES, clusters)


def test_clusters_by_labels_by_k_means_and_as_assigned():
    shares = np.eye(4)[(LABELS + 1) % 4]
    found = evaluate_codes(CODES, LABELS[:, None], metrics="clustering", assignments=shares, bootstrap=5)
    kinds = ("labels", "k-means", "assigned")
    assert set(found) == {f"{name}[{kind}]" for name in FAMILY for kind in kinds} | {
        f"{name}[{kind}]" for name in AGREEMENT for kind in kinds[1:]
    }
    assert found["clustering-accuracy[assigned]"].score == 1
    assert found["clustering-accuracy[k-means]"].score > 0.9
    assert found["nmi[k-means]"].chance < 0.1
    assert found["silhouette[labels]"].score == pytest.approx(
        float(metrics.silhouette(CODES, LABELS)), rel=1e-4
    )
    assert found["silhouette[labels]"].chance < 0.05
    assert found["silhouette[k-means]"].chance is None
    assert found["silhouette[assigned]"].parameters == {
        "points": 10_000,
        "seed": 0,
        "n_points": 300,
        "n_clusters": 3,
    }
    for each in found.values():
        assert each.protocol == "clustering"
        assert each.ceiling is None
        assert each.lower <= each.score <= each.upper


def test_points_of_unknown_class_are_left_out():
    factors = np.where(np.arange(300) < 100, np.nan, LABELS.astype(float))[:, None]
    found = evaluate_codes(CODES, factors, metrics=["nmi"], baselines=False)
    assert found["nmi[k-means]"].parameters["n_points"] == 200


def test_the_class_is_the_only_categorical_factor_or_chosen():
    factors = np.column_stack([LABELS, RNG.integers(2, size=300), RNG.random(300)])
    how = {"factor_names": ("class", "side", "x"), "metrics": ["nmi", "silhouette"], "baselines": False}
    with pytest.raises(InputError, match=r"2 categorical factors .* choose by label one of class, side, x"):
        evaluate_codes(CODES, factors, **how)
    chosen = evaluate_codes(CODES, factors, label="class", **how)
    assert chosen["nmi[k-means]"].score > 0.8
    assert evaluate_codes(CODES, factors, label=1, **how)["nmi[k-means]"].score < 0.1
    with pytest.raises(InputError, match="There is no factor 'colour': expected one of class, side, x"):
        evaluate_codes(CODES, factors, label="colour", **how)
    with pytest.raises(InputError, match="Factor x is continuous"):
        evaluate_codes(CODES, factors, label="x", **how)
    (kinds,) = {tuple(k) for k in [("continuous", "continuous", "categorical")]}
    factors[:, 2] = LABELS
    found = evaluate_codes(CODES, factors, factor_kinds=kinds, **how)
    assert found["nmi[k-means]"].score == chosen["nmi[k-means]"].score


def test_without_labels_only_assignments_can_be_scored():
    found = evaluate_codes(CODES, metrics="clustering", assignments=LABELS)
    assert set(found) == {f"{name}[assigned]" for name in FAMILY}
    assert "none are known" in found.skipped["nmi"]
    with pytest.raises(
        InputError, match="Nothing of clustering can be scored; silhouette: There are neither"
    ):
        evaluate_codes(CODES, metrics="clustering")


def test_labels_on_a_t_sne_are_scored_on_the_plane_of_scikit_learn():
    rows = np.random.default_rng(0).permutation(300)[:120]
    codes, labels = np.c_[CODES, RNG.normal(size=(300, 3)).astype(np.float32)][rows], LABELS[rows]
    found = evaluate_codes(codes, labels[:, None], metrics="clustering/t-sne")
    drawn = np.random.default_rng(0).permutation(len(codes))
    plane = TSNE(perplexity=30, init="pca", random_state=0).fit_transform(codes[drawn])
    expected = {
        "silhouette": sklearn.metrics.silhouette_score(plane, labels[drawn]),
        "calinski-harabasz": sklearn.metrics.calinski_harabasz_score(plane, labels[drawn]),
        "davies-bouldin": sklearn.metrics.davies_bouldin_score(plane, labels[drawn]),
    }
    assert set(found) == {f"{name}[labels on t-SNE]" for name in FAMILY}
    for name, value in expected.items():
        each = found[f"{name}[labels on t-SNE]"]
        assert each.score == pytest.approx(value, rel=1e-4)
        assert (each.parameters["n_points"], each.parameters["perplexity"]) == (120, 30)
        assert (each.chance > each.score) == (name == "davies-bouldin")
        assert each.protocol == "clustering/t-sne"


def test_a_t_sne_is_taken_where_it_is_asked_for_and_can_be_had():
    assert set(evaluate_codes(CODES, LABELS[:, None], metrics=["silhouette"], baselines=False)) == {
        f"silhouette[{kind}]" for kind in ("labels", "k-means")
    }
    with pytest.raises(InputError, match="no class labels are known"):
        evaluate_codes(CODES, metrics="clustering/t-sne")
    with pytest.raises(InputError, match="at least 10 observations, but there are 9"):
        evaluate_codes(CODES[:9], LABELS[:9, None], metrics="clustering/t-sne")


def test_names_of_families_and_metrics_can_be_mixed():
    factors = np.column_stack([LABELS, LABELS])
    found = evaluate_codes(CODES, factors, metrics=["mig", "ari"], label=0, baselines=False)
    assert set(found) == {"mig", "ari[k-means]"}
    assert found["mig"].protocol == "locatello2019"
    both = evaluate_codes(CODES, factors, metrics=["default", "clustering"], label=0, baselines=False)
    assert {"mig", "sap", "silhouette[labels]"} <= both.keys()
    assert evaluate_codes(CODES, LABELS[:, None], metrics=["clustering", "nmi"], baselines=False).keys() >= {
        "silhouette[labels]",
        "nmi[k-means]",
    }
    with pytest.raises(InputError, match="Generation is scored on images"):
        evaluate_codes(CODES, factors, metrics="generation")


def test_classifiers_learn_on_one_part_and_are_scored_on_the_other():
    found = evaluate_codes(CODES, LABELS[:, None], metrics="classification", bootstrap=5)
    assert set(found) == {
        "linear-svm-accuracy",
        "rbf-svm-accuracy",
        "logistic-regression-accuracy",
        "knn-accuracy",
    }
    for each in found.values():
        assert 0.2 < each.chance < 0.5 < 0.85 < each.score <= 1
        assert each.lower <= each.score <= each.upper
        assert each.ceiling is None
        assert (each.parameters["n_train"], each.parameters["n_test"]) == (200, 100)
    assert found["rbf-svm-accuracy"].parameters["points"] == 10_000


def test_classifiers_are_scored_on_the_test_points_that_are_given():
    wrong = (CODES[:50], (LABELS[:50, None] + 1) % 3)
    found = evaluate_codes(CODES, LABELS[:, None], metrics="classification", test=wrong, baselines=False)
    for each in found.values():
        assert each.score < 0.1
        assert (each.parameters["n_train"], each.parameters["n_test"]) == (300, 50)


def test_the_rbf_machine_learns_on_no_more_points_than_it_is_allowed():
    test = CODES[:100], LABELS[:100, None]
    few = metrics.rbf_svm_accuracy(CODES, LABELS[:, None], test=test, points=12)
    many = metrics.rbf_svm_accuracy(CODES, LABELS[:, None], test=test)
    assert float(few) != float(many)
    assert float(few) == float(metrics.rbf_svm_accuracy(CODES, LABELS[:, None], test=test, points=12))


def test_rbf_kernels_and_neighbours_see_rings_where_hyperplanes_do_not():
    angle, ring = 2 * np.pi * RNG.random(400), np.arange(400) % 2
    codes = (1 + ring)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    factors = ring[:, None]
    assert float(metrics.rbf_svm_accuracy(codes, factors)) > 0.95
    assert float(metrics.knn_accuracy(codes, factors)) > 0.95
    assert float(metrics.linear_svm_accuracy(codes, factors)) < 0.7
    assert float(metrics.logistic_regression_accuracy(codes, factors)) < 0.7


def test_progress_is_shown_when_asked_for(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    evaluate_codes(CODES, LABELS[:, None], metrics=["ari"])
    assert capsys.readouterr() == ("", "")
    evaluate_codes(CODES, LABELS[:, None], metrics=["ari"], bootstrap=3, progress=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "clustering" in printed.err
