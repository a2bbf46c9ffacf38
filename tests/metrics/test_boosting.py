"""The compiled booster against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from prismae.metrics._boosting import fit_boosted


def data(classes: int, n: int = 500, columns: int = 4, seed: int = 0):
    """Points whose first column decides the class, with help from the second."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    score = x[:, 0] + 0.3 * x[:, 1] ** 2 + 0.5 * rng.normal(size=n)
    return x, np.argsort(np.argsort(score)) * classes // n


def coarse_data(classes: int):
    """So many points on so few values that no split ever sets single points apart, which makes splits tie."""
    rng = np.random.default_rng(0)
    x = rng.integers(5, size=(3_000, 3)).astype(np.float32)
    score = x[:, 0] + x[:, 1] * x[:, 2] / 2 + 2 * rng.normal(size=len(x))
    return x, np.argsort(np.argsort(score)) * classes // len(x)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_same_trees_where_no_splits_tie(classes):
    x, y = coarse_data(classes)
    ours = fit_boosted(x, y, rounds=20)
    theirs = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(x, y)
    np.testing.assert_allclose(ours.importance, theirs.feature_importances_, atol=1e-6)
    expected = theirs.predict_proba(x)
    if classes == 2:
        found = 1 / (1 + np.exp(-ours.train_scores[:, 0]))
        np.testing.assert_allclose(found, expected[:, 1], atol=1e-6)
    else:
        found = np.exp(ours.train_scores)
        np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), expected, atol=1e-6)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


@pytest.mark.slow
def test_importance_is_as_near_to_scikit_learn_as_that_is_to_itself():
    x, y = data(5)
    ours = np.mean([fit_boosted(x, y, seed=seed).importance for seed in range(4)], axis=0)
    theirs = [
        GradientBoostingClassifier(random_state=seed).fit(x, y).feature_importances_ for seed in range(4)
    ]
    spread = np.std(theirs, axis=0, ddof=1)
    np.testing.assert_array_less(np.abs(ours - np.mean(theirs, axis=0)), 4 * spread + 1e-4)


def test_importance_is_the_mean_of_what_each_point_contributes():
    x, y = data(3)
    fitted = fit_boosted(x, y)
    removed = fitted.contributions.mean(axis=0)
    assert (removed >= 0).all()
    np.testing.assert_allclose(fitted.importance, removed / removed.sum())


def test_training_scores_are_those_of_prediction():
    x, y = data(4)
    fitted = fit_boosted(x, y)
    np.testing.assert_array_equal(fitted.label(fitted.train_scores), fitted.predict(x))


def test_labels_need_not_be_consecutive():
    x, y = data(3)
    labels = np.array([10, 3, 77])[y]
    assert set(np.unique(fit_boosted(x, labels).predict(x))) == {3, 10, 77}


def test_a_constant_table_never_splits():
    fitted = fit_boosted(np.zeros((50, 3)), np.arange(50) % 4)
    np.testing.assert_array_equal(fitted.importance, np.zeros(3))
