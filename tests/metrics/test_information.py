"""Bins, counts, entropies and mutual information against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from prismae.metrics import mutual_information_matrix
from prismae.metrics._information import bin_codes, entropy, gap, joint_counts, mutual_information
from prismae.metrics._inputs import as_labels, cut
from prismae.metrics.disentanglement.infomec import local_information


def test_equal_width_bins_of_the_check_values():
    assert (cut(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), 3) + 1).tolist() == [1, 1, 2, 2, 3, 3]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50), st.integers(1, 30))
def test_bins_lie_in_range_and_keep_the_order(values, bins):
    found = cut(np.array(values), bins)
    assert found.min() >= 0
    assert found.max() < bins
    assert (np.diff(found[np.argsort(values)]) >= 0).all()


@given(st.integers(1, 40))
def test_entropy_of_the_uniform_distribution(n):
    assert entropy(np.ones(n)) == pytest.approx(np.log(n))


def test_entropy_of_nothing_is_zero():
    assert entropy(np.zeros(3)) == 0.0


def test_mutual_information_of_copies_and_of_independent_variables():
    a, b = (each.ravel() for each in np.meshgrid(np.arange(4), np.arange(5)))
    labels = np.column_stack([a, b]).astype(np.int32)
    information = mutual_information(joint_counts(labels, labels))
    np.testing.assert_allclose(information, np.diag(np.log([4, 5])), atol=1e-12)


def test_binary_symmetric_channel():
    joint = np.array([[0.4, 0.1], [0.1, 0.4]])
    assert mutual_information(joint) == pytest.approx(np.log(2) - entropy(np.array([0.8, 0.2])))


def test_joint_counts_leave_missing_values_out():
    a = np.array([[0], [1], [1], [0]], dtype=np.int32)
    b = np.array([[0, -1], [1, 0], [-1, 1], [0, 1]], dtype=np.int32)
    expected = [[[[2, 0], [0, 1]], [[0, 1], [1, 1]]]]
    np.testing.assert_array_equal(joint_counts(a, b), expected)


def test_the_matrix_against_scikit_learn():
    rng = np.random.default_rng(0)
    codes, factors = rng.normal(size=(500, 3)), rng.integers(4, size=(500, 2))
    cells = bin_codes(codes, 20)
    expected = [[mutual_info_score(cells[:, i], factors[:, k]) for k in range(2)] for i in range(3)]
    np.testing.assert_allclose(mutual_information_matrix(codes, factors), expected, atol=1e-12)


def test_labels_are_in_order_of_value_and_missing_is_minus_one():
    factors = np.array([[30.0, 0.5], [np.nan, 1.5], [10.0, 0.25], [30.0, np.nan]])
    assert as_labels(factors, n=4, bins=2).tolist() == [[1, 0], [-1, 1], [0, 0], [1, -1]]


def test_large_and_negative_class_numbers_are_labels_too():
    factors = np.array([[-5, 10**9], [7, 3], [-5, 10**12]])
    assert as_labels(factors, n=3).tolist() == [[0, 1], [1, 0], [0, 2]]


def test_gap():
    np.testing.assert_array_equal(gap(np.array([[1.0, 5.0], [4.0, 2.0], [2.0, 2.0]]), axis=0), [2.0, 3.0])


def test_information_by_nearest_neighbours_against_scikit_learn_and_its_closed_form():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=3_000)
    apart = rng.random(3_000) + 2 * labels
    assert np.mean(local_information(apart, labels)) == pytest.approx(np.log(3), abs=0.01)
    noisy = rng.normal(size=3_000) + labels
    expected = mutual_info_classif(noisy[:, None], labels, random_state=0)[0]
    assert np.nanmean(local_information(noisy / noisy.std(), labels)) == pytest.approx(expected, abs=1e-3)
